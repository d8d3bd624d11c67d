//! One producer to four consumers across threads, each of which gets every item, with 256 places for
//! the slowest.

use criterion::{Criterion, Throughput};
use millstream_benches::one_to_many::{
    N_CONSUMERS, by_broadcast, by_broadcast_tasks, by_crossbeam, by_multicast,
    by_multicast_publish_on, by_share, by_share_publish_on,
};
use tokio::runtime::Builder;

use crate::{sizes, time};

pub(crate) fn bench(c: &mut Criterion) {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).build() else { return };
    let mut group = c.benchmark_group("one_to_many");
    for n in sizes(&[10_000, 100_000]) {
        let (n, expected) = (*n, (0..*n).sum::<u64>() * N_CONSUMERS as u64);
        group.throughput(Throughput::Elements(n));
        time(&mut group, "tokio_broadcast_threads", n, expected, by_broadcast);
        time(&mut group, "tokio_broadcast_tasks", n, expected, |n| by_broadcast_tasks(n, &runtime));
        time(&mut group, "crossbeam_channels", n, expected, by_crossbeam);
        time(&mut group, "millstream_multicast", n, expected, by_multicast);
        time(&mut group, "millstream_multicast_publish_on", n, expected, by_multicast_publish_on);
        time(&mut group, "millstream_share", n, expected, by_share);
        time(&mut group, "millstream_share_publish_on", n, expected, by_share_publish_on);
    }
    group.finish();
}
