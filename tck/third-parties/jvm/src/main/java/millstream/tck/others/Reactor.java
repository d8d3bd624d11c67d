package millstream.tck.others;

import millstream.tck.Subject;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/** Sources, operators and sinks of Reactor 3. */
public final class Reactor {
    private Reactor() { }

    private static Flux<Long> numbers(long n) {
        return Flux.generate(() -> 0L, (state, sink) -> {
            if (state < n) {
                sink.next(state);
            } else {
                sink.complete();
            }
            return state + 1;
        });
    }

    @Subject(value = "\"rethrows\":true", failing = "error")
    public static Publisher<Long> range(long n) {
        return Flux.range(0, (int) Math.min(n, Integer.MAX_VALUE)).map(Integer::longValue);
    }

    public static Publisher<Long> error() {
        return Flux.error(new IllegalStateException("as asked for"));
    }

    public static Publisher<Long> generate(long n) {
        return numbers(n);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> flatMap(long n) {
        return numbers(n).flatMap(Flux::just);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> concatMap(long n) {
        return numbers(n).concatMap(Flux::just);
    }

    @Subject("\"asynchronous\":true")
    public static Publisher<Long> publishOn(long n) {
        return numbers(n).publishOn(Schedulers.single());
    }

    /** Groups are merged, which keeps the order of each group alone. */
    @Subject("\"rethrows\":true,\"numbering\":\"any\"")
    public static Publisher<Long> groupBy(long n) {
        return numbers(n).groupBy(i -> i % 4).flatMap(group -> group);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> window(long n) {
        return numbers(n).window(3).concatMap(part -> part);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> zip(long n) {
        return Flux.zip(numbers(n), numbers(n), (a, b) -> a);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> replay(long n) {
        return numbers(n).replay().autoConnect();
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> share(long n) {
        return numbers(n).share();
    }

    /** A sink that was filled before; it holds what is not requested yet. */
    @Subject("\"rethrows\":true,\"max_length\":1000,\"sharing\":\"single\"")
    public static Publisher<Long> unicastSink(long n) {
        Sinks.Many<Long> sink = Sinks.many().unicast().onBackpressureBuffer();
        fill(sink, n);
        return sink.asFlux();
    }

    @Subject("\"rethrows\":true,\"max_length\":1000")
    public static Publisher<Long> replaySink(long n) {
        Sinks.Many<Long> sink = Sinks.many().replay().all();
        fill(sink, n);
        return sink.asFlux();
    }

    private static void fill(Sinks.Many<Long> sink, long n) {
        // What is asked for without bound is more than anybody reads of it here.
        for (long i = 0; i < Math.min(n, 20_000); i++) {
            sink.emitNext(i, Sinks.EmitFailureHandler.FAIL_FAST);
        }
        if (n <= 20_000) {
            sink.emitComplete(Sinks.EmitFailureHandler.FAIL_FAST);
        }
    }
}
