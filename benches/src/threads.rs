//! One producer to one consumer across threads, by millstream and its peers.

#![expect(clippy::disallowed_methods, reason = "the peers need a thread to send from")]

use std::{sync::LazyLock, thread};

use millstream::{range, scheduler::Pool};

use crate::sum;

const CAPACITY: usize = 256;

static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::new(2));

/// By a channel between two threads.
#[must_use]
pub fn by_crossbeam(n: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    let producer = thread::spawn(move || {
        for i in 0..n {
            if sender.send(i).is_err() {
                return;
            }
        }
    });
    let sum = receiver.iter().fold(0, u64::wrapping_add);
    drop(producer.join());
    sum
}

/// By tokio's channel between two threads.
#[must_use]
pub fn by_tokio(n: u64) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(CAPACITY);
    let producer = thread::spawn(move || {
        for i in 0..n {
            if sender.blocking_send(i).is_err() {
                return;
            }
        }
    });
    let mut sum = 0_u64;
    while let Some(item) = receiver.blocking_recv() {
        sum = sum.wrapping_add(item);
    }
    drop(producer.join());
    sum
}

/// Two tasks of a runtime with two threads, which is how tokio's channel is mostly used.
#[must_use]
pub fn by_tokio_tasks(n: u64, runtime: &tokio::runtime::Runtime) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(CAPACITY);
    let _producer = runtime.spawn(async move {
        for i in 0..n {
            if sender.send(i).await.is_err() {
                return;
            }
        }
    });
    let consumer = runtime.spawn(async move {
        let mut sum = 0_u64;
        while let Some(item) = receiver.recv().await {
            sum = sum.wrapping_add(item);
        }
        sum
    });
    runtime.block_on(consumer).unwrap_or(0)
}

/// By a flow whose source and subscriber are on two threads of a pool.
#[must_use]
pub fn by_publish_on(n: u64) -> u64 {
    sum(range(0..n).subscribe_on(&*POOL).publish_on(&*POOL, CAPACITY), 0)
}
