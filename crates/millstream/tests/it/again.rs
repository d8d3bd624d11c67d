//! Flows that run again, at once and after a while.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{
    Attempt, Backoff, Error, ErrorKind, Flow, Publisher, defer, empty, error, from_iter, just,
    range,
    scheduler::{Immediate, Pool, VirtualTime},
};
use millstream_testkit::Probe;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// Two items and a failure, as often as it is subscribed to; and how often that was.
fn flaky() -> (Arc<Mutex<u64>>, Flow<impl Publisher<Item = u64> + Clone + Send + 'static>) {
    let n_attempts = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_attempts);
    let flow = defer(move || {
        *counter.lock().unwrap() += 1;
        range(0..2).concat(error(Error::message("no luck")))
    });
    (n_attempts, flow)
}

fn after_a_second(_: &Error, _: Attempt) -> Option<Duration> {
    Some(SECOND)
}

#[test]
fn a_retry_waits_on_its_scheduler() {
    let clock = VirtualTime::new();
    let (n_attempts, flow) = flaky();
    let probe = Probe::subscribe_to(flow.retry_when_on(&clock, after_a_second));
    probe.request(3);
    assert_eq!((probe.n_items(), *n_attempts.lock().unwrap()), (2, 1));

    clock.advance(SECOND - Duration::from_nanos(1));
    assert_eq!(*n_attempts.lock().unwrap(), 1);
    clock.advance(Duration::from_nanos(1));

    assert_eq!(probe.items(), [0, 1, 0]);
    assert_eq!(*n_attempts.lock().unwrap(), 2);
}

#[test]
fn what_is_asked_for_while_it_waits_is_asked_of_the_next_attempt() {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(flaky().1.retry_when_on(&clock, after_a_second));
    probe.request(2);
    assert!(!probe.is_ended());

    probe.request(1);
    assert_eq!(probe.n_items(), 2);
    clock.advance(SECOND);

    assert_eq!(probe.items(), [0, 1, 0]);
}

#[test]
fn a_cancel_while_it_waits_drops_the_subscriber_and_the_flow_at_once() {
    let clock = VirtualTime::new();
    let (n_attempts, flow) = flaky();
    let probe = Probe::subscribe_to(flow.retry_when_on(&clock, after_a_second));
    probe.request(9);

    probe.cancel();

    assert!(probe.is_dropped() && !probe.is_ended());
    clock.advance(SECOND * 9);
    assert_eq!(*n_attempts.lock().unwrap(), 1);
    drop(probe);
    assert_eq!(Arc::strong_count(&n_attempts), 1);
}

#[test]
fn a_request_for_nothing_while_it_waits_is_an_error() {
    let clock = VirtualTime::new();
    let probe = Probe::subscribe_to(flaky().1.retry_when_on(&clock, after_a_second));
    probe.request(9);

    probe.request(0);

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::IllegalRequest);
    clock.advance(SECOND);
    assert!(probe.is_dropped());
}

#[test]
fn a_scheduler_that_is_shut_down_while_it_waits_ends_the_flow() {
    let pool = Pool::new(1);
    let outcome = flaky().1.retry_when_on(&pool, |_, _| Some(SECOND * 3600)).count();

    pool.shutdown();

    assert_eq!(outcome.wait().unwrap_err().kind(), ErrorKind::Rejected);
}

#[test]
fn a_policy_sees_the_error_and_the_attempt() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let flow = flaky().1.retry_when(move |error, attempt| {
        log.lock().unwrap().push((error.to_string(), attempt.number, attempt.n_items));
        (attempt.number < 2).then_some(Duration::ZERO)
    });

    assert_eq!(flow.count().wait().unwrap_err().to_string(), "no luck");

    let no_luck = || "no luck".to_owned();
    assert_eq!(*seen.lock().unwrap(), [(no_luck(), 1, 2), (no_luck(), 2, 2)]);
}

#[test]
fn a_million_attempts_and_runs_take_constant_stack() {
    let again = |attempt: Attempt| (attempt.number < 1_000_000).then_some(Duration::ZERO);
    let failing = error::<u8>(Error::message("no"));

    let failed = failing.retry_when(move |_, attempt| again(attempt)).count();
    let repeated = empty::<u8>().repeat_when(again).count();

    assert!(failed.wait().is_err());
    assert_eq!(repeated.wait().unwrap(), 0);
}

#[test]
fn a_scheduler_that_cannot_wait_rejects() {
    let flow = just(1).repeat_when_on(&Immediate, |_| Some(SECOND));

    assert_eq!(flow.count().wait().unwrap_err().kind(), ErrorKind::Rejected);
}

#[test]
fn waits_start_over_after_an_attempt_that_had_items() {
    let backoff = Backoff::new().first(SECOND).jitter(0.0).max_retries(1);
    let runs = |backoff| {
        let clock = VirtualTime::new();
        let (n_attempts, flow) = flaky();
        let probe = Probe::subscribe_to(flow.retry_backoff_on(&clock, backoff));
        probe.request(u64::MAX);
        clock.advance(SECOND * 5);
        let n_attempts = *n_attempts.lock().unwrap();
        (n_attempts, probe.is_ended())
    };

    assert_eq!(runs(backoff), (2, true));
    assert_eq!(runs(backoff.start_over_after_items(true)), (6, false));
}

#[test]
fn backoff_waits_longer_each_time_up_to_its_cap() {
    let clock = VirtualTime::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, time) = (Arc::clone(&seen), clock.clone());
    let flow = defer(move || {
        log.lock().unwrap().push(time.now().as_secs());
        error::<u8>(Error::message("no"))
    });
    let backoff = Backoff::new().first(SECOND).cap(SECOND * 5).jitter(0.0).max_retries(4);
    let probe = Probe::subscribe_to(flow.retry_backoff_on(&clock, backoff));

    clock.advance(SECOND * 100);

    // After 1, 2, 4 and 5 seconds.
    assert_eq!(*seen.lock().unwrap(), [0, 1, 3, 7, 12]);
    assert!(probe.error().is_some());
}

/// What recovers from a source's failure does not hide that the downstream itself is broken.
#[test]
fn a_panic_of_the_downstream_is_not_retried() {
    let (n_attempts, flow) = flaky();
    let flow = flow.retry_when(|_, _| Some(Duration::ZERO)).map(|_| -> u8 { panic!("bang") });

    assert_eq!(flow.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!(*n_attempts.lock().unwrap(), 1);
}

#[test]
fn cancels_race_with_the_end_of_a_wait() {
    let pool = Pool::new(1);
    for _ in 0..300 {
        let wait = Duration::from_micros(50);
        let probe = Probe::subscribe_to(just(1).repeat_when_on(&pool, move |_| Some(wait)));
        probe.request(u64::MAX);
        probe.wait_for("an item", |probe| probe.n_items() > 0);

        probe.cancel();

        probe.wait_for("the drop", Probe::is_dropped);
        assert!(!probe.is_ended());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn runs_follow_each_other_under_any_demand(
        items in proptest::collection::vec(any::<u8>(), 0..6),
        n_runs in 1_u64..6,
        fails in any::<bool>(),
        steps in proptest::collection::vec((0_u64..4, 0_u64..900), 0..60),
        cancel_after in proptest::option::of(0_usize..30),
    ) {
        let clock = VirtualTime::new();
        let again = move |run: Attempt| (run.number < n_runs).then_some(SECOND / 2);
        let flow = from_iter(items.clone());
        let flow = if fails {
            let flow = flow.concat(error(Error::message("no")));
            flow.retry_when_on(&clock, move |_, run| again(run)).boxed()
        } else {
            flow.repeat_when_on(&clock, again).boxed()
        };
        let expected = items.repeat(n_runs as usize);
        let probe = Probe::subscribe_to(flow);
        let mut requested = 0;
        for (index, (n, millis)) in steps.iter().enumerate() {
            if cancel_after == Some(index) {
                probe.cancel();
                prop_assert!(probe.is_dropped());
            }
            if *n > 0 {
                probe.request(*n);
            }
            requested += *n as usize;
            clock.advance(Duration::from_millis(*millis));
            prop_assert!(probe.n_items() <= requested);
            prop_assert!(expected.starts_with(&probe.items()));
        }
        if cancel_after.is_none_or(|at| at >= steps.len()) {
            probe.request(u64::MAX);
            clock.advance(SECOND * 10);
            prop_assert_eq!(probe.items(), expected);
            prop_assert_eq!((probe.is_completed(), probe.error().is_some()), (!fails, fails));
        }
        prop_assert!(probe.is_dropped());
    }
}
