package millstream.benches;

import static millstream.benches.Work.CAPACITY;
import static millstream.benches.Work.CONCURRENCY;
import static millstream.benches.Work.MANY;
import static millstream.benches.Work.N;

import io.reactivex.rxjava3.core.BackpressureOverflowStrategy;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Scheduler;
import io.reactivex.rxjava3.processors.MulticastProcessor;
import io.reactivex.rxjava3.processors.PublishProcessor;
import io.reactivex.rxjava3.schedulers.Schedulers;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** RxJava 3. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RxJava {
    private final ExecutorService pool = Executors.newFixedThreadPool(2);
    private final Scheduler scheduler = Schedulers.from(pool);

    @TearDown
    public void tearDown() {
        pool.shutdown();
    }

    private static Flowable<Long> numbers(long n) {
        return Flowable.rangeLong(0, n);
    }

    private static long run(Flowable<Long> flow) {
        Sum sum = new Sum();
        flow.subscribe(sum);
        return sum.await();
    }

    @Benchmark
    public long chain() {
        return run(numbers(N).map(Work::map).filter(Work::keep));
    }

    @Benchmark
    public long share(Size.Shared shared) {
        Sum[] sums = Sum.many(shared.size);
        Flowable<Long> flow = numbers(N).publish(CAPACITY).autoConnect(shared.size);
        for (Sum sum : sums) {
            flow.subscribe(sum);
        }
        return Sum.await(sums);
    }

    @Benchmark
    public long hub(Size.Hub hub) {
        Sum[] sums = Sum.many(hub.size);
        MulticastProcessor<Long> processor = MulticastProcessor.create(CAPACITY);
        processor.start();
        for (Sum sum : sums) {
            processor.subscribe(sum);
        }
        for (long i = 0; i < N; i++) {
            if (!processor.offer(i)) {
                throw new IllegalStateException("full");
            }
        }
        processor.onComplete();
        return Sum.await(sums);
    }

    @Benchmark
    public long hubDirect(Size.Hub hub) {
        Sum[] sums = Sum.many(hub.size);
        PublishProcessor<Long> processor = PublishProcessor.create();
        for (Sum sum : sums) {
            processor.subscribe(sum);
        }
        for (long i = 0; i < N; i++) {
            processor.onNext(i);
        }
        processor.onComplete();
        return Sum.await(sums);
    }

    @Benchmark
    public long flatMap() {
        return run(numbers(N).flatMap(Flowable::just, CONCURRENCY));
    }

    @Benchmark
    public long flatMapOfTwo() {
        return run(numbers(N).flatMap(i -> Flowable.rangeLong(i, 2), CONCURRENCY));
    }

    @Benchmark
    public long concatMap() {
        return run(numbers(N).concatMap(Flowable::just));
    }

    @Benchmark
    public long concatMapOfTwo() {
        return run(numbers(N).concatMap(i -> Flowable.rangeLong(i, 2)));
    }

    @Benchmark
    public long flatMapIter() {
        return run(numbers(N).flatMapIterable(List::of));
    }

    @Benchmark
    public long onBackpressureBuffer() {
        return run(numbers(N).onBackpressureBuffer(CAPACITY, () -> { }, BackpressureOverflowStrategy.ERROR));
    }

    @Benchmark
    public long limitRate() {
        return run(numbers(N).rebatchRequests(CAPACITY));
    }

    @Benchmark
    public long window() {
        return run(numbers(N).window(Work.WINDOW).flatMap(part -> part, CONCURRENCY));
    }

    @Benchmark
    public long groupBy(Size.Keys keys) {
        int n = keys.size;
        Flowable<Long> sums = numbers(MANY).groupBy(i -> Work.map(i) % n)
                .flatMap(group -> group.reduce(0L, Long::sum).toFlowable(), false, Integer.MAX_VALUE);
        return run(sums.map(Work::map));
    }

    @Benchmark
    public long zip() {
        return run(Flowable.zip(numbers(N), numbers(N), Long::sum).map(Work::map));
    }

    @Benchmark
    public long merge() {
        Flowable<Long> half = numbers(N / 2);
        return run(Flowable.merge(half, half));
    }

    @Benchmark
    public long combineLatest() {
        Flowable<Long> half = numbers(N / 2);
        return run(Flowable.combineLatest(half, half, Long::sum));
    }

    @Benchmark
    public long publishOn(Size.Hops hops) {
        Flowable<Long> flow = numbers(N).subscribeOn(scheduler);
        for (int i = 0; i < hops.size; i++) {
            flow = flow.observeOn(scheduler, false, CAPACITY);
        }
        return run(flow);
    }

    @Benchmark
    public long parallelMap(Size.Workers workers) {
        return run(numbers(N).concatMapEager(
                i -> Flowable.fromCallable(() -> Work.work(i)).subscribeOn(scheduler), workers.size, 1));
    }

    @Benchmark
    public long flowsOnPool() {
        Sum[] sums = Sum.many(MANY);
        for (int i = 0; i < MANY; i++) {
            Flowable.rangeLong(i, 10).subscribeOn(scheduler).subscribe(sums[i]);
        }
        return Sum.await(sums);
    }
}
