//! Time limits: a call that takes too long is dropped, and told apart from one that is given up.

use std::{
    future::{Future as _, pending, ready},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{Policy as _, Reason, Settings as _, TimeLimit, TimeLimitConfig};

const SECOND: Duration = Duration::from_secs(1);

fn limit(time: &VirtualTime) -> TimeLimit {
    TimeLimit::new("test", TimeLimitConfig::default(), time).unwrap()
}

#[test]
fn a_call_that_takes_too_long_is_dropped_at_its_time() {
    let time = VirtualTime::new();
    let limit = limit(&time);
    let cx = &mut Context::from_waker(Waker::noop());

    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let mut call = pin!(limit.run(async move {
        let _held = held;
        pending::<()>().await;
    }));
    assert!(call.as_mut().poll(cx).is_pending());
    time.advance(SECOND - Duration::from_nanos(1));
    assert!(call.as_mut().poll(cx).is_pending());
    time.advance(Duration::from_nanos(1));
    let Poll::Ready(Err(rejected)) = call.as_mut().poll(cx) else { panic!("its time is up") };
    assert_eq!(rejected.reason, Reason::Timeout);
    assert_eq!(Arc::strong_count(&alive), 1, "the call was dropped with the end");
    assert_eq!(limit.snapshot().balance.dropped(Reason::Timeout), 1);
}

#[test]
fn an_answer_counts_and_so_does_a_cancel() {
    let time = VirtualTime::new();
    let limit = limit(&time);
    let cx = &mut Context::from_waker(Waker::noop());

    assert!(matches!(pin!(limit.run(ready(7))).poll(cx), Poll::Ready(Ok(7))));
    {
        let mut call = pin!(limit.run(pending::<()>()));
        assert!(call.as_mut().poll(cx).is_pending());
        assert_eq!(limit.snapshot().balance.queued, 1);
    }
    let balance = limit.snapshot().balance;
    assert_eq!((balance.offered, balance.delivered, balance.queued), (2, 1, 0));
    assert_eq!(balance.dropped(Reason::Canceled), 1);
}

#[test]
fn what_a_request_has_left_counts_if_that_is_less() {
    let time = VirtualTime::new();
    let limit = limit(&time);
    let cx = &mut Context::from_waker(Waker::noop());

    let mut call = pin!(limit.run_within(SECOND / 4, pending::<()>()));
    assert!(call.as_mut().poll(cx).is_pending());
    time.advance(SECOND / 4);
    assert!(call.as_mut().poll(cx).is_ready());
    // An answer that is there is taken, also without any time left.
    assert!(matches!(
        pin!(limit.run_within(Duration::ZERO, ready(1))).poll(cx),
        Poll::Ready(Ok(1))
    ));
}

#[test]
fn without_a_clock_a_call_that_is_not_ready_is_refused() {
    let limit = TimeLimit::new("test", TimeLimitConfig::default(), &Immediate).unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Err(rejected)) = pin!(limit.run(pending::<()>())).poll(cx) else {
        panic!("there is no timer");
    };
    assert_eq!(rejected.reason, Reason::Shutdown);
}

#[test]
fn a_time_out_of_none_is_refused_and_one_for_ever_is_no_limit() {
    let time = VirtualTime::new();
    let limit = limit(&time);
    let none = TimeLimitConfig { timeout: Duration::ZERO };
    assert_eq!(none.validate().unwrap_err().setting(), "timeout");
    assert!(limit.reconfigure(none).is_err());

    limit.reconfigure(TimeLimitConfig { timeout: Duration::MAX }).unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut call = pin!(limit.run(pending::<()>()));
    assert!(call.as_mut().poll(cx).is_pending());
    time.advance(1_000_000 * SECOND);
    assert!(call.as_mut().poll(cx).is_pending());
}
