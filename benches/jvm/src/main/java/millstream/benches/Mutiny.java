package millstream.benches;

import static millstream.benches.Work.CAPACITY;
import static millstream.benches.Work.CONCURRENCY;
import static millstream.benches.Work.MANY;
import static millstream.benches.Work.N;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.operators.multi.processors.BroadcastProcessor;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** SmallRye Mutiny. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Mutiny {
    private final ExecutorService pool = Executors.newFixedThreadPool(2);

    @TearDown
    public void tearDown() {
        pool.shutdown();
    }

    private static Multi<Long> numbers(int n) {
        return Multi.createFrom().range(0, n).map(Integer::longValue);
    }

    private static long run(Multi<Long> flow) {
        Sum sum = new Sum();
        flow.subscribe().withSubscriber((Flow.Subscriber<Long>) sum);
        return sum.await();
    }

    @Benchmark
    public long chain() {
        return run(Multi.createFrom().range(0, N).map(i -> Work.map(i)).filter(Work::keep));
    }

    @Benchmark
    public long share(Size.Shared shared) {
        Sum[] sums = Sum.many(shared.size);
        Multi<Long> flow = numbers(N).broadcast().toAtLeast(shared.size);
        for (Sum sum : sums) {
            flow.subscribe().withSubscriber((Flow.Subscriber<Long>) sum);
        }
        return Sum.await(sums);
    }

    @Benchmark
    public long hubDirect(Size.Hub hub) {
        Sum[] sums = Sum.many(hub.size);
        BroadcastProcessor<Long> processor = BroadcastProcessor.create();
        for (Sum sum : sums) {
            processor.subscribe().withSubscriber((Flow.Subscriber<Long>) sum);
        }
        for (long i = 0; i < N; i++) {
            processor.onNext(i);
        }
        processor.onComplete();
        return Sum.await(sums);
    }

    @Benchmark
    public long flatMap() {
        return run(numbers(N).onItem().transformToMulti(i -> Multi.createFrom().item(i)).merge(CONCURRENCY));
    }

    @Benchmark
    public long flatMapOfTwo() {
        return run(numbers(N).onItem().transformToMulti(Mutiny::two).merge(CONCURRENCY));
    }

    @Benchmark
    public long concatMap() {
        return run(numbers(N).onItem().transformToMultiAndConcatenate(i -> Multi.createFrom().item(i)));
    }

    @Benchmark
    public long concatMapOfTwo() {
        return run(numbers(N).onItem().transformToMultiAndConcatenate(Mutiny::two));
    }

    private static Multi<Long> two(long i) {
        return Multi.createFrom().items(i, i + 1);
    }

    @Benchmark
    public long flatMapIter() {
        return run(numbers(N).onItem().transformToIterable(List::of));
    }

    @Benchmark
    public long onBackpressureBuffer() {
        return run(numbers(N).onOverflow().buffer(CAPACITY));
    }

    @Benchmark
    public long window() {
        return run(numbers(N).group().intoMultis().of(Work.WINDOW)
                .onItem().transformToMulti(part -> part).merge(CONCURRENCY));
    }

    @Benchmark
    public long groupBy(Size.Keys keys) {
        int n = keys.size;
        Multi<Long> sums = numbers(MANY).group().by(i -> Work.map(i) % n)
                .onItem().transformToMulti(group -> group.collect().in(() -> new long[1], (sum, i) -> sum[0] += i)
                        .map(sum -> sum[0]).toMulti())
                .merge(Integer.MAX_VALUE);
        return run(sums.map(Work::map));
    }

    @Benchmark
    public long zip() {
        return run(Multi.createBy().combining().streams(numbers(N), numbers(N)).using(Long::sum).map(Work::map));
    }

    @Benchmark
    public long merge() {
        return run(Multi.createBy().merging().streams(numbers(N / 2), numbers(N / 2)));
    }

    @Benchmark
    public long combineLatest() {
        return run(Multi.createBy().combining().streams(numbers(N / 2), numbers(N / 2)).latestItems()
                .using(Long::sum));
    }

    @Benchmark
    public long publishOn(Size.Hops hops) {
        Multi<Long> flow = numbers(N).runSubscriptionOn(pool);
        for (int i = 0; i < hops.size; i++) {
            flow = flow.emitOn(pool, CAPACITY);
        }
        return run(flow);
    }

    @Benchmark
    public long flowsOnPool() {
        Sum[] sums = Sum.many(MANY);
        for (int i = 0; i < MANY; i++) {
            Multi.createFrom().range(i, i + 10).map(Integer::longValue).runSubscriptionOn(pool)
                    .subscribe().withSubscriber((Flow.Subscriber<Long>) sums[i]);
        }
        return Sum.await(sums);
    }
}
