//! Policies in front of responders and requesters, and several connections.

use std::{future::ready, sync::Arc, time::Duration};

use millstream::{ErrorKind, just, scheduler::ambient};
use millstream_pressure::{
    Algorithm, Breaker, BreakerConfig, BreakerState, Class, ConcurrencyLimit, Criticality,
    LimitConfig, Policy as _,
};
use millstream_rsocket::{
    Answers, Balancer, Client, ErrorCode, Guard, Payload, RSocketError, Requester, Responder,
    Server, proto::Config,
};
use millstream_testkit::Probe;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{Service, in_process, settle};

fn limit(n: u64) -> ConcurrencyLimit {
    let config = LimitConfig { algorithm: Algorithm::Fixed(n), ..LimitConfig::default() };
    ConcurrencyLimit::new("requests", config, &ambient()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_limit_refuses_requests_before_the_responder_sees_them() {
    let limit = limit(2);
    let service = Service::default();
    let server = Server::new(Guard::new(service.clone(), limit.clone()));
    let requester = in_process(&Client::new(), &server);
    let (one, first) = Probe::new();
    let (two, second) = Probe::new();
    requester.request_stream("never").subscribe(first);
    requester.request_response("never").subscribe(second);
    one.request(1);
    two.request(1);
    settle().await;
    assert_eq!(limit.snapshot().in_flight, 2);

    let refused = requester.request_response("x").first().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert_eq!(refused.downcast_ref::<RSocketError>().unwrap().code, ErrorCode::REJECTED);
    requester.fire_and_forget("lost").count().await.unwrap();
    settle().await;
    assert_eq!(service.heard.lock().len(), 0);

    // A cancel gives a permit back, and so does the end of a stream.
    one.cancel();
    settle().await;
    assert_eq!(requester.request_stream("3").count().await.unwrap(), 3);
    requester.fire_and_forget("heard").count().await.unwrap();
    settle().await;
    assert_eq!(service.heard.lock().len(), 1);
    assert_eq!(limit.snapshot().in_flight, 1);
    two.cancel();
    settle().await;
    assert_eq!(limit.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_answers_and_fails_requests_unsent() {
    let server = Server::new(Service::default());
    let requester = in_process(&Client::new(), &server);
    let breaker = Breaker::new("service", BreakerConfig::default(), &ambient()).unwrap();
    let guarded = requester.guarded(breaker.clone());
    // `first` cancels after the item: a success.
    for _ in 0..200 {
        guarded.request_response("x").first().await.unwrap();
        assert_eq!(guarded.request_stream("9").take(1).count().await.unwrap(), 1);
    }
    assert_eq!(breaker.snapshot().state, BreakerState::Closed);
    let mut n_failed = 0;
    let refused = loop {
        let error = guarded.request_response("fail").first().await.unwrap_err();
        if error.kind() == ErrorKind::Rejected {
            break error;
        }
        n_failed += 1;
        assert!(n_failed < 1000, "it never opens");
    };
    assert_eq!(refused.downcast_ref::<RSocketError>().unwrap().code, ErrorCode::REJECTED);
    assert!(matches!(breaker.snapshot().state, BreakerState::Open { .. }));
    assert!(guarded.request_channel(just(Payload::from("x"))).first().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_route_says_of_which_class_a_request_is() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = Arc::clone(&seen);
    let guard = Guard::new(Service::default(), limit(10)).classify(move |request| {
        see.lock().push(request.data.clone());
        Class { criticality: Criticality::Sheddable, ..Class::default() }
    });
    let requester = in_process(&Client::new(), &Server::new(guard));
    requester.request_response("a").first().await.unwrap();
    requester.request_channel(just(Payload::from("b"))).first().await.unwrap();
    assert_eq!(*seen.lock(), ["a", "b"]);
}

/// Answers after a time.
struct Slow(Duration);

impl Responder for Slow {
    fn request_response(&self, request: Payload) -> Answers {
        just(request).delay(&ambient(), self.0, 1).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_is_asked_less() {
    let times = [1, 2, 100].map(Duration::from_millis);
    let connect =
        |time: &Duration| ready(Ok(in_process(&Client::new(), &Server::new(Slow(*time)))));
    let balancer = Balancer::new(times.to_vec(), connect);
    balancer.ready().await;
    settle().await;
    let callers: Vec<JoinHandle<()>> = (0..4)
        .map(|_| {
            let balancer = balancer.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    balancer.request_response("x").first().await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let counts = balancer.n_requests();
    assert_eq!(counts.iter().sum::<u64>(), 400);
    assert!((1..20).contains(&counts[2]), "{counts:?}");
    assert!(counts[0] > 100 && counts[1] > 50, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_lease_is_not_asked() {
    let config = Config { lease: true, ..Config::default() };
    let connect = move |n_requests: &u32| {
        let n_requests = *n_requests;
        let server = Server::accepting(move |_, requester| {
            requester.grant_lease(n_requests, Duration::from_secs(60));
            Ok(Service::default())
        });
        ready(Ok(in_process(&Client::new().lease(), &server.config(config.clone()))))
    };
    let balancer = Balancer::new(vec![0, 3, 0], connect);
    balancer.ready().await;
    settle().await;
    for _ in 0..3 {
        balancer.request_response("x").first().await.unwrap();
    }
    let refused = balancer.request_response("x").first().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert_eq!(balancer.n_requests(), [0, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_is_replaced_and_retry_uses_the_next() {
    // The first connections end after a moment, and some cannot be made.
    let n_attempts = Arc::new(Mutex::new(0));
    let count = Arc::clone(&n_attempts);
    let connect = move |(): &()| {
        let mut n_attempts = count.lock();
        *n_attempts += 1;
        if *n_attempts % 3 == 2 {
            return ready(Err(std::io::ErrorKind::ConnectionRefused.into()));
        }
        let requester: Requester = in_process(&Client::new(), &Server::new(Service::default()));
        if *n_attempts < 6 {
            let closing = requester.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                closing.close();
            });
        }
        ready(Ok(requester))
    };
    let balancer = Balancer::new(vec![()], connect);
    let none_yet = balancer.request_response("x").first().await.unwrap_err();
    assert_eq!(none_yet.kind(), ErrorKind::Disconnected);
    for n in 0..50 {
        let backoff = millstream::Backoff::default();
        let answer = balancer.request_response("x").retry_backoff(backoff).first().await;
        assert_eq!(answer.unwrap(), Some(Payload::from("x")), "{n}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(*n_attempts.lock() >= 6);
    // Dropped with its last flow, it connects no more.
    let before = *n_attempts.lock();
    drop(balancer);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*n_attempts.lock(), before);
}
