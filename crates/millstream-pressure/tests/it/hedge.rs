//! Hedging: a second attempt for the slow ones, within a budget.

use std::{
    cell::Cell,
    future::{Future, pending, ready},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Clock, Hedge, HedgeConfig, Policy as _, RetryBudget, RetryConfig, Settings as _,
};

const MS: Duration = Duration::from_millis(1);

type Call = Pin<Box<dyn Future<Output = Result<u32, &'static str>>>>;

/// With a budget of `ratio`, and the delays of the default configuration.
fn hedge(ratio: f64, time: &VirtualTime) -> Hedge {
    let config = RetryConfig { ratio, min_per_second: 0.0, ..RetryConfig::default() };
    let budget = RetryBudget::new("test", config, time).unwrap();
    Hedge::new("test", HedgeConfig::default(), &budget, time).unwrap()
}

fn poll<T>(call: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

/// What attempts do, in order.
fn attempts(each: Vec<Call>) -> impl FnMut() -> Call {
    let mut each = each.into_iter();
    move || each.next().unwrap()
}

/// An answer after `delay`.
fn after(time: &VirtualTime, delay: Duration, result: Result<u32, &'static str>) -> Call {
    let clock = Clock::of(time);
    Box::pin(async move {
        clock.sleep_until(clock.after(delay)).await;
        result
    })
}

#[test]
fn a_slow_call_gets_a_second_attempt_and_the_first_answer_counts() {
    let time = VirtualTime::new();
    let hedge = hedge(1.0, &time);
    let each = vec![after(&time, 5_000 * MS, Ok(1)), after(&time, 10 * MS, Ok(2))];
    let mut call = pin!(hedge.run(attempts(each)));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(1_000 * MS);
    assert!(poll(call.as_mut()).is_pending());
    time.advance(10 * MS);
    assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(2)));
    let snapshot = hedge.snapshot();
    assert_eq!((snapshot.n_calls, snapshot.n_hedged, snapshot.n_won), (1, 1, 1));
}

#[test]
fn the_loser_is_dropped() {
    struct Dropped(Rc<Cell<u32>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let time = VirtualTime::new();
    let hedge = hedge(1.0, &time);
    let n_dropped = Rc::new(Cell::new(0));
    let guard = Dropped(Rc::clone(&n_dropped));
    let lost: Call = Box::pin(async move {
        let _guard = guard;
        pending().await
    });
    let mut call = Box::pin(hedge.run(attempts(vec![lost, Box::pin(ready(Ok(2)))])));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(1_000 * MS);
    assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(2)));
    assert_eq!(n_dropped.get(), 1);
}

#[test]
fn no_second_attempt_beyond_the_budget_or_for_a_failure() {
    let time = VirtualTime::new();
    let hedge = hedge(0.0, &time);
    let mut call = pin!(hedge.run(attempts(vec![after(&time, 2_000 * MS, Ok(1))])));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(1_000 * MS);
    assert!(poll(call.as_mut()).is_pending());
    time.advance(1_000 * MS);
    assert_eq!(poll(call.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!((hedge.snapshot().n_hedged, hedge.snapshot().n_refused), (0, 1));

    let failed: Call = Box::pin(ready(Err("broken")));
    assert_eq!(poll(pin!(hedge.run(attempts(vec![failed])))), Poll::Ready(Err("broken")));
}

#[test]
fn one_that_fails_leaves_it_to_the_other() {
    let time = VirtualTime::new();
    let hedge = hedge(1.0, &time);
    for (first, second, expected) in [
        (Err("first"), Ok(2), Ok(2)),
        (Ok(1), Err("second"), Ok(1)),
        (Err("first"), Err("second"), Err("first")),
    ] {
        let each = vec![after(&time, 1_500 * MS, first), after(&time, 100 * MS, second)];
        let mut call = pin!(hedge.run(attempts(each)));
        assert!(poll(call.as_mut()).is_pending());
        time.advance(1_000 * MS);
        let mut answer = poll(call.as_mut());
        for _ in 0..2 {
            if answer.is_pending() {
                time.advance(if first.is_ok() || second.is_err() { 250 * MS } else { 100 * MS });
                answer = poll(call.as_mut());
            }
        }
        assert_eq!(answer, Poll::Ready(expected));
    }
}

#[test]
fn the_delay_follows_the_quantile_of_the_last_calls() {
    let time = VirtualTime::new();
    let hedge = hedge(1.0, &time);
    assert_eq!(hedge.snapshot().delay, 1_000 * MS);
    for n in 0..200 {
        let delay = if n % 10 == 0 { 300 * MS } else { 20 * MS };
        let mut call = pin!(hedge.run(attempts(vec![after(&time, delay, Ok(1))])));
        assert!(poll(call.as_mut()).is_pending());
        time.advance(delay);
        assert!(poll(call.as_mut()).is_ready());
    }
    assert_eq!(hedge.snapshot().delay, 300 * MS);
    hedge.reconfigure(HedgeConfig { max_delay: 50 * MS, ..HedgeConfig::default() }).unwrap();
    assert_eq!(hedge.snapshot().delay, 50 * MS);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = HedgeConfig::default();
    for (config, name) in [
        (HedgeConfig { quantile: 1.0, ..config }, "quantile"),
        (HedgeConfig { quantile: f64::NAN, ..config }, "quantile"),
        (HedgeConfig { min_delay: Duration::ZERO, ..config }, "min_delay"),
        (HedgeConfig { max_delay: Duration::from_nanos(1), ..config }, "max_delay"),
        (HedgeConfig { calls: 0, ..config }, "calls"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}
