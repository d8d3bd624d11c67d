//! One producer to one consumer across threads, with 256 places in between, beside its peers.
//!
//! Run with `cargo bench -p millstream-benches --bench threads`. Producer and consumer are threads
//! that live through the whole run for every peer, except for millstream's source, which runs where
//! it is subscribed to.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream_benches::threads::{by_crossbeam, by_publish_on, by_tokio, by_tokio_tasks};

fn threads(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let Ok(runtime) = runtime else { return };
    let mut group = c.benchmark_group("one_to_one");
    for n in [100_000_u64, 1_000_000] {
        let expected = (0..n).fold(0, u64::wrapping_add);
        group.throughput(Throughput::Elements(n));
        let mut bench = |name: &str, run: &dyn Fn(u64) -> u64| {
            assert_eq!(run(n), expected, "{name}");
            group.bench_with_input(BenchmarkId::new(name, n), &n, |b, n| {
                b.iter(|| run(black_box(*n)));
            });
        };
        bench("crossbeam_channel", &by_crossbeam);
        bench("tokio_mpsc_threads", &by_tokio);
        bench("tokio_mpsc_tasks", &|n| by_tokio_tasks(n, &runtime));
        bench("millstream_publish_on", &by_publish_on);
    }
    group.finish();
}

criterion_group!(benches, threads);
criterion_main!(benches);
