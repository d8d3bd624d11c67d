//! From subscribing to the first item, and the end of the subscription.

use std::hint::black_box;

use criterion::Criterion;
use futures::{StreamExt, executor::block_on, stream};
use millstream::range;
use millstream_benches::{keep, map, sum};

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("first_item");
    group.bench_function("futures", |b| {
        b.iter(|| {
            let mut items =
                stream::iter(0..black_box(9)).map(map).filter(|n| std::future::ready(keep(*n)));
            block_on(items.next())
        });
    });
    group.bench_function("millstream_first", |b| {
        b.iter(|| range(0..black_box(9)).map(map).filter(|n| keep(*n)).first().wait());
    });
    group.bench_function("millstream_take_1", |b| {
        b.iter(|| sum(range(0..black_box(9)).map(map).filter(|n| keep(*n)).take(1), 0));
    });
    group.finish();
}
