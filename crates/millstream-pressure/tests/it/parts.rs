//! The vocabulary.

use std::{
    future::Future as _,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{
    Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Pressure, Reason, Settle,
};

#[derive(Default)]
struct Log(Mutex<Vec<(u64, Outcome)>>);

impl Settle for Log {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        self.0.lock().unwrap().push((grant.weight, outcome));
    }
}

fn permit(log: &Arc<Log>, weight: u64) -> Permit {
    let grant = Grant { weight, generation: 0, started: Duration::ZERO };
    Permit::new(Arc::<Log>::clone(log), grant)
}

#[test]
fn a_permit_is_settled_once() {
    let log = Arc::new(Log::default());

    permit(&log, 1).finish(Outcome::Slow);
    drop(permit(&log, 2));
    let panicked = thread::spawn({
        let permit = permit(&log, 3);
        move || {
            let _permit = permit;
            panic!("deliberate");
        }
    });
    assert!(panicked.join().is_err());

    let expected = [(1, Outcome::Slow), (2, Outcome::Canceled), (3, Outcome::Canceled)];
    assert_eq!(*log.0.lock().unwrap(), expected);
}

#[test]
fn every_reason_has_its_index_and_a_name_of_its_own() {
    for (index, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason.index(), index);
        let namesakes = Reason::ALL.into_iter().filter(|other| other.as_str() == reason.as_str());
        assert_eq!(namesakes.count(), 1, "{reason:?}");
    }
}

#[test]
fn a_ledger_is_whole_under_many_threads() {
    let ledger = Ledger::new();
    thread::scope(|scope| {
        for n in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for round in 0..1_000 {
                    ledger.offer(1);
                    match (n + round) % 3 {
                        0 => ledger.deliver(1),
                        1 => ledger.discard(Reason::Full, 1),
                        _ => ledger.discard(Reason::Evicted, 1),
                    }
                }
            });
        }
        // Each of the eight has one item at most; those that came since the reading before may be
        // shown as queued, and nothing else is.
        let mut before = 0;
        for _ in 0..1_000 {
            let balance = ledger.balance();
            assert!(balance.is_whole(), "{balance:?}");
            assert!(balance.queued <= 8 + (balance.offered - before), "{before}, {balance:?}");
            before = balance.offered;
        }
    });

    let balance = ledger.balance();
    assert_eq!((balance.offered, balance.queued), (8_000, 0));
    let drops: Vec<Reason> = balance.drops().map(|(reason, _)| reason).collect();
    assert_eq!(drops, [Reason::Full, Reason::Evicted]);
}

#[test]
fn settings_that_are_not_numbers_are_not_valid() {
    for value in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
        let error = InvalidSetting::unless_within("queue", "high", value, 0.0..=1.0, "from 0 to 1");
        assert!(error.is_err(), "{value}");
    }
    assert!(InvalidSetting::unless_positive("queue", "capacity", 0).is_err());
    assert!(InvalidSetting::unless_some_time("queue", "timeout", Duration::ZERO).is_err());
}

#[test]
fn a_pressure_is_from_0_to_1() {
    let at = Duration::ZERO;
    assert_eq!(Pressure::new(f64::INFINITY, at).map(Pressure::level), Some(1.0));
    assert_eq!(Pressure::new(-1.0, at).map(Pressure::level), Some(0.0));
    assert_eq!(Pressure::of(3, 0, at).level(), 1.0);
    assert_eq!(Pressure::of(1, 4, at).level(), 0.25);
}

#[test]
fn a_sleep_ends_when_its_moment_has_come() {
    let time = VirtualTime::new();
    let clock = Clock::of(&time);
    let mut sleep = pin!(clock.sleep_until(Duration::from_secs(3 * 24 * 60 * 60)));
    let mut cx = Context::from_waker(Waker::noop());

    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);
    time.advance(Duration::from_secs(2 * 24 * 60 * 60));
    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Pending);
    time.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Ready(true));
}

#[test]
fn a_sleep_without_a_clock_ends_at_once() {
    let clock = Clock::of(&Immediate);
    let mut sleep = pin!(clock.sleep_until(Duration::MAX));
    let mut cx = Context::from_waker(Waker::noop());

    assert_eq!(sleep.as_mut().poll(&mut cx), Poll::Ready(false));
}
