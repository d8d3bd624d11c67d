package millstream.benches;

import static millstream.benches.Work.MANY;
import static millstream.benches.Work.N;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Kotlin's Flow: the benchmarks of <code>Flows.kt</code>, since JMH generates its code from Java. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Kotlin {
    @Benchmark
    public long chain() {
        return Flows.INSTANCE.chain(N);
    }

    @Benchmark
    public long hub(Size.Hub hub) {
        return Flows.INSTANCE.hub(N, hub.size);
    }

    @Benchmark
    public long flatMap() {
        return Flows.INSTANCE.flatMap(N);
    }

    @Benchmark
    public long concatMap() {
        return Flows.INSTANCE.concatMap(N);
    }

    @Benchmark
    public long concatMapOfTwo() {
        return Flows.INSTANCE.concatMapOfTwo(N);
    }

    @Benchmark
    public long flatMapIter() {
        return Flows.INSTANCE.flatMapIter(N);
    }

    @Benchmark
    public long onBackpressureBuffer() {
        return Flows.INSTANCE.buffer(N);
    }

    @Benchmark
    public long zip() {
        return Flows.INSTANCE.zip(N);
    }

    @Benchmark
    public long merge() {
        return Flows.INSTANCE.merge(N);
    }

    @Benchmark
    public long combineLatest() {
        return Flows.INSTANCE.combineLatest(N);
    }

    @Benchmark
    public long publishOn(Size.Hops hops) {
        return Flows.INSTANCE.publishOn(N, hops.size);
    }

    @Benchmark
    public long parallelMap(Size.Workers workers) {
        return Flows.INSTANCE.parallelMap(N, workers.size);
    }

    @Benchmark
    public long flowsOnPool() {
        return Flows.INSTANCE.flowsOnPool(MANY);
    }
}
