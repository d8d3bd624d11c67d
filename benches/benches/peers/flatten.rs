//! A million streams of one item, and a thousand of a thousand.

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::flatten::{
    by_concat_map, by_flat_map, by_flat_map_iter, by_flat_map_sequential, by_flatten_unordered,
    by_futures_flat_map, by_iterator,
};

use crate::is_smoke;

/// A peer's name, and what flattens so many streams of so many items.
type Peer = (&'static str, fn(u64, u64) -> u64);

const PEERS: [Peer; 7] = [
    ("iterator", by_iterator),
    ("futures_flat_map", by_futures_flat_map),
    ("futures_flatten_unordered", by_flatten_unordered),
    ("millstream_flat_map", by_flat_map),
    ("millstream_flat_map_sequential", by_flat_map_sequential),
    ("millstream_concat_map", by_concat_map),
    ("millstream_flat_map_iter", by_flat_map_iter),
];

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("flatten");
    group.sample_size(10);
    let shapes =
        if is_smoke() { [(1_000, 1), (10, 100)] } else { [(1_000_000, 1), (1_000, 1_000)] };
    for (n_outer, n_inner) in shapes {
        group.throughput(Throughput::Elements(n_outer * n_inner));
        let expected = by_iterator(n_outer, n_inner);
        for (name, run) in PEERS {
            assert_eq!(run(n_outer, n_inner), expected, "{name}");
            let id = BenchmarkId::new(name, format!("{n_outer}x{n_inner}"));
            group.bench_function(id, |b| {
                b.iter(|| run(std::hint::black_box(n_outer), std::hint::black_box(n_inner)));
            });
        }
    }
    group.finish();
}
