//! By tasks of tokio, with a bounded channel from each to the next.

use std::sync::LazyLock;

use futures::{StreamExt, stream};
use tokio::{runtime::Runtime, sync::mpsc};

use super::{runtime, work};
use crate::threads::CAPACITY;

static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(runtime);

/// From task to task, so many times.
pub(super) fn hops(n: u64, n_hops: u64) -> u64 {
    let Some(runtime) = &*RUNTIME else { return 0 };
    let (sender, mut receiver) = mpsc::channel(CAPACITY);
    let _producer = runtime.spawn(async move {
        for i in 0..n {
            if sender.send(i).await.is_err() {
                return;
            }
        }
    });
    for _ in 1..n_hops {
        let (sender, next) = mpsc::channel(CAPACITY);
        let mut previous = std::mem::replace(&mut receiver, next);
        let _hop = runtime.spawn(async move {
            while let Some(item) = previous.recv().await {
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
    }
    let consumer = runtime.spawn(async move {
        let mut sum = 0_u64;
        while let Some(item) = receiver.recv().await {
            sum = sum.wrapping_add(item);
        }
        sum
    });
    runtime.block_on(consumer).unwrap_or(0)
}

/// A heavier function in a task for each item, so many at a time, whose results come in order.
pub(super) fn buffered(n: u64, n_workers: u64) -> u64 {
    let Some(runtime) = &*RUNTIME else { return 0 };
    let tasks = stream::iter(0..n).map(|i| runtime.spawn(async move { work(i) }));
    let results = tasks.buffered(n_workers as usize);
    runtime.block_on(
        results
            .fold(0, |sum, result| std::future::ready(u64::wrapping_add(sum, result.unwrap_or(0)))),
    )
}

/// `n` tasks that add up ten items each.
pub(super) fn many(n: u64, _: u64) -> u64 {
    let Some(runtime) = &*RUNTIME else { return 0 };
    let sum_of = |i: u64| async move { (i..i + 10).fold(0, u64::wrapping_add) };
    let tasks: Vec<_> = (0..n).map(|i| runtime.spawn(sum_of(i))).collect();
    runtime.block_on(async {
        let mut sum = 0_u64;
        for task in tasks {
            sum = sum.wrapping_add(task.await.unwrap_or(0));
        }
        sum
    })
}
