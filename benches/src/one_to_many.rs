//! One producer to four consumers across threads, each of which gets every item, by millstream and
//! its peers.
//!
//! No consumer misses an item: whoever sends waits while 256 items wait for the slowest.

#![expect(clippy::disallowed_methods, reason = "the consumers of the peers are threads")]

use std::thread::{self, JoinHandle};

use millstream::{
    Flow, Outcome, Publisher, Sharing,
    hub::{self, Multicast, Policy, Unheard},
    range,
};
use tokio::{
    runtime::Runtime,
    sync::broadcast::{self, error::RecvError},
};

use crate::{
    hubs::total,
    threads::{CAPACITY, POOL},
};

/// How many consumers there are.
pub const N_CONSUMERS: usize = 4;

/// How many items are sent between two looks for room, where the channel has no way to wait for it.
const BATCH: usize = CAPACITY / 2;

/// By a channel for each consumer.
#[must_use]
pub fn by_crossbeam(n: u64) -> u64 {
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..N_CONSUMERS).map(|_| crossbeam_channel::bounded(CAPACITY)).unzip();
    let consumers = receivers
        .into_iter()
        .map(|receiver| thread::spawn(move || receiver.into_iter().fold(0, u64::wrapping_add)));
    let consumers: Vec<_> = consumers.collect();
    for i in 0..n {
        for sender in &senders {
            _ = sender.send(i);
        }
    }
    drop(senders);
    joined(consumers)
}

/// By tokio's broadcast channel between threads. It drops what the slowest has not taken in time,
/// so that the sender looks how many items wait, and lets others run while there are too many.
#[must_use]
pub fn by_broadcast(n: u64) -> u64 {
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let consumers = [(); N_CONSUMERS].map(|()| {
        let mut receiver = receiver.resubscribe();
        thread::spawn(move || {
            let mut sum = 0_u64;
            while let Ok(item) = receiver.blocking_recv() {
                sum = sum.wrapping_add(item);
            }
            sum
        })
    });
    drop(receiver);
    for i in 0..n {
        if i % BATCH as u64 == 0 {
            while sender.len() > CAPACITY - BATCH {
                thread::yield_now();
            }
        }
        _ = sender.send(i);
    }
    drop(sender);
    joined(consumers)
}

/// The same between tasks.
#[must_use]
pub fn by_broadcast_tasks(n: u64, runtime: &Runtime) -> u64 {
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let consumers = [(); N_CONSUMERS].map(|()| {
        let mut receiver = receiver.resubscribe();
        runtime.spawn(async move {
            let mut sum = 0_u64;
            loop {
                match receiver.recv().await {
                    Ok(item) => sum = sum.wrapping_add(item),
                    Err(RecvError::Closed) => return sum,
                    Err(RecvError::Lagged(_)) => return 0,
                }
            }
        })
    });
    drop(receiver);
    let _producer = runtime.spawn(async move {
        for i in 0..n {
            if i % BATCH as u64 == 0 {
                while sender.len() > CAPACITY - BATCH {
                    tokio::task::yield_now().await;
                }
            }
            _ = sender.send(i);
        }
    });
    runtime.block_on(async {
        let mut sum = 0_u64;
        for consumer in consumers {
            sum = sum.wrapping_add(consumer.await.unwrap_or(0));
        }
        sum
    })
}

/// By a hub, whose subscribers are signaled on the thread that sends.
#[must_use]
pub fn by_multicast(n: u64) -> u64 {
    by_hub(n, Flow::clone)
}

/// By a hub, whose subscribers are signaled on the threads of a pool.
#[must_use]
pub fn by_multicast_publish_on(n: u64) -> u64 {
    by_hub(n, |flow| flow.clone().publish_on(&*POOL).capacity(CAPACITY))
}

/// By a source that is shared, whose subscribers are signaled on its thread.
#[must_use]
pub fn by_share(n: u64) -> u64 {
    let shared = shared(n);
    total(sums(|| shared.clone()))
}

/// By a source that is shared, whose subscribers are signaled on the threads of a pool.
#[must_use]
pub fn by_share_publish_on(n: u64) -> u64 {
    let shared = shared(n);
    total(sums(|| shared.clone().publish_on(&*POOL).capacity(CAPACITY)))
}

fn by_hub<P: Publisher<Item = u64>>(
    n: u64,
    flow_of: impl Fn(&Flow<Multicast<u64>>) -> Flow<P>,
) -> u64 {
    let policy = Policy::SlowestGates { capacity: CAPACITY };
    let (mut sender, flow) = hub::multicast(policy, Unheard::Wait);
    let sums = sums(|| flow_of(&flow));
    let is_sent = (0..n).all(|i| sender.send_blocking(i).is_ok());
    if is_sent {
        sender.complete();
    }
    total(sums)
}

fn shared(n: u64) -> Flow<impl Publisher<Item = u64> + Clone> {
    let sharing = Sharing::new(CAPACITY).min_subscribers(N_CONSUMERS);
    range(0..n).subscribe_on(&*POOL).share_with(sharing)
}

/// Subscribes to as many flows as there are consumers.
fn sums<P: Publisher<Item = u64>>(flow: impl Fn() -> Flow<P>) -> [Outcome<u64>; N_CONSUMERS] {
    [(); N_CONSUMERS].map(|()| flow().fold(0, u64::wrapping_add))
}

/// The sum of the sums of threads.
fn joined(consumers: impl IntoIterator<Item = JoinHandle<u64>>) -> u64 {
    consumers.into_iter().filter_map(|sum| sum.join().ok()).fold(0, u64::wrapping_add)
}
