//! Bulkheads: a key that stalls holds up itself.

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::{Flow, range, scheduler::VirtualTime};
use millstream_pressure::{
    Bulkhead, BulkheadConfig, Class, FlowExt as _, Outcome, Policy as _, PressureSource as _,
    Reason, Settings as _,
};

fn bulkhead(max_concurrent: u64, time: &VirtualTime) -> Bulkhead {
    let config = BulkheadConfig { max_concurrent, ..BulkheadConfig::default() };
    Bulkhead::new("test", config, time).unwrap()
}

#[test]
fn a_key_that_is_full_takes_no_place_from_others() {
    let time = VirtualTime::new();
    let bulkhead = bulkhead(2, &time);

    let held: Vec<_> = (0..2).map(|_| bulkhead.try_acquire("a").unwrap()).collect();
    assert_eq!(bulkhead.try_acquire("a").unwrap_err().reason, Reason::Limit);
    let other = bulkhead.try_acquire("b").unwrap();

    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.keys, snapshot.in_progress, snapshot.full), (2, 3, 1));
    assert_eq!((snapshot.balance.offered, snapshot.balance.queued), (4, 3));
    assert_eq!(bulkhead.pressure().unwrap().level(), 0.5);
    other.finish(Outcome::Success);
    drop(held);
    assert_eq!(bulkhead.snapshot().balance.queued, 0);
}

#[test]
fn those_who_wait_are_served_in_order_and_for_a_time() {
    let time = VirtualTime::new();
    let bulkhead = bulkhead(1, &time);
    let cx = &mut Context::from_waker(Waker::noop());

    let held = bulkhead.try_acquire("a").unwrap();
    let mut first = pin!(bulkhead.acquire("a"));
    let mut second = pin!(bulkhead.acquire("a"));
    assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
    held.finish(Outcome::Failure);
    assert!(second.as_mut().poll(cx).is_pending());
    let Poll::Ready(Ok(held)) = first.as_mut().poll(cx) else { panic!("the first is served") };
    time.advance(Duration::from_secs(1));
    let Poll::Ready(Err(rejected)) = second.as_mut().poll(cx) else { panic!("its time is up") };
    assert_eq!(rejected.reason, Reason::Timeout);
    drop(held);
    assert!(bulkhead.try_acquire("a").is_ok());
}

#[test]
fn a_call_that_gives_up_leaves_no_trace() {
    let bulkhead = bulkhead(1, &VirtualTime::new());
    let cx = &mut Context::from_waker(Waker::noop());

    let held = bulkhead.try_acquire("a").unwrap();
    let mut waits = Box::pin(bulkhead.acquire("a"));
    assert!(waits.as_mut().poll(cx).is_pending());
    assert_eq!(bulkhead.snapshot().waiting, 1);
    drop(held); // the place is the waiting one's
    drop(waits);
    assert!(bulkhead.try_acquire("a").is_ok());

    let balance = bulkhead.snapshot().balance;
    assert_eq!((balance.queued, balance.dropped(Reason::Canceled)), (0, 1));
}

#[test]
fn no_more_wait_than_may() {
    let config = BulkheadConfig { max_concurrent: 1, max_waiting: 0, ..BulkheadConfig::default() };
    let bulkhead = Bulkhead::new("test", config, &VirtualTime::new()).unwrap();
    let _held = bulkhead.try_acquire("a").unwrap();
    assert_eq!(bulkhead.acquire_blocking("a").unwrap_err().reason, Reason::Limit);
}

#[test]
fn idle_compartments_are_forgotten_and_a_flood_of_keys_shares_one() {
    let config = BulkheadConfig { max_concurrent: 1, max_keys: 100, ..BulkheadConfig::default() };
    let bulkhead = Bulkhead::new("test", config, &VirtualTime::new()).unwrap();

    for key in 0..10_000 {
        drop(bulkhead.try_acquire(key).unwrap());
    }
    let snapshot = bulkhead.snapshot();
    assert!(snapshot.keys <= 100 && snapshot.evicted >= 9_900, "{snapshot:?}");

    let held: Vec<_> = (0..1_000).filter_map(|key| bulkhead.try_acquire(key).ok()).collect();
    assert_eq!(held.len(), 101, "one for each key that is known, and one for all others");
    assert_eq!(bulkhead.snapshot().in_progress, 101);
}

#[test]
fn places_change_while_calls_are_in_progress() {
    let bulkhead = bulkhead(2, &VirtualTime::new());
    let held: Vec<_> = (0..2).map(|_| bulkhead.try_acquire("a").unwrap()).collect();

    let config = BulkheadConfig { max_concurrent: 1, ..bulkhead.config() };
    bulkhead.reconfigure(config).unwrap();
    let mut held = held.into_iter();
    drop(held.next());
    assert!(bulkhead.try_acquire("a").is_err());
    drop(held);
    assert!(bulkhead.try_acquire("a").is_ok());
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = BulkheadConfig::default();
    for (config, name) in [
        (BulkheadConfig { max_concurrent: 0, ..config }, "max_concurrent"),
        (BulkheadConfig { max_concurrent: u64::MAX, ..config }, "max_concurrent"),
        (BulkheadConfig { timeout: Duration::ZERO, ..config }, "timeout"),
        (BulkheadConfig { max_keys: 0, ..config }, "max_keys"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
    BulkheadConfig { timeout: Duration::MAX, ..config }.validate().unwrap();
}

#[test]
fn a_flow_goes_on_past_a_key_that_is_full() {
    let bulkhead = bulkhead(1, &VirtualTime::new());
    let _hangs = bulkhead.try_acquire(0_u64).unwrap();

    let flow: Flow<_> = range(0..9_u64).try_admit_by(&bulkhead, |n| Class::for_tenant(n % 3));
    let passed = flow.filter(Result::is_ok).count().wait().unwrap();
    assert_eq!(passed, 6);
}

#[test]
fn the_ledger_is_whole_after_many_threads() {
    let bulkhead = bulkhead(3, &VirtualTime::new());
    thread::scope(|scope| {
        for n in 0..4_u64 {
            let bulkhead = &bulkhead;
            scope.spawn(move || {
                for round in 0..2_000 {
                    let permit = bulkhead.try_acquire((n + round) % 5);
                    if round % 7 == 0 {
                        thread::yield_now();
                    }
                    drop(permit);
                }
            });
        }
    });
    let snapshot = bulkhead.snapshot();
    assert!(snapshot.balance.is_whole());
    assert_eq!((snapshot.balance.offered, snapshot.balance.queued), (8_000, 0));
    assert_eq!(snapshot.in_progress, 0);
}
