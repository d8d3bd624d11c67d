//! By flows.

use millstream::{
    Flow, Overflow, Publisher, Sharing,
    hub::{self, Policy, Unheard},
    just, range,
};

use super::work;
use crate::{
    flatten, keep, map,
    threads::{CAPACITY, POOL},
};

/// How many flows are flattened at a time.
const CONCURRENCY: usize = 256;

pub(super) fn chain(n: u64, _: u64) -> u64 {
    total(range(0..n).map(map).filter(|n| keep(*n)))
}

pub(super) fn share(n: u64, n_subscribers: u64) -> u64 {
    let sharing = Sharing::new(CAPACITY).min_subscribers(n_subscribers as usize);
    let shared = range(0..n).share_with(sharing);
    let sums: Vec<_> =
        (0..n_subscribers).map(|_| shared.clone().fold(0, u64::wrapping_add)).collect();
    sums.into_iter().fold(0, |all: u64, sum| all.wrapping_add(sum.wait().unwrap_or(0)))
}

pub(super) fn hub(n: u64, n_subscribers: u64) -> u64 {
    let policy = Policy::SlowestGates { capacity: CAPACITY };
    let (mut sender, flow) = hub::multicast(policy, Unheard::Wait);
    let sums: Vec<_> =
        (0..n_subscribers).map(|_| flow.clone().fold(0, u64::wrapping_add)).collect();
    let is_sent = (0..n).all(|i| sender.try_send(i).is_ok());
    sender.complete();
    let sum = sums.into_iter().fold(0, |all: u64, sum| all.wrapping_add(sum.wait().unwrap_or(0)));
    if is_sent { sum } else { 0 }
}

pub(super) fn flat_map(n: u64, _: u64) -> u64 {
    total(range(0..n).flat_map(just).concurrency(CONCURRENCY).prefetch(32))
}

pub(super) fn flat_map_of_two(n: u64, _: u64) -> u64 {
    total(range(0..n).flat_map(|i| range(i..i + 2)).concurrency(CONCURRENCY).prefetch(32))
}

pub(super) fn concat_map(n: u64, _: u64) -> u64 {
    total(range(0..n).concat_map(just))
}

pub(super) fn concat_map_of_two(n: u64, _: u64) -> u64 {
    total(range(0..n).concat_map(|i| range(i..i + 2)))
}

pub(super) fn flat_map_iter(n: u64, _: u64) -> u64 {
    total(range(0..n).flat_map_iter(std::iter::once))
}

pub(super) fn on_backpressure_buffer(n: u64, _: u64) -> u64 {
    total(range(0..n).on_backpressure_buffer(CAPACITY, Overflow::Fail))
}

pub(super) fn limit_rate(n: u64, _: u64) -> u64 {
    total(range(0..n).limit_rate(CAPACITY))
}

pub(super) fn window(n: u64, _: u64) -> u64 {
    total(range(0..n).window(16).flat_map(|part| part).concurrency(CONCURRENCY))
}

pub(super) fn zip(n: u64, _: u64) -> u64 {
    flatten::by_zip(n)
}

pub(super) fn merge(n: u64, _: u64) -> u64 {
    total(range(0..n / 2).merge_with(range(0..n / 2)))
}

pub(super) fn combine_latest(n: u64, _: u64) -> u64 {
    total(range(0..n / 2).combine_latest(range(0..n / 2)).map(|(a, b)| a + b))
}

/// From thread to thread, so many times.
pub(super) fn publish_on(n: u64, n_hops: u64) -> u64 {
    let flow = range(0..n).subscribe_on(&*POOL);
    match n_hops {
        1 => total(hop(flow)),
        4 => total(four(flow)),
        _ => total(four(four(four(four(flow))))),
    }
}

/// A heavier function on workers that take turns, whose results come in order.
pub(super) fn parallel_map(n: u64, n_workers: u64) -> u64 {
    total(range(0..n).parallel_map(&*POOL, n_workers as usize, work))
}

/// `n` flows of ten items each, at the same time on the threads of a pool.
pub(super) fn flows_on_pool(n: u64, _: u64) -> u64 {
    let flow_of = |i: u64| range(i..i + 10).subscribe_on(&*POOL);
    let sums: Vec<_> = (0..n).map(|i| flow_of(i).fold(0, u64::wrapping_add)).collect();
    sums.into_iter().fold(0, |all: u64, sum| all.wrapping_add(sum.wait().unwrap_or(0)))
}

fn hop<P: Publisher<Item = u64>>(flow: Flow<P>) -> Flow<impl Publisher<Item = u64>> {
    flow.publish_on(&*POOL).capacity(CAPACITY)
}

fn four<P: Publisher<Item = u64>>(flow: Flow<P>) -> Flow<impl Publisher<Item = u64>> {
    hop(hop(hop(hop(flow))))
}

fn total(flow: Flow<impl Publisher<Item = u64>>) -> u64 {
    flow.fold(0, u64::wrapping_add).wait().unwrap_or(0)
}
