package millstream.tck;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a factory method declares of what it makes. A method without it declares nothing. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Subject {
    /** Capabilities as the protocol names them, such as <code>"asynchronous": true</code>. */
    String value() default "";

    /** The method that makes a publisher which fails as soon as it can. */
    String failing() default "";
}
