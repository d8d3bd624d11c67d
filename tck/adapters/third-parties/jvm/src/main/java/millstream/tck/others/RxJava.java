package millstream.tck.others;

import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.processors.PublishProcessor;
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

    @Subject(failing = "error")
    public static Publisher<Long> range(long n) {
        return numbers(n);
    }

    public static Publisher<Long> error() {
        return Flowable.error(new IllegalStateException("as asked for"));
    }

    public static Publisher<Long> flatMap(long n) {
        return numbers(n).flatMap(Flowable::just);
    }

    public static Publisher<Long> concatMap(long n) {
        return numbers(n).concatMap(Flowable::just);
    }

    @Subject("\"asynchronous\":true")
    public static Publisher<Long> observeOn(long n) {
        return numbers(n).observeOn(Schedulers.single());
    }

    public static Publisher<Long> groupBy(long n) {
        return numbers(n).groupBy(i -> i).flatMap(group -> group);
    }

    public static Publisher<Long> window(long n) {
        return numbers(n).window(3).concatMap(part -> part);
    }

    public static Publisher<Long> zip(long n) {
        return Flowable.zip(numbers(n), numbers(n), (a, b) -> a);
    }

    public static Publisher<Long> replay(long n) {
        return numbers(n).replay().autoConnect();
    }

    public static Publisher<Long> share(long n) {
        return numbers(n).share();
    }

    @Subject("\"unbounded\":true,\"keeps_upstream\":true")
    public static Processor<Long, Long> unicastProcessor() {
        return UnicastProcessor.create();
    }
}
