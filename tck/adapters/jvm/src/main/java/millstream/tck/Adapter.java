package millstream.tck;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.reactivestreams.FlowAdapters;
import org.reactivestreams.Processor;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;

/**
 * Hosts publishers, subscribers and processors for the TCK, which judges them from another process.
 *
 * <p>Arguments: <code>some.Class#method</code>, or <code>some.Class</code> for all its factory methods. A
 * factory method is public and static, takes a <code>long</code> (the number of items;
 * <code>Long.MAX_VALUE</code> for as many as are asked for) or nothing, and gives a type of
 * <code>org.reactivestreams</code> or of <code>java.util.concurrent.Flow</code>.
 */
public final class Adapter {
    private final Map<String, Method> factories = new java.util.LinkedHashMap<>();
    private final Map<Long, Case> cases = new ConcurrentHashMap<>();
    private final Wire wire;

    private Adapter(PrintStream out, List<Method> methods) {
        wire = new Wire(out, this::answer);
        methods.forEach(method -> factories.put(nameOf(method), method));
    }

    public static void main(String[] arguments) throws IOException, ClassNotFoundException {
        PrintStream out = System.out;
        // What the subjects print must not mix with the protocol.
        System.setOut(System.err);
        List<Method> methods = new ArrayList<>();
        for (String argument : arguments) {
            String[] parts = argument.split("#", 2);
            List<Method> found = Stream.of(Class.forName(parts[0]).getDeclaredMethods())
                    .filter(method -> roleOf(method) != null && method.canAccess(null))
                    .filter(method -> parts.length == 1 ? !isFailing(method) : method.getName().equals(parts[1]))
                    .sorted(Comparator.comparing(Method::getName)).toList();
            if (found.isEmpty()) {
                throw new IllegalArgumentException(argument + " is no public static factory method");
            }
            methods.addAll(found);
        }
        if (methods.isEmpty()) {
            throw new IllegalArgumentException("name a class, or a class and a method: some.Class#method");
        }
        new Adapter(out, methods).run();
    }

    private void run() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        in.readLine();
        wire.write(hello());
        Thread beating = new Thread(() -> {
            while (true) {
                wire.write("{\"notice\":\"beat\"}");
                try {
                    Thread.sleep(1_000);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }, "tck-beat");
        beating.setDaemon(true);
        beating.start();
        wire.read(in);
        // The subjects' own threads would keep the process.
        Runtime.getRuntime().halt(0);
    }

    private String hello() {
        StringJoiner subjects = new StringJoiner(",", "[", "]");
        factories.forEach((name, method) -> {
            Subject declared = method.getAnnotation(Subject.class);
            subjects.add("{\"name\":" + Message.quoted(name) + ",\"role\":\"" + roleOf(method)
                    + "\",\"capabilities\":{" + (declared == null ? "" : declared.value()) + "}}");
        });
        return "{\"hello\":1,\"adapter\":\"jvm " + System.getProperty("java.version")
                + "\",\"features\":[\"retention\"],\"subjects\":" + subjects + "}";
    }

    private Message answer(Message call) {
        if (call.has("notice")) {
            Case its = cases.get(call.number("case", 0));
            if (its != null && "released".equals(call.text("notice"))) {
                its.release(call.number("subscription", 0));
            }
            return call;
        }
        long id = call.number("case", 0);
        switch (call.text("call")) {
            case "open":
                return open(id, call);
            case "end":
                Case over = cases.remove(id);
                if (over != null) {
                    over.end();
                }
                return new Message().with("reply", true);
            default:
                Case its = cases.get(id);
                return its == null ? new Message().with("reply", true) : its.answer(call);
        }
    }

    @SuppressWarnings("unchecked")
    private Message open(long id, Message call) {
        Method method = factories.get(call.text("subject"));
        Message none = new Message().with("reply", true).with("none", true);
        if (call.is("fail")) {
            Subject declared = method.getAnnotation(Subject.class);
            if (declared == null || declared.failing().isEmpty()) {
                return none;
            }
            method = Stream.of(method.getDeclaringClass().getDeclaredMethods())
                    .filter(other -> other.getName().equals(declared.failing())).findFirst().orElseThrow();
        }
        boolean isBuffer = call.has("buffer");
        Object made = make(method, isBuffer ? call.number("buffer", 16) : call.number("items", Long.MAX_VALUE));
        Publisher<Object> publisher = null;
        Subscriber<Object> subscriber = null;
        if (made instanceof Publisher<?> its) {
            publisher = (Publisher<Object>) its;
        } else if (made instanceof Flow.Publisher<?> its) {
            publisher = (Publisher<Object>) FlowAdapters.toPublisher(its);
        }
        if (made instanceof Subscriber<?> its) {
            subscriber = (Subscriber<Object>) its;
        } else if (made instanceof Flow.Subscriber<?> its) {
            subscriber = (Subscriber<Object>) FlowAdapters.toSubscriber(its);
        }
        cases.put(id, new Case(id, wire, publisher, subscriber));
        return new Message().with("reply", true);
    }

    private static Object make(Method method, long n) {
        try {
            return method.getParameterCount() == 0 ? method.invoke(null) : method.invoke(null, n);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String nameOf(Method method) {
        return method.getDeclaringClass().getSimpleName() + "." + method.getName();
    }

    /** Whether another method of the class names it as the one that makes publishers which fail. */
    private static boolean isFailing(Method method) {
        return Stream.of(method.getDeclaringClass().getDeclaredMethods())
                .map(other -> other.getAnnotation(Subject.class))
                .anyMatch(declared -> declared != null && declared.failing().equals(method.getName()));
    }

    private static String roleOf(Method method) {
        boolean isStatic = java.lang.reflect.Modifier.isStatic(method.getModifiers());
        boolean takes = method.getParameterCount() == 0
                || method.getParameterCount() == 1 && method.getParameterTypes()[0] == long.class;
        if (!isStatic || !takes || !java.lang.reflect.Modifier.isPublic(method.getModifiers())) {
            return null;
        }
        Class<?> type = method.getReturnType();
        if (Processor.class.isAssignableFrom(type) || Flow.Processor.class.isAssignableFrom(type)) {
            return "processor";
        }
        if (Publisher.class.isAssignableFrom(type) || Flow.Publisher.class.isAssignableFrom(type)) {
            return "publisher";
        }
        boolean receives = Subscriber.class.isAssignableFrom(type) || Flow.Subscriber.class.isAssignableFrom(type);
        return receives ? "subscriber" : null;
    }
}
