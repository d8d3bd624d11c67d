//! Rates: as governor where that can do the same; in order, changed and given back where it cannot.

use std::{
    future::Future,
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, FakeRelativeClock},
    middleware::NoOpMiddleware,
};
use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{Policy as _, RateConfig, RateLimit, Reason};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn limit(rate: f64, burst: u64, time: &VirtualTime) -> RateLimit {
    RateLimit::new("test", RateConfig { rate, burst }, time).unwrap()
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn those_who_wait_are_served_in_order_and_not_overtaken() {
    let time = VirtualTime::new();
    let limit = limit(10.0, 1, &time);
    limit.try_acquire(1).unwrap();
    let (mut first, mut second) = (Box::pin(limit.acquire(1)), Box::pin(limit.acquire(1)));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    time.advance(100 * MS);
    // Free, but not for one who comes now.
    assert_eq!(limit.try_acquire(1).unwrap_err().reason, Reason::Rate);
    assert!(poll(&mut second).is_pending());
    assert_eq!(poll(&mut first), Poll::Ready(Ok(())));
    assert!(poll(&mut second).is_pending());
    time.advance(100 * MS);
    assert_eq!(poll(&mut second), Poll::Ready(Ok(())));
    drop((first, second));
    assert_eq!(time.n_timers(), 0);
    assert!(!limit.snapshot().has_waiting);
}

#[test]
fn one_who_gives_up_takes_nothing() {
    let time = VirtualTime::new();
    let limit = limit(10.0, 1, &time);
    limit.try_acquire(1).unwrap();
    let (mut first, mut second) = (Box::pin(limit.acquire(1)), Box::pin(limit.acquire(1)));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    assert!(poll(&mut second).is_pending());
    time.advance(100 * MS);
    assert_eq!(poll(&mut second), Poll::Ready(Ok(())));
    assert_eq!(time.n_timers(), 0);
}

#[test]
fn another_rate_is_noticed_by_one_who_waits() {
    let time = VirtualTime::new();
    let limit = limit(0.001, 1, &time);
    limit.try_acquire(1).unwrap();
    let mut waiting = Box::pin(limit.acquire(1));
    assert!(poll(&mut waiting).is_pending());
    limit.reconfigure(RateConfig { rate: 100.0, burst: 1 }).unwrap();
    assert!(poll(&mut waiting).is_pending());
    time.advance(10 * MS);
    assert_eq!(poll(&mut waiting), Poll::Ready(Ok(())));
}

#[test]
fn waiting_ends_when_it_is_certain_to_be_in_vain() {
    let time = VirtualTime::new();
    let limit = limit(10.0, 1, &time);
    limit.try_acquire(1).unwrap();
    let mut vain = Box::pin(limit.acquire_timeout(1, 99 * MS));
    assert!(
        matches!(poll(&mut vain), Poll::Ready(Err(rejected)) if rejected.reason == Reason::Timeout)
    );
    let mut heavy = Box::pin(limit.acquire(2));
    assert!(
        matches!(poll(&mut heavy), Poll::Ready(Err(rejected)) if rejected.reason == Reason::TooHeavy)
    );
    let mut first = Box::pin(limit.acquire_timeout(1, 100 * MS));
    let mut behind = Box::pin(limit.acquire_timeout(1, 50 * MS));
    assert!(poll(&mut first).is_pending() && poll(&mut behind).is_pending());
    time.advance(50 * MS);
    assert!(
        matches!(poll(&mut behind), Poll::Ready(Err(rejected)) if rejected.reason == Reason::Timeout)
    );
    time.advance(50 * MS);
    assert_eq!(poll(&mut first), Poll::Ready(Ok(())));
    let balance = limit.snapshot().balance;
    assert!(balance.is_whole() && balance.queued == 0, "{balance:?}");
}

#[test]
fn without_a_clock_nobody_waits_for_ever() {
    let limit = RateLimit::new("test", RateConfig { rate: 1.0, burst: 1 }, &Immediate).unwrap();
    limit.try_acquire(1).unwrap();
    let mut waiting = Box::pin(limit.acquire(1));
    assert!(
        matches!(poll(&mut waiting), Poll::Ready(Err(rejected)) if rejected.reason == Reason::Shutdown)
    );
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let time = VirtualTime::new();
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = RateLimit::new("test", RateConfig { rate, burst: 1 }, &time).unwrap_err();
        assert_eq!(error.setting(), "rate", "{error}");
    }
    let error = limit(1.0, 1, &time).reconfigure(RateConfig { rate: 1.0, burst: 0 }).unwrap_err();
    assert_eq!(error.setting(), "burst");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With a period of whole nanoseconds, which is all that governor knows, both let the same
    /// pass.
    #[test]
    fn it_lets_pass_what_governor_does(
        (period, burst) in (1..2_000_u64, 1..50_u32),
        acts in prop::collection::vec((0..3_000_u64, 1..8_u32), 1..200),
    ) {
        // Microseconds, so that the rate is one in floating point as well.
        let period = Duration::from_micros(period * 64);
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(period).unwrap().allow_burst(NonZeroU32::new(burst).unwrap());
        let peer: RateLimiter<_, _, _, NoOpMiddleware<_>> =
            RateLimiter::direct_with_clock(quota, clock.clone());
        let time = VirtualTime::new();
        let limit = limit(1.0 / period.as_secs_f64(), u64::from(burst), &time);
        for (passed, n) in acts {
            let passed = Duration::from_micros(passed * 16);
            clock.advance(passed);
            time.advance(passed);
            let theirs = match peer.check_n(NonZeroU32::new(n).unwrap()) {
                Err(_) => None,
                Ok(Ok(_)) => Some(None),
                Ok(Err(not_until)) => Some(Some(not_until.wait_time_from(clock.now()))),
            };
            match (theirs, limit.try_acquire(u64::from(n))) {
                (Some(None), Ok(())) => {}
                (None, Err(rejected)) => prop_assert_eq!(rejected.reason, Reason::TooHeavy),
                (Some(Some(wait)), Err(rejected)) => {
                    // The rate is rounded once, to 53 bits.
                    let ours = rejected.retry_after.unwrap();
                    prop_assert!(ours.abs_diff(wait) <= Duration::from_nanos(1_000), "{ours:?} {wait:?}");
                }
                (theirs, ours) => prop_assert!(false, "governor {theirs:?}, ours {ours:?}"),
            }
        }
    }
}
