package millstream.tck.others;

import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.processors.MulticastProcessor;
import io.reactivex.rxjava3.processors.ReplayProcessor;
import io.reactivex.rxjava3.processors.UnicastProcessor;
import io.reactivex.rxjava3.schedulers.Schedulers;
import millstream.tck.Subject;
import org.reactivestreams.Processor;
import org.reactivestreams.Publisher;

/** Sources, operators and processors of RxJava 3. */
public final class RxJava {
    private RxJava() { }

    private static Flowable<Long> numbers(long n) {
        return Flowable.rangeLong(0, n);
    }

    @Subject(value = "\"rethrows\":true", failing = "error")
    public static Publisher<Long> range(long n) {
        return numbers(n);
    }

    public static Publisher<Long> error() {
        return Flowable.error(new IllegalStateException("as asked for"));
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> flatMap(long n) {
        return numbers(n).flatMap(Flowable::just);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> concatMap(long n) {
        return numbers(n).concatMap(Flowable::just);
    }

    @Subject("\"asynchronous\":true")
    public static Publisher<Long> observeOn(long n) {
        return numbers(n).observeOn(Schedulers.single());
    }

    /** Groups are merged, which keeps the order of each group alone. */
    @Subject("\"rethrows\":true,\"numbering\":\"any\"")
    public static Publisher<Long> groupBy(long n) {
        return numbers(n).groupBy(i -> i % 4).flatMap(group -> group);
    }

    /** The windows are subscribed to as they come. */
    @Subject("\"rethrows\":true")
    public static Publisher<Long> window(long n) {
        return numbers(n).window(3).concatMapEager(part -> part);
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> zip(long n) {
        return Flowable.zip(numbers(n), numbers(n), (a, b) -> a);
    }

    public static Publisher<Long> replay(long n) {
        return numbers(n).replay().autoConnect();
    }

    @Subject("\"rethrows\":true")
    public static Publisher<Long> share(long n) {
        return numbers(n).share();
    }

    @Subject("\"unbounded\":true,\"keeps_upstream\":true,\"rethrows\":true,\"sharing\":\"single\",\"delays_errors\":true")
    public static Processor<Long, Long> unicastProcessor() {
        return UnicastProcessor.create();
    }

    @Subject("\"keeps_upstream\":true,\"rethrows\":true,\"coordinated\":true,\"sharing\":\"multicast\",\"delays_errors\":true")
    public static Processor<Long, Long> multicastProcessor(long buffer) {
        return MulticastProcessor.create((int) buffer);
    }

    @Subject("\"unbounded\":true,\"keeps_upstream\":true,\"rethrows\":true,\"sharing\":\"each\",\"delays_errors\":true")
    public static Processor<Long, Long> replayProcessor() {
        return ReplayProcessor.create();
    }
}
