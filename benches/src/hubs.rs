//! Hubs on one thread, whose producer and subscribers take turns: what an item costs when no other
//! thread is there.

use std::sync::{Arc, Mutex, PoisonError};

use millstream::{
    Outcome, Publisher,
    hub::{self, Policy, Unheard},
    range,
};

use crate::{Steered, Total};

/// How many items wait at most.
const CAPACITY: usize = 256;

/// By a hub with one producer: each item is due when it is sent.
#[must_use]
pub fn by_unicast(n: u64) -> u64 {
    let (mut producer, flow) = hub::unicast(CAPACITY);
    let sum = flow.fold(0, u64::wrapping_add);
    let is_sent = (0..n).all(|i| producer.try_send(i).is_ok());
    producer.complete();
    if is_sent { total([sum]) } else { 0 }
}

/// By a hub with one producer, which fills the queue before the subscriber asks for all that is in
/// it.
#[must_use]
pub fn by_unicast_filled(n: u64) -> u64 {
    let (mut producer, flow) = hub::unicast(CAPACITY);
    let drain = Drain::of(flow);
    for i in 0..n {
        if producer.try_send(i).is_err() {
            drain.request();
            // The queue is empty now.
            _ = producer.try_send(i);
        }
    }
    producer.complete();
    drain.request();
    drain.sum()
}

/// By a hub with many producers: each item is due when it is sent.
#[must_use]
pub fn by_merge(n: u64) -> u64 {
    let (sender, flow) = hub::merge(CAPACITY);
    let sum = flow.fold(0, u64::wrapping_add);
    let is_sent = (0..n).all(|i| sender.try_send(i).is_ok());
    sender.complete();
    if is_sent { total([sum]) } else { 0 }
}

/// By a hub with many producers, which fill the queue before the subscriber asks for all that is in
/// it.
#[must_use]
pub fn by_merge_filled(n: u64) -> u64 {
    let (sender, flow) = hub::merge(CAPACITY);
    let drain = Drain::of(flow);
    for i in 0..n {
        if sender.try_send(i).is_err() {
            drain.request();
            // The queue is empty now.
            _ = sender.try_send(i);
        }
    }
    sender.complete();
    drain.request();
    drain.sum()
}

/// By a hub with four subscribers: each item is due when it is sent.
#[must_use]
pub fn by_multicast(n: u64) -> u64 {
    let policy = Policy::SlowestGates { capacity: CAPACITY };
    let (mut news, flow) = hub::multicast(policy, Unheard::Wait);
    let sums = [(); 4].map(|()| flow.clone().fold(0, u64::wrapping_add));
    let is_sent = (0..n).all(|i| news.try_send(i).is_ok());
    news.complete();
    if is_sent { total(sums) } else { 0 }
}

/// By a source that is shared by four subscribers.
#[must_use]
pub fn by_share(n: u64) -> u64 {
    let shared = range(0..n).share_with(millstream::Sharing::new(CAPACITY).min_subscribers(4));
    total([(); 4].map(|()| shared.clone().fold(0, u64::wrapping_add)))
}

/// The sum of sums.
pub(crate) fn total<const N: usize>(sums: [Outcome<u64>; N]) -> u64 {
    sums.into_iter().filter_map(|sum| sum.wait().ok()).fold(0, u64::wrapping_add)
}

/// A subscriber that asks for a full queue when it is told to.
struct Drain(Arc<Mutex<Total>>);

impl Drain {
    fn of(flow: impl Publisher<Item = u64>) -> Self {
        let total = Arc::new(Mutex::new(Total::default()));
        flow.subscribe(Steered::new(&total));
        Self(total)
    }

    fn request(&self) {
        let subscriptions =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).subscriptions.clone();
        subscriptions.iter().for_each(|subscription| subscription.request(CAPACITY as u64));
    }

    fn sum(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sum
    }
}
