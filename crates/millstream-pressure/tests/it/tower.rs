//! Policies as layers of tower.

use std::{
    convert::Infallible,
    future::{Future, pending},
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Admit, Algorithm, Breaker, BreakerConfig, BreakerWindow, Bulkhead, BulkheadConfig, Class,
    ConcurrencyLimit, Credits, CreditsConfig, Hedge, HedgeConfig, LimitConfig, Outcome,
    Policy as _, RateConfig, RateLimit, Reason, RetryBudget, RetryConfig, TimeLimit,
    TimeLimitConfig,
    tower::{HedgeLayer, PolicyError, PolicyLayer, RetryLayer, TimeLimitLayer},
};
use tower::{Layer, Service, ServiceExt as _, service_fn};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What a future that is ready at once has.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

fn limit(n: u64, time: &VirtualTime) -> ConcurrencyLimit {
    let config = LimitConfig { algorithm: Algorithm::Fixed(n), ..LimitConfig::default() };
    ConcurrencyLimit::new("test", config, time).unwrap()
}

#[test]
fn a_permit_is_held_until_the_response_is_there() {
    let time = VirtualTime::new();
    let limit = limit(1, &time);
    let hang = |()| pending::<Result<u32, Infallible>>();
    let mut service = PolicyLayer::refusing(&limit).layer(service_fn(hang));
    let mut first = Box::pin(service.call(()));
    assert!(poll(first.as_mut()).is_pending());
    let refused = now(service.call(())).unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::Limit));
    assert!(refused.to_string().contains("in progress"));
    drop(first);
    let snapshot = limit.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.ended(Outcome::Canceled)), (0, 1));
}

#[test]
fn calls_wait_where_they_are_told_to() {
    let time = VirtualTime::new();
    let limit = limit(1, &time);
    let held = limit.try_acquire().unwrap();
    let echo = |n: u32| async move { Ok::<_, Infallible>(n) };
    let mut service = PolicyLayer::waiting(&limit).layer(service_fn(echo));
    let mut call = pin!(service.call(7));
    assert!(poll(call.as_mut()).is_pending());
    held.finish(Outcome::Success);
    assert!(matches!(poll(call.as_mut()), Poll::Ready(Ok(7))));
}

#[test]
fn a_response_can_be_a_failure() {
    let time = VirtualTime::new();
    let window = BreakerWindow::Count(4);
    let config = BreakerConfig { window, min_calls: 4, ..BreakerConfig::default() };
    let breaker = Breaker::new("test", config, &time).unwrap();
    let layer = PolicyLayer::refusing(&breaker).outcome_of(|result: &Result<u16, Infallible>| {
        if *result == Ok(503) { Outcome::Failure } else { Outcome::Success }
    });
    let mut service = layer.layer(service_fn(|status: u16| async move { Ok(status) }));
    (0..4).for_each(|_| assert_eq!(now(service.call(503)).unwrap(), 503));
    let refused = now(service.call(200)).unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::BreakerOpen));
    assert!(refused.retry_after().is_some());
}

#[test]
fn requests_are_classed() {
    let time = VirtualTime::new();
    let config = BulkheadConfig { max_concurrent: 1, ..BulkheadConfig::default() };
    let bulkhead = Bulkhead::new("test", config, &time).unwrap();
    let _held = bulkhead.try_acquire("a").unwrap();
    let layer = PolicyLayer::refusing(&bulkhead).classify(|host: &&str| Class::for_tenant(host));
    let mut service =
        layer.layer(service_fn(|host: &'static str| async move { Ok::<_, Infallible>(host) }));
    assert_eq!(now(service.call("a")).unwrap_err().reason(), Some(Reason::Limit));
    assert_eq!(now(service.call("b")).unwrap(), "b");
}

#[test]
fn a_service_that_fails_is_told_from_a_policy_that_refuses() {
    let time = VirtualTime::new();
    let service = service_fn(|()| async { Err::<u32, _>(io::Error::other("broken")) });
    let error = now(PolicyLayer::refusing(&limit(1, &time)).layer(service).oneshot(()));
    let error = error.unwrap_err();
    assert!(matches!(&error, PolicyError::Service(error) if error.to_string() == "broken"));
    assert_eq!((error.reason(), error.retry_after()), (None, None));
}

#[test]
fn rates_and_credits_are_policies_too() {
    fn refuses_the_second<A: Admit>(policy: &A, reason: Reason) {
        let hang = |()| pending::<Result<u32, Infallible>>();
        let mut service = PolicyLayer::refusing(policy).layer(service_fn(hang));
        let mut first = Box::pin(service.call(()));
        assert!(poll(first.as_mut()).is_pending());
        assert_eq!(now(service.call(())).unwrap_err().reason(), Some(reason));
    }
    let time = VirtualTime::new();
    let rate = RateLimit::new("test", RateConfig { rate: 1.0, burst: 1 }, &time).unwrap();
    refuses_the_second(&rate, Reason::Rate);
    let credits = Credits::new("test", CreditsConfig::fixed(1), &time).unwrap();
    refuses_the_second(&credits, Reason::Full);
}

#[test]
fn calls_that_take_too_long_are_dropped() {
    let time = VirtualTime::new();
    let limit = TimeLimit::new("test", TimeLimitConfig::default(), &time).unwrap();
    let hang = |()| pending::<Result<u32, Infallible>>();
    let mut service = TimeLimitLayer::new(&limit).layer(service_fn(hang));
    let mut call = pin!(service.call(()));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(Duration::from_secs(1));
    let Poll::Ready(Err(error)) = poll(call) else { panic!("its time is up") };
    assert_eq!(error.reason(), Some(Reason::Timeout));
}

/// A service that fails so often before it answers, and how often it was called.
fn failing(
    n: u32,
) -> (
    Arc<Mutex<u32>>,
    impl Service<(), Response = u32, Error = &'static str, Future: Send> + Clone + Send,
) {
    let n_calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_calls);
    let service = service_fn(move |()| {
        let mut n_calls = counter.lock().unwrap();
        *n_calls += 1;
        let result = if *n_calls > n { Ok(*n_calls) } else { Err("broken") };
        async move { result }
    });
    (n_calls, service)
}

#[test]
fn failed_calls_are_retried_within_the_budget() {
    let time = VirtualTime::new();
    for (ratio, expected, n_made) in [(1.0, Ok(2), 2), (0.0, Err("broken"), 1)] {
        let config = RetryConfig { ratio, min_per_second: 0.0, ..RetryConfig::default() };
        let budget = RetryBudget::new("test", config, &time).unwrap();
        let (n_calls, service) = failing(1);
        let layer = RetryLayer::new(&budget, Result::<u32, &str>::is_err);
        let mut call = pin!(layer.layer(service).oneshot(()));
        let mut result = poll(call.as_mut());
        if result.is_pending() {
            time.advance(Duration::from_secs(1));
            result = poll(call.as_mut());
        }
        assert_eq!(result, Poll::Ready(expected));
        assert_eq!(*n_calls.lock().unwrap(), n_made);
    }
}

#[test]
fn slow_calls_get_a_second_attempt() {
    let time = VirtualTime::new();
    let config = RetryConfig { ratio: 1.0, ..RetryConfig::default() };
    let budget = RetryBudget::new("test", config, &time).unwrap();
    let hedge = Hedge::new("test", HedgeConfig::default(), &budget, &time).unwrap();
    let n_calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_calls);
    let service = service_fn(move |()| {
        let mut n_calls = counter.lock().unwrap();
        *n_calls += 1;
        let is_first = *n_calls == 1;
        async move { if is_first { pending().await } else { Ok::<u32, Infallible>(2) } }
    });
    let mut call = pin!(HedgeLayer::new(&hedge).layer(service).oneshot(()));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(Duration::from_secs(1));
    assert_eq!(poll(call), Poll::Ready(Ok(2)));
    assert_eq!(hedge.snapshot().n_won, 1);
}
