package millstream.benches;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Runs each benchmark once and prints what it gives, so that the report can tell that all have done the same work.
 *
 * <p>It prints an object of JSON whose keys are those of JMH (<code>some.Class.method</code>, and after a blank the
 * size), with the lower 32 bits of the sums.
 */
public final class Sums {
    private Sums() { }

    public static void main(String[] arguments) throws ReflectiveOperationException {
        List<String> lines = new ArrayList<>();
        for (Object peer : List.of(new RxJava(), new Reactor(), new Mutiny(), new Pekko(), new Kotlin())) {
            for (Method method : peer.getClass().getMethods()) {
                if (method.isAnnotationPresent(Benchmark.class) && !Modifier.isStatic(method.getModifiers())) {
                    run(peer, method, lines);
                }
            }
        }
        System.out.println("{\n" + String.join(",\n", lines) + "\n}");
        // The peers' own threads would keep the process.
        Runtime.getRuntime().halt(0);
    }

    private static void run(Object peer, Method method, List<String> lines) throws ReflectiveOperationException {
        String name = peer.getClass().getName() + "." + method.getName();
        if (method.getParameterCount() == 0) {
            lines.add(line(name, (long) method.invoke(peer)));
            return;
        }
        Class<?> type = method.getParameterTypes()[0];
        for (String size : type.getField("size").getAnnotation(Param.class).value()) {
            Object state = type.getConstructor().newInstance();
            type.getField("size").setInt(state, Integer.parseInt(size));
            lines.add(line(name + " " + size, (long) method.invoke(peer, state)));
        }
    }

    private static String line(String name, long sum) {
        return "  \"" + name + "\": " + (sum & 0xFFFF_FFFFL);
    }
}
