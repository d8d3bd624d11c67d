package millstream.tck.others;

import millstream.tck.Subject;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Sources and operators of Reactor 3. */
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

    @Subject(value = "\"max_length\":1000", failing = "error")
    public static Publisher<Long> range(long n) {
        return Flux.range(0, (int) Math.min(n, Integer.MAX_VALUE)).map(Integer::longValue);
    }

    public static Publisher<Long> error() {
        return Flux.error(new IllegalStateException("as asked for"));
    }

    public static Publisher<Long> generate(long n) {
        return numbers(n);
    }

    public static Publisher<Long> flatMap(long n) {
        return numbers(n).flatMap(Flux::just);
    }

    public static Publisher<Long> concatMap(long n) {
        return numbers(n).concatMap(Flux::just);
    }

    @Subject("\"asynchronous\":true")
    public static Publisher<Long> publishOn(long n) {
        return numbers(n).publishOn(Schedulers.single());
    }

    public static Publisher<Long> groupBy(long n) {
        return numbers(n).groupBy(i -> i % 4).flatMap(group -> group);
    }

    public static Publisher<Long> window(long n) {
        return numbers(n).window(3).concatMap(part -> part);
    }

    public static Publisher<Long> zip(long n) {
        return Flux.zip(numbers(n), numbers(n), (a, b) -> a);
    }

    public static Publisher<Long> replay(long n) {
        return numbers(n).replay().autoConnect();
    }

    public static Publisher<Long> share(long n) {
        return numbers(n).share();
    }
}
