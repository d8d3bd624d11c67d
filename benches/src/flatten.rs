//! Many flows into one, beside `futures`.

use futures::{StreamExt, executor::block_on, stream};
use millstream::{Error, Flow, Publisher, range};

use crate::support::map;

/// How many flows run at a time.
const CONCURRENCY: usize = 256;

fn sum(flow: Flow<impl Publisher<Item = u64>>) -> u64 {
    let sum: Result<u64, Error> = flow.fold(0, u64::wrapping_add).wait();
    sum.unwrap_or_default()
}

/// `n` items, as `n / len` flows of `len` items each.
#[must_use]
pub fn by_flat_map(n: u64, len: u64) -> u64 {
    sum(range(0..n / len).flat_map(CONCURRENCY, 32, move |i| range(i..i + len).map(map)))
}

/// The same, one flow after another.
#[must_use]
pub fn by_concat_map(n: u64, len: u64) -> u64 {
    sum(range(0..n / len).concat_map(move |i| range(i..i + len).map(map)))
}

/// The same, in the order of the source.
#[must_use]
pub fn by_flat_map_sequential(n: u64, len: u64) -> u64 {
    let flows = range(0..n / len);
    sum(flows.flat_map_sequential(CONCURRENCY, 32, move |i| range(i..i + len).map(map)))
}

/// The same, with `flatten_unordered`.
#[must_use]
pub fn by_flatten_unordered(n: u64, len: u64) -> u64 {
    let streams = stream::iter(0..n / len).map(move |i| stream::iter(i..i + len).map(map));
    block_on(
        streams
            .flatten_unordered(CONCURRENCY)
            .fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))),
    )
}

/// Pairs of `n` items of each of two flows.
#[must_use]
pub fn by_zip(n: u64) -> u64 {
    sum(range(0..n).zip(range(0..n).map(map)).map(|(a, b)| a.wrapping_add(b)))
}

/// The same, with streams.
#[must_use]
pub fn by_zip_of_streams(n: u64) -> u64 {
    block_on(
        stream::iter(0..n)
            .zip(stream::iter(0..n).map(map))
            .fold(0, |sum, (a, b)| std::future::ready(u64::wrapping_add(sum, a.wrapping_add(b)))),
    )
}
