//! By streams of `futures`, and by `futures-concurrency` where it joins several.

use futures::{StreamExt, executor::block_on, stream};
use futures_concurrency::stream::{Merge, Zip};

use crate::{chain::by_futures, flatten, map};

pub(super) fn chain(n: u64, _: u64) -> u64 {
    by_futures(n)
}

pub(super) fn flat_map(n: u64, _: u64) -> u64 {
    let items = stream::iter(0..n).map(|i| stream::once(std::future::ready(i)));
    total(items.flatten_unordered(256))
}

pub(super) fn flat_map_of_two(n: u64, _: u64) -> u64 {
    total(stream::iter(0..n).map(|i| stream::iter(i..i + 2)).flatten_unordered(256))
}

pub(super) fn concat_map(n: u64, _: u64) -> u64 {
    total(stream::iter(0..n).flat_map(|i| stream::once(std::future::ready(i))))
}

pub(super) fn concat_map_of_two(n: u64, _: u64) -> u64 {
    total(stream::iter(0..n).flat_map(|i| stream::iter(i..i + 2)))
}

pub(super) fn zip(n: u64, _: u64) -> u64 {
    flatten::by_zip_of_streams(n)
}

pub(super) fn zip_concurrent(n: u64, _: u64) -> u64 {
    let pairs = (stream::iter(0..n), stream::iter(0..n)).zip();
    total(pairs.map(|(a, b)| map(a.wrapping_add(b))))
}

pub(super) fn merge(n: u64, _: u64) -> u64 {
    total(stream::select(stream::iter(0..n / 2), stream::iter(0..n / 2)))
}

pub(super) fn merge_concurrent(n: u64, _: u64) -> u64 {
    total((stream::iter(0..n / 2), stream::iter(0..n / 2)).merge())
}

fn total(items: impl stream::Stream<Item = u64>) -> u64 {
    block_on(items.fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}
