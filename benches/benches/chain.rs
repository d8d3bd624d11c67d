//! Range, map, filter, sum: what an item costs in a synchronous chain, beside its peers.
//!
//! Run with `cargo bench -p millstream-benches --bench chain`. All peers do the same work in one run;
//! compare them with each other, not with numbers from elsewhere.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream_benches::chain::{by_fold, by_futures, by_iterator, by_loop, by_millstream};

fn chain(c: &mut Criterion) {
    let mut group = c.benchmark_group("range_map_filter_sum");
    for n in [1_000_u64, 100_000, 1_000_000] {
        let expected = by_loop(n);
        group.throughput(Throughput::Elements(n));
        let mut bench = |name: &str, run: &dyn Fn(u64) -> u64| {
            assert_eq!(run(n), expected, "{name}");
            group.bench_with_input(BenchmarkId::new(name, n), &n, |b, n| {
                b.iter(|| run(black_box(*n)));
            });
        };
        bench("loop", &by_loop);
        bench("iterator", &by_iterator);
        bench("futures", &by_futures);
        bench("millstream", &|n| by_millstream(n, 0));
        bench("millstream_fold", &by_fold);
        bench("millstream_request_1", &|n| by_millstream(n, 1));
        bench("millstream_request_16", &|n| by_millstream(n, 16));
        bench("millstream_request_256", &|n| by_millstream(n, 256));
    }
    group.finish();
}

criterion_group!(benches, chain);
criterion_main!(benches);
