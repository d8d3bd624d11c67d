//! Two, four and eight producers to one consumer across threads, with 256 places in between.

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::many_to_one::{
    by_async_channel, by_crossbeam, by_flume, by_kanal, by_merge, by_merge_publish_on,
    by_merge_signal_on, by_merge_tasks, by_tokio, by_tokio_tasks,
};
use tokio::runtime::Builder;

use crate::is_smoke;

pub(crate) fn bench(c: &mut Criterion) {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).build() else { return };
    let n = if is_smoke() { 10_000 } else { 1_000_000 };
    let expected = (0..n).sum::<u64>();
    let mut group = c.benchmark_group("many_to_one");
    group.throughput(Throughput::Elements(n));
    for n_producers in [2, 4, 8] {
        let mut time = |name: &str, run: &dyn Fn(u64, u64) -> u64| {
            assert_eq!(run(n, n_producers), expected, "{name}, {n_producers}");
            group.bench_function(BenchmarkId::new(name, n_producers), |b| {
                b.iter(|| run(n, n_producers));
            });
        };
        time("tokio_mpsc_threads", &by_tokio);
        time("tokio_mpsc_tasks", &|n, n_producers| by_tokio_tasks(n, n_producers, &runtime));
        time("crossbeam_channel", &by_crossbeam);
        time("flume", &by_flume);
        time("async_channel", &by_async_channel);
        time("kanal", &by_kanal);
        time("millstream_merge", &by_merge);
        time("millstream_merge_publish_on", &by_merge_publish_on);
        time("millstream_merge_signal_on", &by_merge_signal_on);
        time("millstream_merge_tasks", &|n, n_producers| by_merge_tasks(n, n_producers, &runtime));
    }
    group.finish();
}
