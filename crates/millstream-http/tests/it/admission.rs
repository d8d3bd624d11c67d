//! Which requests are served, in which order it is decided, and what those are told that are not.

use std::{convert::Infallible, future::pending, pin::pin, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use millstream::scheduler::VirtualTime;
use millstream_http::{Admission, FlowBody, Hold, Reserved};
use millstream_pressure::{
    Algorithm, Breaker, BreakerConfig, BreakerWindow, Bulkhead, BulkheadConfig, Class,
    ConcurrencyLimit, KeyedRate, KeyedRateConfig, LimitConfig, Outcome, Policy as _, Queue,
    QueueConfig, RetrySpread, RetrySpreadConfig,
};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::{now, poll};

fn spread(time: &VirtualTime) -> RetrySpread {
    RetrySpread::new("test", RetrySpreadConfig::default(), time).unwrap()
}

fn limit(n: u64, time: &VirtualTime) -> ConcurrencyLimit {
    let config = LimitConfig { algorithm: Algorithm::Fixed(n), ..LimitConfig::default() };
    ConcurrencyLimit::new("test", config, time).unwrap()
}

fn breaker(time: &VirtualTime) -> Breaker {
    let window = BreakerWindow::Count(4);
    let config = BreakerConfig { window, min_calls: 4, ..BreakerConfig::default() };
    Breaker::new("test", config, time).unwrap()
}

/// A service whose status is the request's path.
fn by_path()
-> impl Service<Request<String>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
+ Clone {
    service_fn(|request: Request<String>| async move {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut response = Response::new(Full::new(Bytes::from(request.into_body())));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(response)
    })
}

fn get(path: &str) -> Request<String> {
    Request::get(path).header("host", "localhost").body("hello".to_owned()).unwrap()
}

#[test]
fn a_request_that_is_admitted_is_served_whole() {
    let admission = Admission::new(&spread(&VirtualTime::new()));
    let response = now(admission.layer().layer(by_path()).oneshot(get("/201"))).unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert_eq!(now(response.into_body().collect()).unwrap().to_bytes(), "hello");
}

#[test]
fn the_order_is_the_same_whatever_the_order_of_naming() {
    let time = VirtualTime::new();
    let (limit, breaker) = (limit(1, &time), breaker(&time));
    let config = KeyedRateConfig { rate: 0.5, burst: 2, ..KeyedRateConfig::default() };
    let rates = KeyedRate::new("test", config, &time).unwrap();
    let admission = Admission::new(&spread(&time))
        .limit(&limit)
        .breaker(&breaker)
        .rate(&rates, |_| Some("alice"))
        .bypass(|parts| parts.uri.path() == "/204");
    let mut service = admission.layer().layer(by_path());
    let mut call = |path| {
        let response = now(service.call(get(path))).unwrap();
        let status = response.status().as_u16();
        let (parts, body) = response.into_parts();
        let text = now(body.collect()).unwrap().to_bytes();
        (status, String::from_utf8(text.to_vec()).unwrap(), parts.headers)
    };

    // Everything refuses: the limit, the breaker, and after two requests the rate.
    let held = limit.try_acquire().unwrap();
    breaker.open_for(Duration::from_secs(60));
    let (status, reason, headers) = call("/200");
    assert_eq!((status, reason.as_str()), (503, "breaker_open"));
    // The breaker knows how long.
    assert_eq!(headers["retry-after"], "60");
    breaker.close();
    let (status, reason, headers) = call("/200");
    assert_eq!((status, reason.as_str()), (503, "limit"));
    let after: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&after));
    let (status, reason, headers) = call("/200");
    assert_eq!((status, reason.as_str()), (429, "rate"));
    assert_eq!(headers["retry-after"], "2");
    assert_eq!(headers["ratelimit-limit"], "2");
    assert_eq!(headers["ratelimit-remaining"], "0");
    assert_eq!(headers["ratelimit-reset"], "4");
    // What is vital is served.
    assert_eq!(call("/204").0, 204);

    // The limit's refusal was no result for the breaker.
    assert_eq!(breaker.snapshot().calls, 0);
    drop(held);
    time.advance(Duration::from_secs(4));
    let (status, _, headers) = call("/200");
    assert_eq!((status, headers["ratelimit-remaining"].to_str().unwrap()), (200, "1"));
    assert_eq!(limit.snapshot().in_flight, 0);
}

#[test]
fn statuses_say_how_calls_have_ended() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    let admission = Admission::new(&spread(&time)).breaker(&breaker);
    let mut service = admission.layer().layer(by_path());
    // A client's mistake is no failure of the service.
    (0..8).for_each(|_| assert_eq!(now(service.call(get("/404"))).unwrap().status(), 404));
    assert_eq!(breaker.snapshot().n_opened, 0);
    // Half of the last four.
    (0..2).for_each(|_| assert_eq!(now(service.call(get("/500"))).unwrap().status(), 500));
    assert_eq!(now(service.call(get("/200"))).unwrap().status(), 503);
    assert_eq!(breaker.snapshot().n_opened, 1);

    let breaker = self::breaker(&time);
    let admission = Admission::new(&spread(&time))
        .breaker(&breaker)
        .outcome_of(|status| if status == 404 { Outcome::Failure } else { Outcome::Success });
    let mut service = admission.layer().layer(by_path());
    (0..4).for_each(|_| assert_eq!(now(service.call(get("/404"))).unwrap().status(), 404));
    assert_eq!(now(service.call(get("/200"))).unwrap().status(), 503);
}

#[test]
fn a_client_that_goes_gives_its_permit_back() {
    let time = VirtualTime::new();
    let limit = limit(1, &time);
    let hang = |_: Request<String>| pending::<Result<Response<Full<Bytes>>, Infallible>>();
    let mut service = Admission::new(&spread(&time)).limit(&limit).layer().layer(service_fn(hang));
    let mut call = Box::pin(service.call(get("/")));
    assert!(poll(call.as_mut()).is_pending());
    assert_eq!(limit.snapshot().in_flight, 1);
    drop(call);
    let snapshot = limit.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.ended(Outcome::Canceled)), (0, 1));
}

#[test]
fn requests_wait_where_the_limit_has_them_wait() {
    let time = VirtualTime::new();
    let config = LimitConfig {
        algorithm: Algorithm::Fixed(1),
        backlog: 1,
        timeout: Duration::from_secs(2),
        ..LimitConfig::default()
    };
    let limit = ConcurrencyLimit::new("test", config, &time).unwrap();
    let admission = Admission::new(&spread(&time)).limit_waiting(&limit);
    let mut service = admission.layer().layer(by_path());
    let held = limit.try_acquire().unwrap();
    let mut first = pin!(service.call(get("/200")));
    assert!(poll(first.as_mut()).is_pending());
    let second = now(service.call(get("/200"))).unwrap();
    assert_eq!(second.status(), 503, "no more than one waits");
    held.finish(Outcome::Success);
    let std::task::Poll::Ready(response) = poll(first) else { panic!("it has its place") };
    assert_eq!(response.unwrap().status(), 200);

    let held = limit.try_acquire().unwrap();
    let mut late = pin!(service.call(get("/200")));
    assert!(poll(late.as_mut()).is_pending());
    time.advance(Duration::from_secs(2));
    let std::task::Poll::Ready(response) = poll(late) else { panic!("it has waited long enough") };
    let response = response.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(now(response.into_body().collect()).unwrap().to_bytes(), "timeout");
    drop(held);
}

#[test]
fn a_place_in_the_queue_is_filled_by_the_handler_or_given_back() {
    let time = VirtualTime::new();
    let config = QueueConfig { capacity: 1, ..QueueConfig::default() };
    let queue: Queue<String> = Queue::new("test", config, &time).unwrap();
    let handle = |mut request: Request<String>| async move {
        let place = request.extensions_mut().remove::<Reserved<String>>().unwrap();
        if request.uri().path() == "/keep" {
            place.take().unwrap().put(request.into_body());
        }
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    };
    let mut service =
        Admission::new(&spread(&time)).queue(&queue).layer().layer(service_fn(handle));
    for _ in 0..3 {
        assert_eq!(now(service.call(get("/drop"))).unwrap().status(), 200);
    }
    assert_eq!(now(service.call(get("/keep"))).unwrap().status(), 200);
    assert_eq!(now(service.call(get("/keep"))).unwrap().status(), 503);
    assert_eq!(queue.try_take().unwrap().item, "hello");
    assert_eq!(now(service.call(get("/keep"))).unwrap().status(), 200);
}

#[test]
fn permits_may_last_as_long_as_the_body() {
    let time = VirtualTime::new();
    let limit = limit(2, &time);
    let stream = |_: Request<String>| async {
        Ok::<_, Infallible>(Response::new(FlowBody::new(millstream::from_iter(["a", "b"]))))
    };
    let mut service = Admission::new(&spread(&time))
        .limit(&limit)
        .hold(Hold::UntilEnd)
        .layer()
        .layer(service_fn(stream));
    let first = now(service.call(get("/"))).unwrap();
    let second = now(service.call(get("/"))).unwrap();
    assert_eq!(limit.snapshot().in_flight, 2);
    assert_eq!(now(first.into_body().collect()).unwrap().to_bytes(), "ab");
    drop(second);
    let snapshot = limit.snapshot();
    assert_eq!(snapshot.in_flight, 0);
    assert_eq!((snapshot.ended(Outcome::Success), snapshot.ended(Outcome::Canceled)), (1, 1));
}

#[test]
fn the_class_of_a_request_reaches_the_policies() {
    let time = VirtualTime::new();
    let config = BulkheadConfig { max_concurrent: 1, ..BulkheadConfig::default() };
    let bulkhead = Bulkhead::new("test", config, &time).unwrap();
    let _held = bulkhead.try_acquire("/200").unwrap();
    let admission = Admission::new(&spread(&time))
        .cluster(&bulkhead)
        .classify(|parts| Class::for_tenant(parts.uri.path()));
    let mut service = admission.layer().layer(by_path());
    assert_eq!(now(service.call(get("/200"))).unwrap().status(), 503);
    assert_eq!(now(service.call(get("/201"))).unwrap().status(), 201);
}
