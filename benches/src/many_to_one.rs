//! Several producers to one consumer across threads, by millstream and its peers.
//!
//! The producers share the items among them. They are threads of their own for every peer, or tasks
//! of a runtime where the name says so.

#![expect(clippy::disallowed_methods, reason = "the producers are threads of the user's")]

use std::{ops::Range, thread};

use millstream::{
    Flow,
    hub::{self, Merge, Sender},
};
use tokio::runtime::Runtime;

use crate::threads::{CAPACITY, POOL};

/// By a channel between threads.
#[must_use]
pub fn by_crossbeam(n: u64, n_producers: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    let fold = || fold(|| receiver.recv().ok());
    from_threads(n, n_producers, sender, |sender, i| sender.send(i).is_ok(), drop, fold)
}

/// By flume's channel.
#[must_use]
pub fn by_flume(n: u64, n_producers: u64) -> u64 {
    let (sender, receiver) = flume::bounded(CAPACITY);
    let fold = || fold(|| receiver.recv().ok());
    from_threads(n, n_producers, sender, |sender, i| sender.send(i).is_ok(), drop, fold)
}

/// By async-channel's blocking side.
#[must_use]
pub fn by_async_channel(n: u64, n_producers: u64) -> u64 {
    let (sender, receiver) = async_channel::bounded(CAPACITY);
    let fold = || fold(|| receiver.recv_blocking().ok());
    from_threads(n, n_producers, sender, |sender, i| sender.send_blocking(i).is_ok(), drop, fold)
}

/// By kanal's channel.
#[must_use]
pub fn by_kanal(n: u64, n_producers: u64) -> u64 {
    let (sender, receiver) = kanal::bounded(CAPACITY);
    let fold = || fold(|| receiver.recv().ok());
    from_threads(n, n_producers, sender, |sender, i| sender.send(i).is_ok(), drop, fold)
}

/// By tokio's channel between threads.
#[must_use]
pub fn by_tokio(n: u64, n_producers: u64) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(CAPACITY);
    let fold = || fold(|| receiver.blocking_recv());
    from_threads(n, n_producers, sender, |sender, i| sender.blocking_send(i).is_ok(), drop, fold)
}

/// By tokio's channel between tasks.
#[must_use]
pub fn by_tokio_tasks(n: u64, n_producers: u64, runtime: &Runtime) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(CAPACITY);
    for index in 0..n_producers {
        let sender = sender.clone();
        let _producer = runtime.spawn(async move {
            for i in part(n, n_producers, index) {
                if sender.send(i).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let consumer = runtime.spawn(async move {
        let mut sum = 0_u64;
        while let Some(item) = receiver.recv().await {
            sum = sum.wrapping_add(item);
        }
        sum
    });
    runtime.block_on(consumer).unwrap_or(0)
}

/// By a hub, whose subscriber is signaled on the threads that send.
#[must_use]
pub fn by_merge(n: u64, n_producers: u64) -> u64 {
    by_hub(n, n_producers, |flow| crate::sum(flow, 0))
}

/// By a hub, whose subscriber is signaled on a thread of a pool.
#[must_use]
pub fn by_merge_publish_on(n: u64, n_producers: u64) -> u64 {
    by_hub(n, n_producers, |flow| crate::sum(flow.publish_on(&*POOL).capacity(CAPACITY), 0))
}

/// By a hub, whose queue is emptied by a thread of a pool.
#[must_use]
pub fn by_merge_signal_on(n: u64, n_producers: u64) -> u64 {
    by_hub(n, n_producers, |flow| crate::sum(flow.signal_on(&*POOL), 0))
}

/// By a hub whose producers are tasks.
#[must_use]
pub fn by_merge_tasks(n: u64, n_producers: u64, runtime: &Runtime) -> u64 {
    let (sender, flow) = hub::merge(CAPACITY);
    for index in 0..n_producers {
        let sender = sender.clone();
        let _producer = runtime.spawn(async move {
            for i in part(n, n_producers, index) {
                if sender.send(i).await.is_err() {
                    return;
                }
            }
            sender.complete();
        });
    }
    sender.complete();
    crate::sum(flow, 0)
}

fn by_hub(n: u64, n_producers: u64, sum: impl FnOnce(Flow<Merge<u64>>) -> u64) -> u64 {
    let (sender, flow) = hub::merge(CAPACITY);
    let send = |sender: &Sender<u64>, i| sender.send_blocking(i).is_ok();
    from_threads(n, n_producers, sender, send, Sender::complete, || sum(flow))
}

/// The items of one producer of several.
fn part(n: u64, n_producers: u64, index: u64) -> Range<u64> {
    n * index / n_producers..n * (index + 1) / n_producers
}

/// What `sum` gives of `0..n`, which so many threads send.
fn from_threads<S: Clone + Send + 'static>(
    n: u64,
    n_producers: u64,
    sender: S,
    send: impl Fn(&S, u64) -> bool + Copy + Send + 'static,
    done: impl Fn(S) + Copy + Send + 'static,
    sum: impl FnOnce() -> u64,
) -> u64 {
    let producers: Vec<_> = (0..n_producers)
        .map(|index| {
            let sender = sender.clone();
            thread::spawn(move || {
                if part(n, n_producers, index).all(|i| send(&sender, i)) {
                    done(sender);
                }
            })
        })
        .collect();
    done(sender);
    let sum = sum();
    producers.into_iter().for_each(|producer| drop(producer.join()));
    sum
}

fn fold(receive: impl FnMut() -> Option<u64>) -> u64 {
    std::iter::from_fn(receive).fold(0, u64::wrapping_add)
}
