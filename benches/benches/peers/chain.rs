//! Range, map, filter, sum: what an item costs in a synchronous chain, and in deeper ones.

use criterion::{BenchmarkId, Criterion, Throughput};
use millstream_benches::{
    chain::{by_fold, by_futures, by_iterator, by_loop, by_millstream, by_rxrust, by_tokio_stream},
    depth::{DEPTHS, PEERS},
};

use crate::{is_smoke, sizes, time};

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("range_map_filter_sum");
    for n in sizes(&[1_000, 100_000, 1_000_000]) {
        let (n, expected) = (*n, by_loop(*n));
        group.throughput(Throughput::Elements(n));
        time(&mut group, "loop", n, expected, by_loop);
        time(&mut group, "iterator", n, expected, by_iterator);
        time(&mut group, "futures", n, expected, by_futures);
        time(&mut group, "tokio_stream", n, expected, by_tokio_stream);
        time(&mut group, "rxrust", n, expected, by_rxrust);
        time(&mut group, "millstream", n, expected, |n| by_millstream(n, 0));
        time(&mut group, "millstream_fold", n, expected, by_fold);
    }
    group.finish();
}

/// 1, 5 and 20 operators between the source and the sum.
pub(crate) fn depth(c: &mut Criterion) {
    let n = if is_smoke() { 1_000 } else { 100_000 };
    let mut group = c.benchmark_group("depth");
    group.throughput(Throughput::Elements(n));
    for (index, depth) in DEPTHS.into_iter().enumerate() {
        let expected = (PEERS[0].run[index])(n);
        for peer in PEERS {
            let Some(run) = peer.run.get(index) else { continue };
            assert_eq!(run(n), expected, "{}, {depth}", peer.name);
            group.bench_with_input(BenchmarkId::new(peer.name, depth), &n, |b, n| {
                b.iter(|| run(std::hint::black_box(*n)));
            });
        }
    }
    group.finish();
}
