package millstream.benches;

import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The sizes of subjects that have more than one; the report takes the parameter's value as the column's name. */
public final class Size {
    private Size() { }

    /** Subscribers of a shared source. */
    @State(Scope.Benchmark)
    public static class Shared {
        @Param({"1", "2", "4", "16"})
        public int size;
    }

    /** Subscribers of a hub. */
    @State(Scope.Benchmark)
    public static class Hub {
        @Param({"1", "4"})
        public int size;
    }

    /** Keys of the groups. */
    @State(Scope.Benchmark)
    public static class Keys {
        @Param({"1000", "10000"})
        public int size;
    }

    /** Passes from one thread to another. */
    @State(Scope.Benchmark)
    public static class Hops {
        @Param({"1", "4", "16"})
        public int size;
    }

    /** Workers beside each other. */
    @State(Scope.Benchmark)
    public static class Workers {
        @Param({"8"})
        public int size;
    }
}
