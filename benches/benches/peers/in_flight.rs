//! A future for each item: done at once, or pending once before, and several numbers of them at a
//! time.

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use millstream::Order;
use millstream_benches::in_flight::{
    by_buffer_unordered, by_buffered, by_futures_unordered, by_join_set, by_map_async,
};
use tokio::runtime::{Builder, Runtime};

use crate::is_smoke;

/// What all peers do.
#[derive(Clone, Copy)]
struct Work {
    /// How many futures.
    n: u64,
    /// How often each is pending.
    n_yields: u32,
    /// How many at a time.
    concurrency: usize,
}

pub(crate) fn bench(c: &mut Criterion) {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).build() else { return };
    let mut group = c.benchmark_group("map_async");
    let scale = if is_smoke() { 100 } else { 1 };
    for (name, n, n_yields) in [("immediate", 100_000, 0), ("yielding", 10_000, 1)] {
        let work = Work { n: n / scale, n_yields, concurrency: 64 };
        all(&mut group, &runtime, work, name);
    }
    group.finish();
}

/// The time of a future must not grow with the number of the others.
pub(crate) fn concurrency(c: &mut Criterion) {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).build() else { return };
    let mut group = c.benchmark_group("map_async_by_concurrency");
    group.sample_size(10);
    let n = if is_smoke() { 100 } else { 10_000 };
    for concurrency in [1, 16, 256, 4_096] {
        let work = Work { n, n_yields: 1, concurrency };
        all(&mut group, &runtime, work, &concurrency.to_string());
    }
    group.finish();
}

fn all(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, work: Work, value: &str) {
    let Work { n, n_yields, concurrency } = work;
    group.throughput(Throughput::Elements(n));
    let expected = (0..n).sum::<u64>();
    let mut time = |name: &str, run: &dyn Fn() -> u64| {
        assert_eq!(run(), expected, "{name}");
        group.bench_function(BenchmarkId::new(name, value), |b| b.iter(run));
    };
    time("buffer_unordered", &|| by_buffer_unordered(n, n_yields, concurrency));
    time("buffered", &|| by_buffered(n, n_yields, concurrency));
    time("futures_unordered", &|| by_futures_unordered(n, n_yields, concurrency));
    time("join_set", &|| by_join_set(n, n_yields, concurrency, runtime));
    time("millstream_unordered", &|| by_map_async(n, n_yields, concurrency, Order::Completion));
    time("millstream", &|| by_map_async(n, n_yields, concurrency, Order::Source));
}
