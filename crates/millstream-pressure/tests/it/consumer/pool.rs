//! The gate of a pool.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{
    FlowExt as _, Outcome, Policy as _, PoolConfig, PoolGate, PressureSource as _, Reason,
    Settings as _,
};

const SECOND: Duration = Duration::from_secs(1);

fn gate(size: u64, time: &VirtualTime) -> PoolGate {
    PoolGate::new("test", PoolConfig { size, ..PoolConfig::default() }, time).unwrap()
}

#[test]
fn how_long_callers_wait_is_said_before_any_fails() {
    let time = VirtualTime::new();
    let gate = gate(2, &time);
    let cx = &mut Context::from_waker(Waker::noop());

    let held: Vec<_> = (0..2).map(|_| gate.acquire_blocking().unwrap()).collect();
    assert_eq!(gate.pressure().unwrap().level(), 1.0);
    let mut first = pin!(gate.acquire());
    let mut second = pin!(gate.acquire());
    assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
    assert_eq!(gate.snapshot().waiting, 2);
    time.advance(3 * SECOND);
    assert_eq!(gate.snapshot().oldest, Some(3 * SECOND));
    held.into_iter().next().unwrap().finish(Outcome::Success);
    let Poll::Ready(Ok(permit)) = first.as_mut().poll(cx) else { panic!("it is the first's") };
    // The second got the place of the one that was dropped.
    let Poll::Ready(Ok(other)) = second.as_mut().poll(cx) else { panic!("it is free") };
    let snapshot = gate.snapshot();
    assert_eq!((snapshot.in_use, snapshot.acquired, snapshot.waited), (2, 4, 6 * SECOND));
    assert_eq!((snapshot.median_wait, snapshot.p99_wait), (Duration::ZERO, 3 * SECOND));
    assert_eq!(snapshot.longest_wait, 3 * SECOND);
    drop((permit, other));
    let snapshot = gate.snapshot();
    assert_eq!((snapshot.in_use, snapshot.balance.queued, snapshot.oldest), (0, 0, None));
}

#[test]
fn one_waits_for_its_time_and_no_more_wait_than_may() {
    let time = VirtualTime::new();
    let config = PoolConfig { size: 1, max_waiting: 1, timeout: SECOND };
    let gate = PoolGate::new("test", config, &time).unwrap();
    let cx = &mut Context::from_waker(Waker::noop());

    let held = gate.try_acquire().unwrap();
    assert_eq!(gate.try_acquire().unwrap_err().reason, Reason::Limit);
    let mut waits = pin!(gate.acquire());
    assert!(waits.as_mut().poll(cx).is_pending());
    assert_eq!(gate.acquire_blocking().unwrap_err().reason, Reason::Limit);
    time.advance(SECOND);
    let Poll::Ready(Err(rejected)) = waits.as_mut().poll(cx) else { panic!("its time is up") };
    assert_eq!(rejected.reason, Reason::Timeout);
    let balance = gate.snapshot().balance;
    assert_eq!((balance.dropped(Reason::Limit), balance.dropped(Reason::Timeout)), (2, 1));
    assert!(balance.is_whole());
    drop(held);
}

#[test]
fn a_caller_that_gives_up_leaves_the_line() {
    let gate = gate(1, &VirtualTime::new());
    let cx = &mut Context::from_waker(Waker::noop());
    let held = gate.try_acquire().unwrap();
    let mut waits = Box::pin(gate.acquire());
    assert!(waits.as_mut().poll(cx).is_pending());
    drop(held); // the place is the waiting one's
    drop(waits);
    assert!(gate.try_acquire().is_ok());
    assert_eq!(gate.snapshot().balance.dropped(Reason::Canceled), 1);
}

#[test]
fn it_grows_and_shrinks_while_places_are_in_use() {
    let gate = gate(2, &VirtualTime::new());
    let mut held: Vec<_> = (0..2).map(|_| gate.try_acquire().unwrap()).collect();
    gate.reconfigure(PoolConfig { size: 1, ..gate.config() }).unwrap();
    held.pop();
    assert!(gate.try_acquire().is_err());
    held.pop();
    held.push(gate.try_acquire().unwrap());
    gate.reconfigure(PoolConfig { size: 3, ..gate.config() }).unwrap();
    assert!(gate.try_acquire().is_ok());
    let config = PoolConfig::default();
    for (config, name) in [
        (PoolConfig { size: 0, ..config }, "size"),
        (PoolConfig { timeout: Duration::ZERO, ..config }, "timeout"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}

#[test]
fn a_flow_takes_a_place_for_each_item() {
    let gate = gate(1, &VirtualTime::new());
    let flow = range(0..9_u64).admit(&gate).map(|admitted| admitted.finish(Outcome::Success));
    assert_eq!(flow.count().wait().unwrap(), 9);
    assert_eq!(gate.snapshot().acquired, 9);
}

#[test]
fn the_ledger_is_whole_after_many_threads() {
    let gate = gate(3, &VirtualTime::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..2_000 {
                    let permit = gate.try_acquire();
                    if round % 7 == 0 {
                        thread::yield_now();
                    }
                    drop(permit);
                }
            });
        }
    });
    let snapshot = gate.snapshot();
    assert!(snapshot.balance.is_whole() && snapshot.balance.offered == 8_000);
    assert_eq!((snapshot.in_use, snapshot.balance.queued, snapshot.oldest), (0, 0, None));
}
