//! One producer to one consumer across threads, with 256 places in between.
//!
//! Producer and consumer are threads that live through the whole run for every peer, except for
//! millstream's source, which runs where it is subscribed to.

use criterion::{Criterion, Throughput};
use millstream_benches::threads::{
    by_async_channel, by_crossbeam, by_flume, by_kanal, by_publish_on, by_rtrb, by_tokio,
    by_tokio_tasks, by_unicast, by_unicast_publish_on, by_unicast_signal_on,
};

use crate::{sizes, time};

pub(crate) fn bench(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let Ok(runtime) = runtime else { return };
    let mut group = c.benchmark_group("one_to_one");
    for n in sizes(&[10_000, 100_000, 1_000_000]) {
        let (n, expected) = (*n, (0..*n).fold(0, u64::wrapping_add));
        group.throughput(Throughput::Elements(n));
        time(&mut group, "tokio_mpsc_threads", n, expected, by_tokio);
        time(&mut group, "tokio_mpsc_tasks", n, expected, |n| by_tokio_tasks(n, &runtime));
        time(&mut group, "crossbeam_channel", n, expected, by_crossbeam);
        time(&mut group, "flume", n, expected, by_flume);
        time(&mut group, "async_channel", n, expected, by_async_channel);
        time(&mut group, "kanal", n, expected, by_kanal);
        time(&mut group, "rtrb", n, expected, by_rtrb);
        time(&mut group, "millstream_publish_on", n, expected, by_publish_on);
        time(&mut group, "millstream_unicast", n, expected, by_unicast);
        time(&mut group, "millstream_unicast_publish_on", n, expected, by_unicast_publish_on);
        time(&mut group, "millstream_unicast_signal_on", n, expected, by_unicast_signal_on);
    }
    group.finish();
}
