//! Breakers: the window is that of a naive model, probes are exactly as many as asked for, and what
//! belongs to an earlier state changes nothing.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerMode, BreakerState, BreakerWindow, Outcome, Policy as _, Reason,
};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn config() -> BreakerConfig {
    BreakerConfig {
        window: BreakerWindow::Count(4),
        open_for: 5 * SECOND,
        probes: 3,
        ..BreakerConfig::default()
    }
}

fn breaker(config: BreakerConfig, time: &VirtualTime) -> Breaker {
    Breaker::new("test", config, time).unwrap()
}

fn fail(breaker: &Breaker, n: usize) {
    (0..n).for_each(|_| breaker.try_acquire().unwrap().finish(Outcome::Failure));
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn is_open(breaker: &Breaker) -> bool {
    matches!(breaker.state(), BreakerState::Open { .. })
}

#[test]
fn it_opens_when_the_window_is_full_of_failures_and_not_before() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    fail(&breaker, 3);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), BreakerState::Open { until: 5 * SECOND });
    time.advance(SECOND);
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.retry_after, Some(4 * SECOND));
    let balance = breaker.snapshot().balance;
    assert!(balance.is_whole() && balance.dropped(Reason::BreakerOpen) == 1, "{balance:?}");
}

#[test]
fn it_opens_when_calls_are_slow() {
    let time = VirtualTime::new();
    let slow = BreakerConfig { slow_call: SECOND, slow_rate: 0.5, ..config() };
    let breaker = breaker(slow, &time);
    for n in 0..4 {
        let permit = breaker.try_acquire().unwrap();
        time.advance(if n % 2 == 0 { SECOND } else { SECOND / 2 });
        permit.finish(Outcome::Success);
    }
    assert!(is_open(&breaker));
}

#[test]
fn exactly_as_many_probes_pass_whatever_many_threads_ask() {
    let time = VirtualTime::new();
    let breaker = breaker(BreakerConfig { probes: 10, ..config() }, &time);
    fail(&breaker, 4);
    for _round in 0..50 {
        time.advance(5 * SECOND);
        let permits = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        if let Ok(permit) = breaker.try_acquire() {
                            permits.lock().unwrap().push(permit);
                        }
                    }
                });
            }
        });
        let permits = permits.into_inner().unwrap();
        assert_eq!(permits.len(), 10);
        assert!(breaker.try_acquire().is_err());
        permits.into_iter().for_each(|permit| permit.finish(Outcome::Failure));
        assert!(is_open(&breaker));
    }
}

#[test]
fn a_result_of_an_earlier_state_changes_nothing() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    let (late, canceled) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    fail(&breaker, 4);
    time.advance(5 * SECOND);
    let probes = [(); 3].map(|()| breaker.try_acquire().unwrap());
    // Neither of them is one of the three, nor makes room for a fourth.
    late.finish(Outcome::Failure);
    drop(canceled);
    assert!(breaker.try_acquire().is_err());
    assert_eq!(breaker.snapshot().stale, 2);
    probes.into_iter().for_each(|probe| probe.finish(Outcome::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.snapshot().calls, 0);
}

#[test]
fn a_probe_that_says_nothing_is_replaced() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    fail(&breaker, 4);
    time.advance(5 * SECOND);
    let [first, second, third] = [(); 3].map(|()| breaker.try_acquire().unwrap());
    drop(first);
    second.finish(Outcome::Ignored);
    let others = [(); 2].map(|()| breaker.try_acquire().unwrap());
    assert!(breaker.try_acquire().is_err());
    third.finish(Outcome::Success);
    others.into_iter().for_each(|probe| probe.finish(Outcome::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn probes_that_never_come_back_do_not_hold_it() {
    let time = VirtualTime::new();
    let breaker = breaker(BreakerConfig { probe_timeout: SECOND, ..config() }, &time);
    fail(&breaker, 4);
    time.advance(5 * SECOND);
    #[expect(clippy::mem_forget, reason = "what is tested")]
    (0..3).for_each(|_| std::mem::forget(breaker.try_acquire().unwrap()));
    time.advance(SECOND);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(5 * SECOND));
    time.advance(5 * SECOND);
    (0..3).for_each(|_| breaker.try_acquire().unwrap().finish(Outcome::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn it_stays_open_longer_each_time_up_to_a_bound() {
    let time = VirtualTime::new();
    let longer = BreakerConfig { backoff: 2.0, max_open_for: 15 * SECOND, probes: 1, ..config() };
    let breaker = breaker(longer, &time);
    fail(&breaker, 4);
    for seconds in [5, 10, 15, 15] {
        let retry_after = breaker.try_acquire().unwrap_err().retry_after;
        assert_eq!(retry_after, Some(seconds * SECOND));
        time.advance(seconds * SECOND);
        fail(&breaker, 1);
    }
    time.advance(15 * SECOND);
    breaker.try_acquire().unwrap().finish(Outcome::Success);
    fail(&breaker, 4);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(5 * SECOND));
}

#[test]
fn modes_are_set_by_hand() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    breaker.set_mode(BreakerMode::ForcedOpen);
    time.advance(1_000_000 * SECOND);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None);
    breaker.set_mode(BreakerMode::MetricsOnly);
    fail(&breaker, 9);
    assert_eq!((breaker.snapshot().failures, breaker.state()), (4, BreakerState::Closed));
    breaker.set_mode(BreakerMode::Disabled);
    fail(&breaker, 9);
    assert_eq!((breaker.snapshot().failures, breaker.state()), (0, BreakerState::Closed));
    breaker.open_for(SECOND);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(SECOND));
    breaker.close();
    fail(&breaker, 4);
    assert!(is_open(&breaker), "it goes by itself again");
}

#[test]
fn those_who_wait_pass_in_order_as_probes_and_then_all() {
    let time = VirtualTime::new();
    let breaker = breaker(BreakerConfig { probes: 1, ..config() }, &time);
    fail(&breaker, 4);
    let mut waiting = [(); 3].map(|()| Box::pin(breaker.acquire()));
    waiting.iter_mut().for_each(|waiting| assert!(poll(waiting).is_pending()));
    time.advance(5 * SECOND);
    let [first, second, third] = &mut waiting;
    assert!(poll(second).is_pending());
    // The one who waits comes before one who comes now.
    assert!(breaker.try_acquire().is_err());
    let Poll::Ready(Ok(probe)) = poll(first) else { panic!("it is its turn") };
    assert!(poll(second).is_pending() && poll(third).is_pending());
    probe.finish(Outcome::Success);
    assert!(matches!(poll(second), Poll::Ready(Ok(_))));
    assert!(matches!(poll(third), Poll::Ready(Ok(_))));
    let balance = breaker.snapshot().balance;
    assert!(balance.is_whole() && balance.queued == 0, "{balance:?}");
}

#[test]
fn waiting_ends_with_its_time_and_without_a_clock() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    fail(&breaker, 4);
    let mut waiting = Box::pin(breaker.acquire_timeout(SECOND));
    assert!(poll(&mut waiting).is_pending());
    time.advance(SECOND);
    let Poll::Ready(Err(rejected)) = poll(&mut waiting) else { panic!("its time is over") };
    assert_eq!(rejected.reason, Reason::Timeout);

    let breaker = Breaker::new("test", config(), &Immediate).unwrap();
    fail(&breaker, 4);
    let mut waiting = Box::pin(breaker.acquire());
    let Poll::Ready(Err(rejected)) = poll(&mut waiting) else { panic!("there is no timer") };
    assert_eq!(rejected.reason, Reason::Shutdown);
}

#[test]
fn a_listener_hears_of_each_state_and_its_panic_harms_nothing() {
    let time = VirtualTime::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    let breaker = Breaker::with_listener("test", BreakerConfig { probes: 1, ..config() }, &time, {
        let log = Arc::clone(&log);
        move |state| {
            log.lock().unwrap().push(state);
            assert_ne!(state, BreakerState::HalfOpen { issued: 1 }, "deliberate");
        }
    })
    .unwrap();
    fail(&breaker, 4);
    time.advance(5 * SECOND);
    let probe = breaker.try_acquire().unwrap();
    // The log's lock was poisoned by nobody: it was given back before the panic.
    probe.finish(Outcome::Success);
    let open = BreakerState::Open { until: 5 * SECOND };
    let half_open = BreakerState::HalfOpen { issued: 1 };
    assert_eq!(*log.lock().unwrap(), [open, half_open, BreakerState::Closed]);
}

#[test]
fn a_reconfiguration_begins_a_window_of_another_shape_empty() {
    let time = VirtualTime::new();
    let breaker = breaker(config(), &time);
    fail(&breaker, 3);
    breaker.reconfigure(BreakerConfig { probes: 9, ..config() }).unwrap();
    assert_eq!(breaker.snapshot().failures, 3);
    breaker.reconfigure(BreakerConfig { window: BreakerWindow::Count(2), ..config() }).unwrap();
    assert_eq!(breaker.snapshot().failures, 0);
    let error = breaker.reconfigure(BreakerConfig { probes: 0, ..config() }).unwrap_err();
    assert_eq!((error.setting(), breaker.config().probes), ("probes", 3));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let none = Duration::ZERO;
    let bad = [
        ("window", BreakerConfig { window: BreakerWindow::Count(0), ..config() }),
        (
            "window.bucket",
            BreakerConfig { window: BreakerWindow::Time { buckets: 1, bucket: none }, ..config() },
        ),
        ("min_calls", BreakerConfig { min_calls: 0, ..config() }),
        ("failure_rate", BreakerConfig { failure_rate: 0.0, ..config() }),
        ("failure_rate", BreakerConfig { failure_rate: f64::NAN, ..config() }),
        ("slow_rate", BreakerConfig { slow_rate: 1.1, ..config() }),
        ("slow_call", BreakerConfig { slow_call: none, ..config() }),
        ("open_for", BreakerConfig { open_for: none, ..config() }),
        ("backoff", BreakerConfig { backoff: f64::INFINITY, ..config() }),
        ("max_open_for", BreakerConfig { max_open_for: SECOND, ..config() }),
        ("probes", BreakerConfig { probes: 70_000, ..config() }),
        ("probe_timeout", BreakerConfig { probe_timeout: none, ..config() }),
    ];
    for (setting, config) in bad {
        let error = Breaker::new("test", config, &VirtualTime::new()).unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
    let longest = BreakerConfig {
        open_for: Duration::MAX,
        max_open_for: Duration::MAX,
        slow_call: Duration::MAX,
        probe_timeout: Duration::MAX,
        backoff: 1_000.0,
        ..config()
    };
    let breaker = breaker(longest, &VirtualTime::new());
    fail(&breaker, 4);
    assert!(breaker.try_acquire().is_err());
}

/// The results that count, kept one by one.
struct Naive {
    window: BreakerWindow,
    results: VecDeque<(u128, bool, bool)>,
}

impl Naive {
    fn count(&mut self, now: Duration) -> (u64, u64, u64) {
        match self.window {
            BreakerWindow::Count(n) => {
                while self.results.len() > n {
                    self.results.pop_front();
                }
            }
            BreakerWindow::Time { buckets, bucket } => {
                let present = now.as_nanos() / bucket.as_nanos();
                self.results.retain(|result| result.0 + buckets as u128 > present);
            }
        }
        let count = |is: fn(&(u128, bool, bool)) -> bool| {
            self.results.iter().filter(|result| is(result)).count() as u64
        };
        (count(|_| true), count(|result| result.1), count(|result| result.2))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_window_is_that_of_a_naive_model(
        window in prop_oneof![
            (1..20_usize).prop_map(BreakerWindow::Count),
            (1..8_usize, 1..50_u64).prop_map(|(buckets, ms)| {
                BreakerWindow::Time { buckets, bucket: Duration::from_millis(ms) }
            }),
        ],
        acts in prop::collection::vec((0..40_u64, 0..3_u8), 1..200),
    ) {
        let time = VirtualTime::new();
        let breaker = breaker(BreakerConfig { window, ..config() }, &time);
        breaker.set_mode(BreakerMode::MetricsOnly);
        let mut naive = Naive { window, results: VecDeque::new() };
        let mut now = Duration::ZERO;
        for (passed, kind) in acts {
            let passed = Duration::from_millis(passed);
            time.advance(passed);
            now += passed;
            let outcome = [Outcome::Success, Outcome::Failure, Outcome::Slow][usize::from(kind)];
            breaker.try_acquire().unwrap().finish(outcome);
            let span = match window {
                BreakerWindow::Count(_) => 0,
                BreakerWindow::Time { bucket, .. } => now.as_nanos() / bucket.as_nanos(),
            };
            naive.results.push_back((span, kind == 1, kind == 2));
            let snapshot = breaker.snapshot();
            prop_assert_eq!(
                (snapshot.calls, snapshot.failures, snapshot.slow),
                naive.count(now)
            );
        }
    }
}
