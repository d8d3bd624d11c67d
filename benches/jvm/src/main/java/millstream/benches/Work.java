package millstream.benches;

/** The work of an item, the same as that of the benchmarks in Rust (<code>benches/src/support.rs</code>). */
final class Work {
    /** How many items each run has, as on the side of Rust. */
    static final int N = 10_000;
    /** How many are grouped, and how many flows there are at the same time. */
    static final int MANY = 100_000;
    /** How many items wait in between at most. */
    static final int CAPACITY = 256;
    /** How many flows are flattened at a time. */
    static final int CONCURRENCY = 256;
    static final int WINDOW = 16;

    private Work() { }

    static long map(long n) {
        return (n * 0x9E3779B97F4A7C15L) >>> 7;
    }

    /** What a worker does for an item: about a quarter of a microsecond. */
    static long work(long n) {
        for (int i = 0; i < 100; i++) {
            n = Long.rotateLeft(n ^ 0xA5A5_5A5AL, 5);
        }
        return n;
    }

    static boolean keep(long n) {
        return (n & 1) == 0;
    }
}
