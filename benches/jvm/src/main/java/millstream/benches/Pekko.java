package millstream.benches;

import static millstream.benches.Work.CAPACITY;
import static millstream.benches.Work.CONCURRENCY;
import static millstream.benches.Work.MANY;
import static millstream.benches.Work.N;

import com.typesafe.config.ConfigFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.BroadcastHub;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Source;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Pekko Streams, whose flows run on the dispatcher of their actors. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Pekko {
    private final ActorSystem system = ActorSystem.create("benches", ConfigFactory.parseString(
            "pekko.loglevel = OFF, pekko.stdout-loglevel = OFF").withFallback(ConfigFactory.load()));

    @TearDown
    public void tearDown() {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }

    private static Source<Long, NotUsed> numbers(int n) {
        return Source.range(0, n - 1).map(Integer::longValue);
    }

    private CompletionStage<Long> start(Source<Long, NotUsed> flow) {
        return flow.runFold(0L, Long::sum, system);
    }

    private long run(Source<Long, NotUsed> flow) {
        return start(flow).toCompletableFuture().join();
    }

    @Benchmark
    public long chain() {
        return run(Source.range(0, N - 1).map(i -> Work.map(i)).filter(Work::keep));
    }

    @Benchmark
    public long share(Size.Shared shared) {
        Source<Long, NotUsed> flow = numbers(N)
                .toMat(BroadcastHub.of(Long.class, shared.size, CAPACITY), Keep.right()).run(system);
        List<CompletionStage<Long>> sums = new ArrayList<>();
        for (int i = 0; i < shared.size; i++) {
            sums.add(start(flow));
        }
        return sums.stream().mapToLong(sum -> sum.toCompletableFuture().join()).sum();
    }

    @Benchmark
    public long flatMap() {
        return run(numbers(N).flatMapMerge(CONCURRENCY, Source::single));
    }

    @Benchmark
    public long flatMapOfTwo() {
        return run(numbers(N).flatMapMerge(CONCURRENCY, Pekko::two));
    }

    @Benchmark
    public long concatMap() {
        return run(numbers(N).flatMapConcat(Source::single));
    }

    @Benchmark
    public long concatMapOfTwo() {
        return run(numbers(N).flatMapConcat(Pekko::two));
    }

    private static Source<Long, NotUsed> two(long i) {
        return Source.from(List.of(i, i + 1));
    }

    @Benchmark
    public long flatMapIter() {
        return run(numbers(N).mapConcat(List::of));
    }

    @Benchmark
    public long onBackpressureBuffer() {
        return run(numbers(N).buffer(CAPACITY, OverflowStrategy.backpressure()));
    }

    @Benchmark
    public long groupBy(Size.Keys keys) {
        int n = keys.size;
        return run(numbers(MANY).groupBy(n, i -> Work.map(i) % n).fold(0L, Long::sum).mergeSubstreams().map(Work::map));
    }

    @Benchmark
    public long zip() {
        return run(numbers(N).zipWith(numbers(N), Long::sum).map(Work::map));
    }

    @Benchmark
    public long merge() {
        return run(numbers(N / 2).merge(numbers(N / 2)));
    }

    @Benchmark
    public long combineLatest() {
        return run(numbers(N / 2).zipLatestWith(numbers(N / 2), Long::sum));
    }

    @Benchmark
    public long publishOn(Size.Hops hops) {
        Source<Long, NotUsed> flow = numbers(N);
        for (int i = 0; i < hops.size; i++) {
            flow = flow.async().map(n -> n).addAttributes(Attributes.inputBuffer(CAPACITY, CAPACITY));
        }
        return run(flow);
    }

    @Benchmark
    public long parallelMap(Size.Workers workers) {
        return run(numbers(N).mapAsync(
                workers.size, i -> CompletableFuture.supplyAsync(() -> Work.work(i), system.dispatcher())));
    }

    @Benchmark
    public long flowsOnPool() {
        List<CompletionStage<Long>> sums = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            sums.add(start(Source.range(i, i + 9).map(Integer::longValue)));
        }
        return sums.stream().mapToLong(sum -> sum.toCompletableFuture().join()).sum();
    }
}
