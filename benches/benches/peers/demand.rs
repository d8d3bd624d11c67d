//! What it costs to ask for a few items at a time, from inside `on_next`.

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::chain::{by_loop, by_millstream};

use crate::sizes;

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("demand");
    for n in sizes(&[1_000, 100_000]) {
        group.throughput(Throughput::Elements(*n));
        let expected = by_loop(*n);
        for (name, batch) in [("unbounded", 0), ("by_1", 1), ("by_16", 16), ("by_256", 256)] {
            assert_eq!(by_millstream(*n, batch), expected, "{name}");
            group.bench_with_input(BenchmarkId::new(name, n), n, |b, n| {
                b.iter(|| by_millstream(std::hint::black_box(*n), batch));
            });
        }
    }
    group.finish();
}
