//! How connections end, and what their streams see of it.

use std::time::Duration;

use millstream::{ErrorKind, scheduler::ambient};
use millstream_pressure::{Algorithm, ConcurrencyLimit, LimitConfig};
use millstream_rsocket::{
    Client, Payload, Server,
    proto::{Closed, Config, OpenError},
    transport::{Framed, memory},
};
use millstream_testkit::Probe;
use tokio::io::AsyncReadExt;

use super::{Service, in_process, service, settle};

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_found_out_in_time() {
    // The other end takes what comes and says nothing.
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let _reading = tokio::spawn(async move {
        let mut buffer = [0; 1024];
        while theirs.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
    });
    let client = Client::new().keep_alive(Duration::from_secs(1), Duration::from_secs(5));
    let requester = client.connect(Framed::new(ours));
    let start = tokio::time::Instant::now();

    let failure = requester.request_response("x").first().await.unwrap_err();

    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(failure.kind(), ErrorKind::Disconnected);
    assert_eq!(failure.downcast_ref::<Closed>(), Some(&Closed::KeepAlive));
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_happens_stays() {
    let (requester, _service) = service();
    tokio::time::sleep(Duration::from_secs(3600)).await;

    assert!(!requester.is_closed());
    assert_eq!(requester.request_stream("9").count().await.unwrap(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_flow_keeps_its_connection_also_before_it_is_asked_for_anything() {
    let (requester, _service) = service();
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("5").subscribe(subscriber);
    drop(requester);
    settle().await;
    probe.request(9);
    settle().await;

    assert_eq!(probe.items().len(), 5);
    assert!(probe.is_completed());
}

#[tokio::test(start_paused = true)]
async fn a_flow_may_hold_the_last_requester() {
    let (requester, _service) = service();
    let flow = requester.request_stream("5");
    drop(requester);

    assert_eq!(flow.count().await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_last_requester_closes_after_the_streams_that_are_open() {
    let (ours, theirs) = memory::pair();
    let serving = tokio::spawn(Server::new(Service::default()).serve(theirs));
    let requester = Client::new().connect(ours);
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("5").subscribe(subscriber);
    probe.request(1);
    settle().await;

    drop(requester);
    settle().await;
    assert_eq!(probe.items().len(), 1);
    assert!(!probe.is_completed() && !serving.is_finished());

    probe.request(9);
    settle().await;
    assert!(probe.is_completed());
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_after_a_close_fail_and_those_before_are_answered() {
    let (requester, _service) = service();
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("never").subscribe(subscriber);
    probe.request(1);
    settle().await;

    requester.close();
    let failure = requester.request_response("late").first().await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Disconnected);
    assert!(!requester.is_closed());

    probe.cancel();
    assert_eq!(requester.closed().await, Closed::Normally);
    // And when the task is gone.
    let failure = requester.request_response("later").first().await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Disconnected);
    assert!(requester.metadata_push("x").is_err());
}

#[tokio::test(start_paused = true)]
async fn streams_fail_on_both_sides_when_the_transport_ends() {
    let (ours, theirs) = memory::pair();
    let serving = tokio::spawn(Server::new(Service::default()).serve(theirs));
    let requester = Client::new().connect(ours);
    let (probe, subscriber) = Probe::<Payload>::new();
    requester.request_stream("never").subscribe(subscriber);
    let (idle, subscriber) = Probe::<Payload>::new();
    requester.request_stream("never asked for").subscribe(subscriber);
    probe.request(1);
    settle().await;

    serving.abort();
    settle().await;

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
    assert_eq!(idle.error().unwrap().kind(), ErrorKind::Disconnected);
    assert_eq!(requester.closed().await, Closed::Lost);
}

#[tokio::test]
async fn a_request_is_sent_again_by_retry() {
    let (requester, _service) = service();
    let failure = requester.request_response("fail").retry(3).first().await;
    assert!(failure.is_err());
}

#[tokio::test(start_paused = true)]
async fn leases_let_so_many_requests_through() {
    let client = Client::new().lease();
    let config = Config { lease: true, ..Config::default() };
    let requesters = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&requesters);
    let server = Server::accepting(move |_, requester| {
        kept.lock().push(requester);
        Ok(Service::default())
    })
    .config(config);
    let requester = in_process(&client, &server);
    settle().await;
    let refused = requester.request_response("x").first().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert_eq!(refused.downcast_ref::<OpenError>(), Some(&OpenError::NoLease), "it was not sent");

    requesters.lock()[0].grant_lease(2, Duration::from_secs(1));
    settle().await;
    assert_eq!(requester.lease(), Some(2));
    for _ in 0..2 {
        assert!(requester.request_response("x").first().await.is_ok());
    }
    assert!(requester.request_response("x").first().await.is_err());

    requesters.lock()[0].grant_lease(9, Duration::from_secs(1));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(requester.request_response("x").first().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_limit_grants_what_it_has_free() {
    let config = LimitConfig { algorithm: Algorithm::Fixed(3), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("requests", config, &ambient()).unwrap();
    let taken = limit.clone();
    let server = Server::accepting(move |_, requester| {
        let limit = limit.clone();
        let _detached = tokio::spawn(async move {
            requester.grant_from(&limit, Duration::from_secs(1)).await;
        });
        Ok(Service::default())
    });
    let config = Config { lease: true, ..Config::default() };
    let requester = in_process(&Client::new().lease(), &server.config(config));
    settle().await;
    assert_eq!(requester.lease(), Some(3));
    for _ in 0..3 {
        assert!(requester.request_response("x").first().await.is_ok());
    }
    assert!(requester.request_response("x").first().await.is_err());

    let _in_progress = taken.try_acquire().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(requester.lease(), Some(2));
}
