//! Many small streams, or a few large ones, made into one. Each item is worked on, so that no
//! compiler finds a formula for the sum.

use futures::{StreamExt, executor::block_on, stream};
use millstream::range;
use tokio::{runtime::Runtime, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::{map, threads::POOL};

/// One after another, by flows.
#[must_use]
pub fn by_concat_map(n_outer: u64, n_inner: u64) -> u64 {
    let flow = range(0..n_outer).concat_map(move |i| range(i..i + n_inner));
    flow.map(map).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// One after another, by iterators inside of a flow.
#[must_use]
pub fn by_flat_map_iter(n_outer: u64, n_inner: u64) -> u64 {
    let flow = range(0..n_outer).flat_map_iter(move |i| i..i + n_inner);
    flow.map(map).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// By `std`.
#[must_use]
pub fn by_iterator(n_outer: u64, n_inner: u64) -> u64 {
    (0..n_outer).flat_map(|i| i..i + n_inner).map(map).fold(0, u64::wrapping_add)
}

/// As they come, by flows, 256 at a time.
#[must_use]
pub fn by_flat_map(n_outer: u64, n_inner: u64) -> u64 {
    let flow =
        range(0..n_outer).flat_map(move |i| range(i..i + n_inner)).concurrency(256).prefetch(32);
    flow.map(map).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// At the same time and in order, by flows, 256 at a time.
#[must_use]
pub fn by_flat_map_sequential(n_outer: u64, n_inner: u64) -> u64 {
    let flow = range(0..n_outer)
        .flat_map_sequential(move |i| range(i..i + n_inner))
        .concurrency(256)
        .prefetch(32);
    flow.map(map).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// Pairs of `n` items of each of two flows.
#[must_use]
pub fn by_zip(n: u64) -> u64 {
    let rows = range(0..n).zip(range(0..n)).map(|(a, b)| a.wrapping_add(b));
    rows.map(map).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// Pairs of `n` items of each of two streams.
#[must_use]
pub fn by_zip_of_streams(n: u64) -> u64 {
    sum(stream::iter(0..n).zip(stream::iter(0..n)).map(|(a, b): (u64, u64)| a.wrapping_add(b)))
}

/// One after another, by streams.
#[must_use]
pub fn by_futures_flat_map(n_outer: u64, n_inner: u64) -> u64 {
    sum(stream::iter(0..n_outer).flat_map(|i| stream::iter(i..i + n_inner)))
}

/// As they come, by streams, 256 at a time.
#[must_use]
pub fn by_flatten_unordered(n_outer: u64, n_inner: u64) -> u64 {
    sum(stream::iter(0..n_outer).map(|i| stream::iter(i..i + n_inner)).flatten_unordered(256))
}

fn sum(items: impl stream::Stream<Item = u64>) -> u64 {
    block_on(items.map(map).fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}

/// Inner flows that run on the threads of a pool, as they come, 256 at a time.
#[must_use]
pub fn by_flat_map_on_pool(n_outer: u64, n_inner: u64) -> u64 {
    let flow = range(0..n_outer)
        .flat_map(move |i| range(i..i + n_inner).map(map).subscribe_on(&*POOL))
        .concurrency(256)
        .prefetch(32);
    flow.fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// Inner flows whose items pass to a thread of a pool, as they come, 256 at a time.
#[must_use]
pub fn by_flat_map_published_on_pool(n_outer: u64, n_inner: u64) -> u64 {
    let flow = range(0..n_outer)
        .flat_map(move |i| range(i..i + n_inner).map(map).publish_on(&*POOL).capacity(32))
        .concurrency(256)
        .prefetch(32);
    flow.fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// Streams that are filled by tasks through channels of 32 places, as they come, 256 at a time.
#[must_use]
pub fn by_flatten_unordered_of_tasks(n_outer: u64, n_inner: u64, runtime: &Runtime) -> u64 {
    let _inside = runtime.enter();
    let streams = stream::iter(0..n_outer).map(|i| {
        let (sender, receiver) = mpsc::channel(32);
        let _task = tokio::spawn(async move {
            for item in (i..i + n_inner).map(map) {
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        ReceiverStream::new(receiver)
    });
    let items = streams.flatten_unordered(256);
    block_on(items.fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}

/// Tasks that give all of their items at once, in a vector, as they come, 256 at a time.
#[must_use]
pub fn by_buffer_unordered_of_tasks(n_outer: u64, n_inner: u64, runtime: &Runtime) -> u64 {
    let _inside = runtime.enter();
    let tasks = stream::iter(0..n_outer)
        .map(|i| tokio::spawn(async move { (i..i + n_inner).map(map).collect::<Vec<_>>() }));
    let items =
        tasks.buffer_unordered(256).flat_map(|items| stream::iter(items.into_iter().flatten()));
    block_on(items.fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}
