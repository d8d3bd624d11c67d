//! Permits: order, weights, limits that change, and tasks that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use millstream_kernel::{Acquired, Permits, Wait};
use proptest::prelude::*;

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(waiting: &mut Wait<&Permits>) -> Poll<Acquired> {
    waiting.poll(&mut Context::from_waker(Waker::noop()))
}

const GRANTED: Poll<Acquired> = Poll::Ready(Acquired::Granted);

#[test]
fn one_release_wakes_one_task() {
    let permits = Permits::new(1);
    assert_eq!(permits.try_acquire(1), Acquired::Granted);
    let counts: Vec<Arc<Count>> = (0..9).map(|_| Arc::default()).collect();
    let mut waiting: Vec<_> = counts.iter().map(|_| permits.wait(1)).collect();
    for (waiting, count) in waiting.iter_mut().zip(&counts) {
        let waker = Waker::from(Arc::clone(count));
        assert!(waiting.poll(&mut Context::from_waker(&waker)).is_pending());
    }

    permits.release(1);

    let woken: Vec<u64> = counts.iter().map(|count| count.0.load(Ordering::Relaxed)).collect();
    assert_eq!(woken, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(permits.read(), (1, 1, 8));
}

#[test]
fn nobody_overtakes_a_heavy_task() {
    let permits = Permits::new(3);
    assert_eq!(permits.try_acquire(2), Acquired::Granted);
    let (mut heavy, mut light) = (permits.wait(3), permits.wait(1));
    assert!(poll(&mut heavy).is_pending());
    assert!(poll(&mut light).is_pending());
    assert_eq!(permits.try_acquire(1), Acquired::Refused);

    drop(heavy);
    assert_eq!(poll(&mut light), GRANTED);
}

#[test]
fn the_newest_may_be_first() {
    let permits = Permits::newest_first(1);
    assert_eq!(permits.try_acquire(1), Acquired::Granted);
    let (mut old, mut new) = (permits.wait(1), permits.wait(1));
    assert!(poll(&mut old).is_pending() && poll(&mut new).is_pending());

    permits.release(1);
    assert!(poll(&mut old).is_pending());
    assert_eq!(poll(&mut new), GRANTED);
}

#[test]
fn a_line_may_be_bounded() {
    let permits = Permits::new(0);
    let mut first = permits.wait(1).at_most(1);
    assert!(poll(&mut first).is_pending());
    assert_eq!(poll(&mut permits.wait(1).at_most(1)), Poll::Ready(Acquired::Refused));
    drop(first);
    assert!(poll(&mut permits.wait(1).at_most(1)).is_pending());
}

#[test]
fn a_task_that_needs_more_than_the_limit_gets_it_alone() {
    let permits = Permits::new(4);
    assert_eq!(permits.try_acquire(1), Acquired::Granted);
    let mut heavy = permits.wait(4);
    assert!(poll(&mut heavy).is_pending());
    permits.set_limit(2);
    permits.release(1);
    assert_eq!(poll(&mut heavy), GRANTED);
    drop(heavy);
    assert_eq!(permits.read(), (2, 4, 0));
    assert_eq!(permits.try_acquire(1), Acquired::Refused);
    permits.release(4);
    assert_eq!(permits.available(), 2);
}

#[test]
fn a_limit_beyond_the_largest_is_the_largest() {
    let permits = Permits::new(u64::MAX);
    assert_eq!(permits.limit(), Permits::MAX);
    permits.set_limit(0);
    permits.set_limit(u64::MAX);
    assert_eq!(permits.available(), Permits::MAX);
    assert_eq!(permits.try_acquire(u64::MAX >> 1), Acquired::Refused);
}

#[test]
fn closed_permits_release_all_the_same() {
    let permits = Permits::new(1);
    assert_eq!(permits.try_acquire(1), Acquired::Granted);
    let mut waiting = permits.wait(1);
    assert!(poll(&mut waiting).is_pending());
    assert!(permits.close() && !permits.close());
    assert_eq!(poll(&mut waiting), Poll::Ready(Acquired::Closed));
    drop(waiting);
    permits.release(1);
    assert_eq!(permits.read(), (1, 0, 0));
    assert_eq!(permits.try_acquire(1), Acquired::Closed);
}

#[derive(Clone, Debug)]
enum Act {
    Try(u64),
    Wait(u64),
    Release(usize),
    Leave(usize),
    Limit(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..5_u64).prop_map(Act::Try),
        (1..5_u64).prop_map(Act::Wait),
        (0..8_usize).prop_map(Act::Release),
        (0..8_usize).prop_map(Act::Leave),
        (0..9_u64).prop_map(Act::Limit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Beside a plain model: a list of what is held, and a list of those who wait.
    #[test]
    fn permits_do_what_a_list_does(acts in prop::collection::vec(act(), 0..60)) {
        let permits = Permits::new(4);
        let (mut limit, mut held) = (4_u64, Vec::<u64>::new());
        let mut line = Vec::new();
        for act in acts {
            let sum: u64 = held.iter().sum();
            match act {
                Act::Try(weight) => {
                    let expected = line.is_empty() && sum + weight <= limit;
                    let granted = permits.try_acquire(weight) == Acquired::Granted;
                    prop_assert_eq!(granted, expected);
                    if granted {
                        held.push(weight);
                    }
                }
                Act::Wait(weight) => line.push((weight, permits.wait(weight))),
                Act::Release(index) if index < held.len() => permits.release(held.remove(index)),
                Act::Leave(index) if index < line.len() => drop(line.remove(index)),
                Act::Limit(new) => {
                    limit = new;
                    permits.set_limit(new);
                }
                Act::Release(_) | Act::Leave(_) => {}
            }
            // Those at the front who are covered.
            let mut n_served = 0;
            for (weight, _) in &line {
                let sum: u64 = held.iter().sum();
                if sum + weight <= limit || (sum == 0 && limit > 0) {
                    held.push(*weight);
                    n_served += 1;
                } else {
                    break;
                }
            }
            for (index, (_, waiting)) in line.iter_mut().enumerate() {
                prop_assert_eq!(poll(waiting).is_ready(), index < n_served);
            }
            line.drain(..n_served);
            prop_assert_eq!(permits.read(), (limit, held.iter().sum(), line.len()));
        }
    }
}
