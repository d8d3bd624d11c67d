//! Calls: what is retried and when, what a limit, a breaker and a hedge see of them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::pending,
    io,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use http::{Method, Request, Response, StatusCode};
use millstream::scheduler::VirtualTime;
use millstream_http::{CallError, FlowExt as _, HttpClient};
use millstream_pressure::{
    Algorithm, Breaker, BreakerConfig, BreakerWindow, ConcurrencyLimit, Hedge, HedgeConfig,
    LimitConfig, Outcome, Policy as _, Reason, RetryBudget, RetryConfig, TimeLimit,
    TimeLimitConfig,
};
use millstream_testkit::Probe;
use tower::{Service, service_fn};

use crate::{now, poll};

const SECOND: Duration = Duration::from_secs(1);

/// A status, and a `Retry-After`.
type Answer = (u16, Option<&'static str>);

/// What a server is going to answer, one after the other.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<VecDeque<Answer>>>);

impl Script {
    fn of(answers: &[Answer]) -> Self {
        Self(Arc::new(Mutex::new(answers.iter().copied().collect())))
    }

    fn n_left(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn service(
        &self,
    ) -> impl Service<Request<()>, Response = Response<()>, Error = io::Error, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static {
        let script = self.clone();
        service_fn(move |_: Request<()>| {
            let answer = script.0.lock().unwrap().pop_front();
            async move {
                let (status, after) = answer.expect("it is called no more than that");
                if status == 0 {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                let mut response = Response::new(());
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                if let Some(after) = after {
                    response.headers_mut().insert("retry-after", after.parse().unwrap());
                }
                Ok(response)
            }
        })
    }
}

fn budget(time: &VirtualTime) -> RetryBudget {
    let config = RetryConfig { ratio: 1.0, ..RetryConfig::default() };
    RetryBudget::new("test", config, time).unwrap()
}

fn request(method: Method) -> Request<()> {
    Request::builder().method(method).uri("/").body(()).unwrap()
}

fn status(result: Result<Response<()>, CallError>) -> u16 {
    result.unwrap().status().as_u16()
}

#[test]
fn a_retry_after_is_waited_for_and_up_to_as_long_again() {
    let mut waits = Vec::new();
    for _ in 0..50 {
        let time = VirtualTime::new();
        let script = Script::of(&[(503, Some("4")), (200, None)]);
        let client = HttpClient::new(script.service(), &time).retry(&budget(&time));
        let mut call = pin!(client.call(request(Method::GET)));
        let mut ms = 0_u64;
        let result = loop {
            match poll(call.as_mut()) {
                Poll::Ready(result) => break result,
                Poll::Pending => time.advance(Duration::from_millis(10)),
            }
            ms += 10;
        };
        assert_eq!(status(result), 200);
        waits.push(ms);
    }
    assert!(waits.iter().all(|ms| (4_000..=8_020).contains(ms)), "{waits:?}");
    waits.sort_unstable();
    assert!(waits[40] - waits[10] > 1_000, "they are spread: {waits:?}");
}

#[test]
fn what_would_take_too_long_is_not_waited_for() {
    let time = VirtualTime::new();
    let script = Script::of(&[(503, Some("31"))]);
    let client = HttpClient::new(script.service(), &time).retry(&budget(&time));
    assert_eq!(status(now(client.call(request(Method::GET)))), 503);
}

#[test]
fn only_what_may_be_made_twice_is_made_twice() {
    let time = VirtualTime::new();
    let made = |method: Method, answers: &[Answer]| {
        let script = Script::of(answers);
        let client = HttpClient::new(script.service(), &time).retry(&budget(&time));
        let mut call = pin!(client.call(request(method)));
        let mut result = poll(call.as_mut());
        while result.is_pending() {
            time.advance(SECOND);
            result = poll(call.as_mut());
        }
        answers.len() - script.n_left()
    };
    assert_eq!(made(Method::PUT, &[(502, None), (200, None)]), 2);
    assert_eq!(made(Method::GET, &[(0, None), (200, None)]), 2, "a lost connection");
    assert_eq!(made(Method::POST, &[(503, None), (200, None)]), 1);
    assert_eq!(made(Method::GET, &[(500, None), (200, None)]), 1, "it would fail again");
    assert_eq!(made(Method::GET, &[(404, None), (200, None)]), 1);
    assert_eq!(made(Method::GET, &[(503, None); 5]), 3, "as often as is set");

    let script = Script::of(&[(503, None), (200, None)]);
    let client = HttpClient::new(script.service(), &time).retry(&budget(&time));
    let client = client.repeat_if(|_| true);
    let mut call = pin!(client.call(request(Method::POST)));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(SECOND);
    assert!(poll(call).is_ready());
}

#[test]
fn a_limit_holds_attempts_and_not_the_time_between_them() {
    let time = VirtualTime::new();
    let config = LimitConfig { algorithm: Algorithm::Fixed(1), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("test", config, &time).unwrap();
    let script = Script::of(&[(503, Some("5")), (200, None), (200, None)]);
    let client = HttpClient::new(script.service(), &time).retry(&budget(&time)).limit(&limit);
    let mut first = pin!(client.call(request(Method::GET)));
    assert!(poll(first.as_mut()).is_pending());
    assert_eq!(limit.snapshot().in_flight, 0, "it waits to try again");
    assert_eq!(status(now(client.call(request(Method::GET)))), 200);
    time.advance(SECOND * 10);
    let Poll::Ready(result) = poll(first) else { panic!("its time has come") };
    assert_eq!(status(result), 200);
    let snapshot = limit.snapshot();
    assert_eq!((snapshot.ended(Outcome::Success), snapshot.ended(Outcome::Failure)), (2, 1));
}

#[test]
fn a_breaker_stops_calls_and_they_are_not_retried() {
    let time = VirtualTime::new();
    let window = BreakerWindow::Count(4);
    let config = BreakerConfig { window, min_calls: 4, ..BreakerConfig::default() };
    let breaker = Breaker::new("test", config, &time).unwrap();
    let script = Script::of(&[(500, None); 4]);
    let client = HttpClient::new(script.service(), &time).breaker(&breaker);
    (0..4).for_each(|_| assert_eq!(status(now(client.call(request(Method::GET)))), 500));
    let client = client.retry(&budget(&time));
    let refused = now(client.call(request(Method::GET))).unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::BreakerOpen));
    assert!(refused.retry_after().is_some());
    let error = millstream::Error::from(refused);
    assert_eq!(error.kind(), millstream::ErrorKind::Rejected);
}

#[test]
fn a_slow_call_gets_a_second_one_and_one_that_hangs_is_given_up() {
    let time = VirtualTime::new();
    let n_calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_calls);
    let service = service_fn(move |_: Request<()>| {
        *counter.lock().unwrap() += 1;
        let is_first = *counter.lock().unwrap() == 1;
        async move { if is_first { pending().await } else { Ok::<_, Infallible>(Response::new(())) } }
    });
    let budget = budget(&time);
    let hedge = Hedge::new("test", HedgeConfig::default(), &budget, &time).unwrap();
    let client = HttpClient::new(service, &time).hedge(&hedge);
    let mut call = pin!(client.call(request(Method::GET)));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(SECOND);
    let Poll::Ready(result) = poll(call) else { panic!("the second answers") };
    assert_eq!((status(result), hedge.snapshot().n_won), (200, 1));

    let hang = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let limit = TimeLimit::new("test", TimeLimitConfig::default(), &time).unwrap();
    let client = HttpClient::new(hang, &time).time_limit(&limit);
    let mut call = pin!(client.call(request(Method::GET)));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(SECOND * 60);
    let Poll::Ready(result) = poll(call) else { panic!("its time is up") };
    assert_eq!(result.unwrap_err().reason(), Some(Reason::Timeout));
}

#[test]
fn a_call_that_is_retried_and_hedged_counts_once() {
    let time = VirtualTime::new();
    let n_calls = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&n_calls);
    let service = service_fn(move |_: Request<()>| {
        *counter.lock().unwrap() += 1;
        let status = if *counter.lock().unwrap() == 1 { 503 } else { 200 };
        std::future::ready(Ok::<_, Infallible>(
            Response::builder().status(status).body(()).unwrap(),
        ))
    });
    let budget = budget(&time);
    let hedge = Hedge::new("test", HedgeConfig::default(), &budget, &time).unwrap();
    let client = HttpClient::new(service, &time).retry(&budget).hedge(&hedge);
    let mut call = pin!(client.call(request(Method::GET)));
    assert!(poll(call.as_mut()).is_pending());
    time.advance(SECOND * 60);
    let Poll::Ready(result) = poll(call) else { panic!("the second attempt answers") };

    assert_eq!((status(result), *n_calls.lock().unwrap()), (200, 2));
    let seen = budget.snapshot();
    assert_eq!((seen.n_calls, seen.n_retries), (1, 1));
}

#[test]
fn a_flow_asks_for_as_many_requests_as_are_called_with() {
    let hang = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let client = HttpClient::new(hang, &VirtualTime::new());
    let (puppet, publisher) = millstream_testkit::Puppet::new();
    let flow = millstream::Flow::from(publisher).map_http(3, &client);
    let probe = Probe::subscribe_to(flow.map(|result| result.is_ok()));
    probe.request(100);
    wait_until(|| puppet.demand().get() == 3);
    (0..3).for_each(|_| puppet.next(request(Method::GET)).unwrap());
    assert_eq!(puppet.n_requests(), 1, "none has come back");
    probe.cancel();
    wait_until(|| puppet.is_canceled());
}

/// Lets other threads run until it is so.
fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..10_000_000 {
        if is_so() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("it did not come");
}
