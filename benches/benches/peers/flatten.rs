//! A million streams of one item, and a thousand of a thousand.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::flatten::{
    by_buffer_unordered_of_tasks, by_concat_map, by_flat_map, by_flat_map_iter,
    by_flat_map_on_pool, by_flat_map_published_on_pool, by_flat_map_sequential,
    by_flatten_unordered, by_flatten_unordered_of_tasks, by_futures_flat_map, by_iterator,
};

use tokio::runtime::Builder;

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
                b.iter(|| run(black_box(n_outer), black_box(n_inner)));
            });
        }
    }
    group.finish();
}

/// The same with streams whose items come from other threads, of which there are two.
pub(crate) fn across_threads(c: &mut Criterion) {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).build() else { return };
    let mut group = c.benchmark_group("flatten_threads");
    group.sample_size(10);
    let shapes = if is_smoke() { [(1_000, 1), (10, 100)] } else { [(100_000, 1), (1_000, 1_000)] };
    for (n_outer, n_inner) in shapes {
        group.throughput(Throughput::Elements(n_outer * n_inner));
        let expected = by_iterator(n_outer, n_inner);
        let mut time = |name: &str, run: &dyn Fn(u64, u64) -> u64| {
            assert_eq!(run(n_outer, n_inner), expected, "{name}");
            group.bench_function(BenchmarkId::new(name, format!("{n_outer}x{n_inner}")), |b| {
                b.iter(|| run(black_box(n_outer), black_box(n_inner)));
            });
        };
        time("tokio_flatten_unordered", &|n, m| by_flatten_unordered_of_tasks(n, m, &runtime));
        time("tokio_buffer_unordered_of_vecs", &|n, m| {
            by_buffer_unordered_of_tasks(n, m, &runtime)
        });
        time("millstream_flat_map", &by_flat_map_on_pool);
        time("millstream_flat_map_publish_on", &by_flat_map_published_on_pool);
    }
    group.finish();
}
