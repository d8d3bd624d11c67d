//! A million items by a thousand keys, and by a hundred thousand.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::group_by::{by_group_by, by_group_map, by_hash_map};

use crate::is_smoke;

/// A peer's name, and what sums so many items by so many keys.
type Peer = (&'static str, fn(u64, u64) -> u64);

const PEERS: [Peer; 3] = [
    ("hash_map", by_hash_map),
    ("millstream_group_by", by_group_by),
    ("millstream_group_map", by_group_map),
];

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("group_by");
    group.sample_size(10);
    let n = if is_smoke() { 1_000 } else { 1_000_000 };
    group.throughput(Throughput::Elements(n));
    for n_keys in if is_smoke() { [10, 100] } else { [1_000, 100_000] } {
        let expected = by_hash_map(n, n_keys);
        for (name, run) in PEERS {
            assert_eq!(run(n, n_keys), expected, "{name}");
            group.bench_function(BenchmarkId::new(name, format!("{n}x{n_keys}")), |b| {
                b.iter(|| run(black_box(n), black_box(n_keys)));
            });
        }
    }
    group.finish();
}
