package millstream.tck.originals;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Flow;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import millstream.tck.Subject;
import org.reactivestreams.FlowAdapters;
import org.reactivestreams.Processor;
import org.reactivestreams.Publisher;
import org.reactivestreams.tck.PublisherVerification;
import org.reactivestreams.tck.TestEnvironment;
import org.testng.SkipException;
import org.testng.annotations.Test;

/**
 * Runs the JVM's own TCK on the publishers of some classes, which are those that <code>rs-tck judge</code> takes,
 * and prints for each subject how many tests passed and were skipped, and each that failed.
 */
public final class Originals {
    private Originals() { }

    /** The tests on the publishers of one factory. */
    private static final class Verification extends PublisherVerification<Long> {
        private final Method factory;
        private final Subject declared;

        Verification(Method factory) {
            super(new TestEnvironment(1_000, 100));
            this.factory = factory;
            this.declared = factory.getAnnotation(Subject.class);
        }

        @Override
        public Publisher<Long> createPublisher(long elements) {
            return made(factory, elements);
        }

        @Override
        public Publisher<Long> createFailedPublisher() {
            if (declared == null || declared.failing().isEmpty()) {
                return null;
            }
            return Stream.of(factory.getDeclaringClass().getDeclaredMethods())
                    .filter(other -> other.getName().equals(declared.failing()))
                    .findFirst().map(other -> made(other, 0)).orElseThrow();
        }

        @Override
        public long maxElementsFromPublisher() {
            Matcher found = Pattern.compile("\"max_length\":(\\d+)").matcher(declared == null ? "" : declared.value());
            return found.find() ? Long.parseLong(found.group(1)) : super.maxElementsFromPublisher();
        }
    }

    @SuppressWarnings("unchecked")
    private static Publisher<Long> made(Method factory, long elements) {
        try {
            Object made = factory.getParameterCount() == 0 ? factory.invoke(null) : factory.invoke(null, elements);
            return made instanceof Flow.Publisher<?> its
                    ? (Publisher<Long>) FlowAdapters.toPublisher(its)
                    : (Publisher<Long>) made;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isPublisher(Method method) {
        Class<?> type = method.getReturnType();
        boolean isOne = Publisher.class.isAssignableFrom(type) || Flow.Publisher.class.isAssignableFrom(type);
        return isOne && !Processor.class.isAssignableFrom(type) && method.getParameterCount() == 1
                && method.canAccess(null) && method.getParameterTypes()[0] == long.class;
    }

    /** What became of one test; empty if it passed. */
    private static String outcome(Method factory, Method test) throws Exception {
        Verification verification = new Verification(factory);
        verification.setUp();
        try {
            test.invoke(verification);
            return "";
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            String text = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
            return (cause instanceof SkipException ? "skipped: " : "failed: ") + text;
        }
    }

    public static void main(String[] classes) throws Exception {
        List<Method> tests = Stream.of(PublisherVerification.class.getMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .sorted(Comparator.comparing(Method::getName)).toList();
        for (String name : classes) {
            List<Method> factories = Stream.of(Class.forName(name).getDeclaredMethods())
                    .filter(method -> java.lang.reflect.Modifier.isPublic(method.getModifiers()))
                    .filter(Originals::isPublisher).sorted(Comparator.comparing(Method::getName)).toList();
            for (Method factory : factories) {
                Map<String, String> failed = new TreeMap<>();
                int passed = 0;
                int skipped = 0;
                for (Method test : tests) {
                    String outcome = outcome(factory, test);
                    passed += outcome.isEmpty() ? 1 : 0;
                    skipped += outcome.startsWith("skipped") ? 1 : 0;
                    if (outcome.startsWith("failed")) {
                        failed.put(test.getName(), outcome);
                    }
                }
                System.out.printf("%s.%s: %d passed, %d skipped, %d failed%n",
                        factory.getDeclaringClass().getSimpleName(), factory.getName(), passed, skipped, failed.size());
                failed.forEach((test, text) -> System.out.println("    " + test + " " + text));
            }
        }
        // The subjects' own threads would keep the process.
        Runtime.getRuntime().halt(0);
    }
}
