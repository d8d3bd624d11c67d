//! Throttling: by how much the other side refuses, and back when it does not.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{Outcome, Policy as _, Random, Reason, ThrottleConfig, Throttler};

const MS: Duration = Duration::from_millis(1);

fn throttler(config: ThrottleConfig, time: &VirtualTime) -> Throttler {
    Throttler::with_random("test", config, time, Random::seeded(3)).unwrap()
}

/// So many calls, a millisecond apart, of which the other side accepts one of `accepts_one_of`.
/// Returns how many reached it.
fn call(throttler: &Throttler, time: &VirtualTime, n: u64, accepts_one_of: u64) -> u64 {
    let mut n_passed = 0;
    for i in 0..n {
        time.advance(MS);
        if let Ok(permit) = throttler.try_acquire() {
            n_passed += 1;
            let is_accepted = i % accepts_one_of == 0;
            permit.finish(if is_accepted { Outcome::Success } else { Outcome::Failure });
        }
    }
    n_passed
}

#[test]
fn what_is_accepted_is_not_refused() {
    let time = VirtualTime::new();
    let throttler = throttler(ThrottleConfig::default(), &time);
    assert_eq!(call(&throttler, &time, 1_000, 1), 1_000);
    // Half of them is what K = 2 allows, up to the first requests, before there are accepts.
    assert!(call(&throttler, &time, 10_000, 2) > 9_900);
}

#[test]
fn it_asks_about_twice_as_much_as_is_accepted() {
    let time = VirtualTime::new();
    let window = Duration::from_secs(10);
    let throttler = throttler(ThrottleConfig { window, ..ThrottleConfig::default() }, &time);
    // The other side accepts 100 of 1000 a second, whatever comes.
    let (mut n_passed, mut n_accepted) = (0, 0);
    for second in 0..60 {
        let mut left = 100;
        for _ in 0..1_000 {
            time.advance(MS);
            let Ok(permit) = throttler.try_acquire() else { continue };
            let is_accepted = left > 0;
            left -= u32::from(is_accepted);
            permit.finish(if is_accepted { Outcome::Success } else { Outcome::Failure });
            if second >= 30 {
                n_passed += 1;
                n_accepted += u32::from(is_accepted);
            }
        }
    }
    let ratio = f64::from(n_passed) / f64::from(n_accepted);
    assert!((1.7..2.3).contains(&ratio), "{n_passed} of {n_accepted}");
}

#[test]
fn it_comes_back_when_the_other_side_does() {
    let time = VirtualTime::new();
    let window = Duration::from_secs(10);
    let throttler = throttler(ThrottleConfig { window, ..ThrottleConfig::default() }, &time);
    let n_passed = call(&throttler, &time, 20_000, u64::MAX);
    assert!((800..1_400).contains(&n_passed), "about 5 % pass: {n_passed}");
    // What passes about doubles with each window, from 5 % on.
    call(&throttler, &time, 80_000, 1);
    assert_eq!(call(&throttler, &time, 1_000, 1), 1_000);
    let balance = throttler.snapshot().balance;
    assert!(balance.is_whole() && balance.dropped(Reason::Throttled) > 0, "{balance:?}");
}

#[test]
fn a_call_that_is_dropped_is_no_accept_and_one_that_is_ignored_is() {
    let time = VirtualTime::new();
    let throttler = throttler(ThrottleConfig::default(), &time);
    drop(throttler.try_acquire().unwrap());
    assert_eq!((throttler.snapshot().requests, throttler.snapshot().accepts), (1, 0));
    time.advance(throttler.config().window * 2);
    throttler.try_acquire().unwrap().finish(Outcome::Ignored);
    assert_eq!((throttler.snapshot().requests, throttler.snapshot().accepts), (1, 1));
}

#[test]
fn a_window_of_another_length_begins_empty_and_leaves_calls_before_out() {
    let time = VirtualTime::new();
    let throttler = throttler(ThrottleConfig::default(), &time);
    let before = throttler.try_acquire().unwrap();
    let window = Duration::from_secs(9);
    throttler.reconfigure(ThrottleConfig { window, ..ThrottleConfig::default() }).unwrap();
    before.finish(Outcome::Success);
    assert_eq!((throttler.snapshot().requests, throttler.snapshot().accepts), (0, 0));
}

#[test]
fn one_that_waits_tries_again() {
    let time = VirtualTime::new();
    let throttler = throttler(ThrottleConfig::default(), &time);
    call(&throttler, &time, 1_000, u64::MAX);
    let mut waiting = pin!(throttler.acquire());
    let mut poll = || waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let mut n_tries = 1;
    while !matches!(poll(), Poll::Ready(Ok(_))) {
        time.advance(Duration::from_secs(3));
        n_tries += 1;
        assert!(n_tries < 1_000);
    }
    assert!(throttler.snapshot().balance.is_whole());
    let throttler = Throttler::new("test", ThrottleConfig::default(), &Immediate).unwrap();
    while throttler.try_acquire().is_ok() {}
    let mut waiting = pin!(throttler.acquire());
    let poll = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    // It passes by chance, or there is no timer.
    assert!(!matches!(poll, Poll::Pending));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let bad = [
        ("multiplier", ThrottleConfig { multiplier: 1.0, ..ThrottleConfig::default() }),
        ("multiplier", ThrottleConfig { multiplier: f64::NAN, ..ThrottleConfig::default() }),
        ("window", ThrottleConfig { window: Duration::ZERO, ..ThrottleConfig::default() }),
        ("max_refused", ThrottleConfig { max_refused: 1.1, ..ThrottleConfig::default() }),
    ];
    for (setting, config) in bad {
        let error = Throttler::new("test", config, &VirtualTime::new()).unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
}
