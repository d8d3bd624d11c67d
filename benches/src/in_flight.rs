//! A future for each item, many of them in flight.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    StreamExt,
    executor::block_on,
    stream::{self, FuturesUnordered},
};
use millstream::{Order, range};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::threads::POOL;

/// A future that gives its item after it was pending this often, and woke itself.
#[derive(Debug)]
pub struct Yielding {
    item: u64,
    n_left: u32,
}

impl Yielding {
    /// Pending `n_yields` times.
    #[must_use]
    pub fn new(item: u64, n_yields: u32) -> Self {
        Self { item, n_left: n_yields }
    }
}

impl Future for Yielding {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if self.n_left == 0 {
            return Poll::Ready(self.item);
        }
        self.n_left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// By a flow, in the order in which they are done or in that of the items.
#[must_use]
pub fn by_map_async(n: u64, n_yields: u32, concurrency: usize, order: Order) -> u64 {
    let work = move |i| Yielding::new(i, n_yields);
    let flow = range(0..n).map_async_on(&*POOL, concurrency, order, work);
    flow.fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// By a stream, in the order in which they are done.
#[must_use]
pub fn by_buffer_unordered(n: u64, n_yields: u32, concurrency: usize) -> u64 {
    let items = stream::iter(0..n).map(|i| Yielding::new(i, n_yields));
    sum(items.buffer_unordered(concurrency))
}

/// By a stream, in the order of the items.
#[must_use]
pub fn by_buffered(n: u64, n_yields: u32, concurrency: usize) -> u64 {
    sum(stream::iter(0..n).map(|i| Yielding::new(i, n_yields)).buffered(concurrency))
}

fn sum(items: impl stream::Stream<Item = u64>) -> u64 {
    block_on(items.fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}

/// By hand, over a set of futures.
#[must_use]
pub fn by_futures_unordered(n: u64, n_yields: u32, concurrency: usize) -> u64 {
    block_on(async {
        let mut sum = 0_u64;
        let mut in_flight = FuturesUnordered::new();
        for i in 0..n {
            if in_flight.len() == concurrency
                && let Some(item) = in_flight.next().await
            {
                sum = sum.wrapping_add(item);
            }
            in_flight.push(Yielding::new(i, n_yields));
        }
        while let Some(item) = in_flight.next().await {
            sum = sum.wrapping_add(item);
        }
        sum
    })
}

/// By tasks of a runtime.
#[must_use]
pub fn by_join_set(n: u64, n_yields: u32, concurrency: usize, runtime: &Runtime) -> u64 {
    runtime.block_on(async {
        let mut sum = 0_u64;
        let mut in_flight = JoinSet::new();
        for i in 0..n {
            if in_flight.len() == concurrency
                && let Some(Ok(item)) = in_flight.join_next().await
            {
                sum = sum.wrapping_add(item);
            }
            let _task = in_flight.spawn(Yielding::new(i, n_yields));
        }
        while let Some(Ok(item)) = in_flight.join_next().await {
            sum = sum.wrapping_add(item);
        }
        sum
    })
}
