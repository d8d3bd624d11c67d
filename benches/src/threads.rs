//! One producer to one consumer across threads, by millstream and its peers.

#![expect(clippy::disallowed_methods, reason = "the peers need a thread to send from")]

use std::{hint::spin_loop, sync::LazyLock, thread};

use millstream::{
    Flow,
    hub::{self, Unicast},
    range,
    scheduler::Pool,
};

use crate::sum;

pub(crate) const CAPACITY: usize = 256;

/// The threads of our flows.
pub static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::new(2));

/// By a channel between two threads.
#[must_use]
pub fn by_crossbeam(n: u64) -> u64 {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    between_threads(n, move |i| sender.send(i).is_ok(), || receiver.recv().ok())
}

/// By tokio's channel between two threads.
#[must_use]
pub fn by_tokio(n: u64) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(CAPACITY);
    between_threads(n, move |i| sender.blocking_send(i).is_ok(), || receiver.blocking_recv())
}

/// By flume's channel.
#[must_use]
pub fn by_flume(n: u64) -> u64 {
    let (sender, receiver) = flume::bounded(CAPACITY);
    between_threads(n, move |i| sender.send(i).is_ok(), || receiver.recv().ok())
}

/// By async-channel's blocking side.
#[must_use]
pub fn by_async_channel(n: u64) -> u64 {
    let (sender, receiver) = async_channel::bounded(CAPACITY);
    between_threads(n, move |i| sender.send_blocking(i).is_ok(), || receiver.recv_blocking().ok())
}

/// By kanal's channel.
#[must_use]
pub fn by_kanal(n: u64) -> u64 {
    let (sender, receiver) = kanal::bounded(CAPACITY);
    between_threads(n, move |i| sender.send(i).is_ok(), || receiver.recv().ok())
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
    sum(range(0..n).subscribe_on(&*POOL).publish_on(&*POOL).capacity(CAPACITY), 0)
}

/// By a hub, whose subscriber is signaled on the thread that sends.
#[must_use]
pub fn by_unicast(n: u64) -> u64 {
    by_hub(n, |flow| sum(flow, 0))
}

/// By a hub, whose subscriber is signaled on a thread of a pool.
#[must_use]
pub fn by_unicast_publish_on(n: u64) -> u64 {
    by_hub(n, |flow| sum(flow.publish_on(&*POOL).capacity(CAPACITY), 0))
}

/// By a hub, whose queue is emptied by a thread of a pool.
#[must_use]
pub fn by_unicast_signal_on(n: u64) -> u64 {
    by_hub(n, |flow| sum(flow.signal_on(&*POOL), 0))
}

fn by_hub(n: u64, sum: impl FnOnce(Flow<Unicast<u64>>) -> u64) -> u64 {
    let (mut sender, flow) = hub::unicast(CAPACITY);
    let producer = thread::spawn(move || {
        if (0..n).all(|i| sender.send_blocking(i).is_ok()) {
            sender.complete();
        }
    });
    let sum = sum(flow);
    drop(producer.join());
    sum
}

/// By rtrb's ring, without any way to sleep: each side spins, and lets others run after a while.
#[must_use]
pub fn by_rtrb(n: u64) -> u64 {
    let (mut producer, mut consumer) = rtrb::RingBuffer::new(CAPACITY);
    let thread = thread::spawn(move || {
        for i in 0..n {
            let mut backoff = Backoff::default();
            while producer.push(i).is_err() {
                backoff.snooze();
            }
        }
    });
    let mut sum = 0_u64;
    for _ in 0..n {
        let mut backoff = Backoff::default();
        loop {
            if let Ok(item) = consumer.pop() {
                sum = sum.wrapping_add(item);
                break;
            }
            backoff.snooze();
        }
    }
    drop(thread.join());
    sum
}

/// Waits a little, and a little longer each time.
#[derive(Default)]
struct Backoff(u32);

impl Backoff {
    fn snooze(&mut self) {
        self.0 += 1;
        if self.0 < 64 { spin_loop() } else { thread::yield_now() }
    }
}

/// The sum of what `receive` gives of `0..n`, which another thread sends.
fn between_threads(
    n: u64,
    mut send: impl FnMut(u64) -> bool + Send + 'static,
    receive: impl FnMut() -> Option<u64>,
) -> u64 {
    let producer = thread::spawn(move || {
        for i in 0..n {
            if !send(i) {
                return;
            }
        }
    });
    let sum = std::iter::from_fn(receive).fold(0, u64::wrapping_add);
    drop(producer.join());
    sum
}
