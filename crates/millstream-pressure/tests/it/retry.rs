//! Retries: never more than the budget, waits drawn one by one, and attempts that end.

use std::{
    cell::Cell,
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::{
    Error, ErrorKind,
    scheduler::{Immediate, VirtualTime},
};
use millstream_pressure::{
    FlowExt as _, Hedge, HedgeConfig, Policy as _, Random, RetryBudget, RetryConfig,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn budget(config: RetryConfig, time: &VirtualTime) -> RetryBudget {
    RetryBudget::with_random("test", config, time, Random::seeded(7)).unwrap()
}

#[test]
fn jitter_is_drawn_for_each_attempt() {
    let time = VirtualTime::new();
    let config = RetryConfig { max_attempts: 5, ratio: 100.0, ..RetryConfig::default() };
    let budget = budget(config, &time);
    let mut sequences = HashSet::new();
    let mut shares = Vec::new();
    for _ in 0..1_000 {
        let mut attempts = budget.start();
        let waits: Vec<Duration> = std::iter::from_fn(|| attempts.retry()).collect();
        assert_eq!(waits.len(), 4);
        for (wait, longest) in waits.iter().zip([100, 200, 400, 800]) {
            shares.push(wait.as_secs_f64() / (f64::from(longest) / 1e3));
        }
        assert!(sequences.insert(waits), "two calls wait the same times");
    }
    // Kolmogorov-Smirnov against the uniform distribution, at 1 %: 1.63 / sqrt(n).
    shares.sort_by(f64::total_cmp);
    let n = shares.len() as f64;
    let distance = shares.iter().enumerate().fold(0.0_f64, |distance, (i, share)| {
        let (below, above) = (i as f64 / n, (i as f64 + 1.0) / n);
        distance.max((share - below).abs()).max((above - share).abs())
    });
    assert!(distance < 1.63 / n.sqrt(), "{distance}");
}

/// Both ways round, a call that is retried and hedged was counted again with each attempt, so that
/// the budget grew with what it is there to bound.
#[test]
fn what_is_retried_and_hedged_is_one_call() {
    let time = VirtualTime::new();
    let config = RetryConfig { ratio: 1.0, min_per_second: 0.0, ..RetryConfig::default() };
    let budget = budget(config.clone(), &time);
    let other = RetryBudget::new("other", config, &time).unwrap();
    let hedge = Hedge::new("test", HedgeConfig::default(), &budget, &time).unwrap();
    let fail = || async { Err::<(), _>("broken") };
    let cx = || Context::from_waker(Waker::noop());
    let to_its_end = |mut call: Pin<&mut dyn Future<Output = Result<(), &'static str>>>| {
        while call.as_mut().poll(&mut cx()).is_pending() {
            time.advance(SECOND);
        }
    };

    to_its_end(pin!(budget.run(|| hedge.run(fail))));
    let counts = budget.snapshot();
    assert_eq!((counts.n_calls, counts.n_retries, counts.n_refused), (1, 1, 1));

    to_its_end(pin!(hedge.run(|| budget.run(fail))));
    assert_eq!(budget.snapshot().n_calls, 2, "the next call is another one");

    to_its_end(pin!(other.run(|| budget.run(fail))));
    // Each of its two attempts is a call of the other dependency.
    assert_eq!((other.snapshot().n_calls, budget.snapshot().n_calls), (1, 4));

    let panics = || async { panic!("within an attempt") };
    let mut call = Box::pin(budget.run::<_, (), ()>(panics));
    assert!(catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx()))).is_err());
    to_its_end(pin!(hedge.run(fail)));
    assert_eq!(budget.snapshot().n_calls, 6, "an attempt that has panicked is over");
}

#[test]
fn a_seed_gives_the_same_waits_again() {
    let waits = || {
        let budget = budget(RetryConfig::default(), &VirtualTime::new());
        let mut attempts = budget.start();
        (attempts.retry(), attempts.retry(), attempts.retry())
    };
    assert_eq!(waits(), waits());
    assert!(waits().1.is_some() && waits().2.is_none(), "three attempts");
}

#[test]
fn many_threads_share_one_budget() {
    let time = VirtualTime::new();
    let config = RetryConfig { ratio: 0.25, min_per_second: 0.0, ..RetryConfig::default() };
    let budget = budget(config, &time);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    let mut attempts = budget.start();
                    while attempts.retry().is_some() {}
                }
            });
        }
    });
    let snapshot = budget.snapshot();
    assert_eq!((snapshot.n_calls, snapshot.n_retries), (8_000, 2_000));
}

#[test]
fn a_call_is_made_until_it_succeeds() {
    let time = VirtualTime::new();
    let budget = budget(RetryConfig::default(), &time);
    let n_calls = Cell::new(0);
    let mut running = pin!(budget.run(|| {
        n_calls.set(n_calls.get() + 1);
        let result = if n_calls.get() < 3 { Err("down") } else { Ok("up") };
        async move { result }
    }));
    let mut poll = || running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    time.advance(SECOND);
    assert!(poll().is_pending());
    time.advance(SECOND);
    assert_eq!(poll(), Poll::Ready(Ok("up")));
}

#[test]
fn without_a_clock_the_first_error_is_the_result() {
    let budget = RetryBudget::new("test", RetryConfig::default(), &Immediate).unwrap();
    let mut running = pin!(budget.run(|| async { Err::<(), _>("down") }));
    let poll = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(poll, Poll::Ready(Err("down")));
}

#[test]
fn a_flow_is_tried_again_for_some_errors() {
    let time = VirtualTime::new();
    let budget = budget(RetryConfig::default(), &time);
    let down = |kind| millstream::error::<u8>(Error::new(kind, "down"));
    let may_retry = |error: &Error| error.kind() == ErrorKind::Timeout;
    let flow = down(ErrorKind::Timeout).retry_with_budget(&time, &budget, may_retry);
    let probe = Probe::subscribe_to(flow);
    time.advance(SECOND);
    assert!(probe.error().is_some());
    assert_eq!((budget.snapshot().n_calls, budget.snapshot().n_retries), (1, 2));
    let flow = down(ErrorKind::InvalidData).retry_with_budget(&time, &budget, may_retry);
    let probe = Probe::subscribe_to(flow);
    assert!(probe.error().is_some());
    assert_eq!((budget.snapshot().n_calls, budget.snapshot().n_retries), (2, 2));
    let flow = down(ErrorKind::Timeout).retry_with_budget(&time, &budget, |_| panic!("deliberate"));
    let probe = Probe::subscribe_to(flow);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Panicked));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let bad = [
        ("max_attempts", RetryConfig { max_attempts: 0, ..RetryConfig::default() }),
        ("max_delay", RetryConfig { max_delay: Duration::ZERO, ..RetryConfig::default() }),
        ("ratio", RetryConfig { ratio: -0.1, ..RetryConfig::default() }),
        ("ratio", RetryConfig { ratio: f64::NAN, ..RetryConfig::default() }),
        ("min_per_second", RetryConfig { min_per_second: f64::INFINITY, ..RetryConfig::default() }),
        ("window", RetryConfig { window: Duration::ZERO, ..RetryConfig::default() }),
    ];
    for (setting, config) in bad {
        let error = RetryBudget::new("test", config, &VirtualTime::new()).unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
    let longest = RetryConfig {
        max_attempts: u32::MAX,
        base: Duration::MAX,
        max_delay: Duration::MAX,
        window: Duration::MAX,
        ..RetryConfig::default()
    };
    let budget = budget(longest, &VirtualTime::new());
    let mut attempts = budget.start();
    assert!((0..100).all(|_| attempts.retry().is_some()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn retries_are_never_more_than_the_budget(
        (ratio, per_second) in (0.0..1.0_f64, 0.0..3.0_f64),
        acts in prop::collection::vec((0..2_000_u64, any::<bool>()), 1..200),
    ) {
        let time = VirtualTime::new();
        let config = RetryConfig {
            ratio,
            min_per_second: per_second,
            max_attempts: 1_000,
            ..RetryConfig::default()
        };
        let budget = budget(config, &time);
        let (mut calls, mut retries) = (Vec::new(), Vec::new());
        let mut now = 0;
        for (passed, is_call) in acts {
            time.advance(Duration::from_millis(passed));
            now += passed;
            // Ten spans of a second: the present one, and the nine before it.
            let in_window = |times: &[u64]| {
                times.iter().filter(|at| *at / 1_000 + 10 > now / 1_000).count() as f64
            };
            if is_call || calls.is_empty() {
                calls.push(now);
                let _attempts = budget.start();
            } else {
                calls.push(now);
                let allowed = ratio * in_window(&calls) + per_second * 10.0;
                let is_allowed = budget.start().retry().is_some();
                prop_assert_eq!(is_allowed, in_window(&retries) + 1.0 <= allowed);
                if is_allowed {
                    retries.push(now);
                }
            }
        }
    }
}
