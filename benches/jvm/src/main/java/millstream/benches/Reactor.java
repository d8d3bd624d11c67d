package millstream.benches;

import static millstream.benches.Work.CAPACITY;
import static millstream.benches.Work.CONCURRENCY;
import static millstream.benches.Work.MANY;
import static millstream.benches.Work.N;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Reactor 3. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Reactor {
    private final Scheduler scheduler = Schedulers.newParallel("benches", 2);

    @TearDown
    public void tearDown() {
        scheduler.dispose();
    }

    private static Flux<Long> numbers(int n) {
        return Flux.range(0, n).map(Integer::longValue);
    }

    private static long run(Flux<Long> flow) {
        Sum sum = new Sum();
        flow.subscribe((reactor.core.CoreSubscriber<Long>) sum);
        return sum.await();
    }

    @Benchmark
    public long chain() {
        return run(Flux.range(0, N).map(i -> Work.map(i)).filter(Work::keep));
    }

    @Benchmark
    public long share(Size.Shared shared) {
        Sum[] sums = Sum.many(shared.size);
        Flux<Long> flow = numbers(N).publish(CAPACITY).autoConnect(shared.size);
        for (Sum sum : sums) {
            flow.subscribe((reactor.core.CoreSubscriber<Long>) sum);
        }
        return Sum.await(sums);
    }

    @Benchmark
    public long hub(Size.Hub hub) {
        return send(Sinks.many().multicast().onBackpressureBuffer(CAPACITY), hub.size);
    }

    @Benchmark
    public long hubDirect(Size.Hub hub) {
        return send(Sinks.many().multicast().directBestEffort(), hub.size);
    }

    private static long send(Sinks.Many<Long> sink, int n) {
        Sum[] sums = Sum.many(n);
        for (Sum sum : sums) {
            sink.asFlux().subscribe((reactor.core.CoreSubscriber<Long>) sum);
        }
        for (long i = 0; i < N; i++) {
            if (sink.tryEmitNext(i).isFailure()) {
                throw new IllegalStateException("full");
            }
        }
        sink.tryEmitComplete();
        return Sum.await(sums);
    }

    @Benchmark
    public long flatMap() {
        return run(numbers(N).flatMap(Flux::just, CONCURRENCY));
    }

    @Benchmark
    public long flatMapOfTwo() {
        return run(numbers(N).flatMap(i -> two(i), CONCURRENCY));
    }

    @Benchmark
    public long concatMap() {
        return run(numbers(N).concatMap(Flux::just));
    }

    @Benchmark
    public long concatMapOfTwo() {
        return run(numbers(N).concatMap(i -> two(i)));
    }

    private static Flux<Long> two(long i) {
        return Flux.just(i, i + 1);
    }

    @Benchmark
    public long flatMapIter() {
        return run(numbers(N).flatMapIterable(List::of));
    }

    @Benchmark
    public long onBackpressureBuffer() {
        return run(numbers(N).onBackpressureBuffer(CAPACITY));
    }

    @Benchmark
    public long limitRate() {
        return run(numbers(N).limitRate(CAPACITY));
    }

    @Benchmark
    public long window() {
        return run(numbers(N).window(Work.WINDOW).flatMap(part -> part, CONCURRENCY));
    }

    @Benchmark
    public long groupBy(Size.Keys keys) {
        int n = keys.size;
        Flux<Long> sums = numbers(MANY).groupBy(i -> Work.map(i) % n)
                .flatMap(group -> group.reduce(0L, Long::sum), Integer.MAX_VALUE);
        return run(sums.map(Work::map));
    }

    @Benchmark
    public long zip() {
        return run(Flux.zip(numbers(N), numbers(N), Long::sum).map(Work::map));
    }

    @Benchmark
    public long merge() {
        return run(Flux.merge(numbers(N / 2), numbers(N / 2)));
    }

    @Benchmark
    public long combineLatest() {
        return run(Flux.combineLatest(numbers(N / 2), numbers(N / 2), Long::sum));
    }

    @Benchmark
    public long publishOn(Size.Hops hops) {
        Flux<Long> flow = numbers(N).subscribeOn(scheduler);
        for (int i = 0; i < hops.size; i++) {
            flow = flow.publishOn(scheduler, CAPACITY);
        }
        return run(flow);
    }

    @Benchmark
    public long parallelMap(Size.Workers workers) {
        return run(numbers(N).flatMapSequential(
                i -> Mono.fromCallable(() -> Work.work(i)).subscribeOn(scheduler), workers.size, 1));
    }

    @Benchmark
    public long flowsOnPool() {
        Sum[] sums = Sum.many(MANY);
        for (int i = 0; i < MANY; i++) {
            Flux.range(i, 10).map(Integer::longValue).subscribeOn(scheduler)
                    .subscribe((reactor.core.CoreSubscriber<Long>) sums[i]);
        }
        return Sum.await(sums);
    }
}
