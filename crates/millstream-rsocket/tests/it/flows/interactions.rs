//! The five interactions, in process and by TCP.

use millstream::{Error, ErrorKind, error, from_iter, range};
use millstream_rsocket::{
    Answers, Client, ErrorCode, Payload, RSocketError, Requester, Responder, Server, frame::Setup,
};
use parking_lot::Mutex;

use super::{Service, in_process, number, numbers, service, settle};

async fn all_interactions(requester: &Requester, service: &Service) {
    requester.fire_and_forget("forget").count().await.unwrap();
    requester.metadata_push("pushed").unwrap();
    let response = requester
        .request_response(Payload::from("echo").with_metadata("beside"))
        .first()
        .await
        .unwrap();
    assert_eq!(response, Some(Payload::from("echo").with_metadata("beside")));
    assert_eq!(requester.request_response("nothing").first().await.unwrap(), None);

    let stream = requester.request_stream("1000").collect::<Vec<_>>().await.unwrap();
    assert_eq!(numbers(&stream), (0..1000).collect::<Vec<_>>());
    assert_eq!(requester.request_stream("0").count().await.unwrap(), 0);

    let channel =
        requester.request_channel(range(0..1000).map(number)).collect::<Vec<_>>().await.unwrap();
    assert_eq!(numbers(&channel), (0..1000).collect::<Vec<_>>());
    assert_eq!(requester.request_channel(range(0..0).map(number)).count().await.unwrap(), 0);
    assert_eq!(requester.request_channel(range(0..1).map(number)).count().await.unwrap(), 1);

    // A response is behind what was sent before.
    assert_eq!(*service.heard.lock(), ["forget", "pushed"]);
}

#[tokio::test]
async fn all_interactions_work_in_process() {
    let (requester, service) = service();
    all_interactions(&requester, &service).await;
}

#[tokio::test]
async fn all_interactions_work_by_tcp() {
    let service = Service::default();
    let listener = Server::new(service.clone()).listen_tcp("127.0.0.1:0").await.unwrap();
    let requester = Client::new().connect_tcp(listener.address()).await.unwrap();
    all_interactions(&requester, &service).await;
}

#[tokio::test]
async fn payloads_of_any_size_arrive_as_they_were() {
    let listener = Server::new(Service::default()).listen_tcp("127.0.0.1:0").await.unwrap();
    let requester = Client::new().connect_tcp(listener.address()).await.unwrap();
    for len in [0, 1, 4095, 4096, 65_530, 65_536, 1_000_000, 10_000_000] {
        let data: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let payload = Payload::from(data).with_metadata(vec![1; len / 3]);
        let echoed = requester.request_response(payload.clone()).first().await.unwrap();
        assert!(echoed == Some(payload), "{len}");
    }
}

#[tokio::test]
async fn errors_arrive_with_their_code_and_message() {
    let (requester, _service) = service();
    let failure = requester.request_response("fail").first().await.unwrap_err();
    let inside = failure.downcast_ref::<RSocketError>().unwrap();
    assert_eq!((inside.code, inside.message()), (ErrorCode::APPLICATION_ERROR, "as asked".into()));

    let refusal = requester.request_response("reject").first().await.unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::Rejected);

    // Items before an error are kept.
    let items = Mutex::new(0);
    let items = std::sync::Arc::new(items);
    let seen = std::sync::Arc::clone(&items);
    let outcome = requester.request_stream("fail").for_each(move |_| *seen.lock() += 1).await;
    assert!(outcome.is_err());
    assert_eq!(*items.lock(), 3);
}

#[tokio::test]
async fn a_panic_of_a_responder_fails_its_request_alone() {
    let (requester, _service) = service();
    for _ in 0..2 {
        let failure = requester.request_response("panic").first().await.unwrap_err();
        assert!(failure.to_string().contains("panicked"), "{failure}");
    }
    assert!(requester.request_stream("panic").count().await.is_err());
    assert_eq!(requester.request_stream("9").count().await.unwrap(), 9);
}

#[tokio::test]
async fn a_panic_of_a_subscriber_ends_its_stream_alone() {
    let (requester, _service) = service();
    let outcome = requester.request_stream("9").map(|_| -> u8 { panic!("here") }).count().await;
    assert!(outcome.is_err());
    assert_eq!(requester.request_stream("9").count().await.unwrap(), 9);
}

#[tokio::test]
async fn what_a_responder_does_not_answer_is_rejected() {
    struct Silent;
    impl Responder for Silent {}
    let requester = in_process(&Client::new(), &Server::new(Silent));

    for flow in [
        requester.request_response("x").boxed(),
        requester.request_stream("x").boxed(),
        requester.request_channel(range(0..3).map(number)).boxed(),
    ] {
        let failure = flow.count().await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Rejected);
    }
}

#[tokio::test]
async fn a_channel_whose_requests_fail_fails_on_both_sides() {
    let (requester, _service) = service();
    let failing = range(0..2).map(number).concat(error(Error::message("of the requester")));

    let failure = requester.request_channel(failing).count().await.unwrap_err();

    assert!(failure.to_string().contains("of the requester"));
    assert_eq!(requester.request_stream("9").count().await.unwrap(), 9);
}

#[tokio::test]
async fn a_server_may_ask_its_client() {
    struct Asks(Mutex<Option<Requester>>);
    impl Responder for Asks {
        fn request_stream(&self, request: Payload) -> Answers {
            let requester = self.0.lock().clone().unwrap();
            requester.request_stream(request).boxed()
        }
    }
    let server = Server::accepting(|_: &Setup, requester| Ok(Asks(Mutex::new(Some(requester)))));
    let client = Client::new().responder(Service::default());
    let requester = in_process(&client, &server);

    let stream = requester.request_stream("500").collect::<Vec<_>>().await.unwrap();

    assert_eq!(numbers(&stream), (0..500).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_is_refused_is_told_why() {
    let server = Server::accepting(|setup: &Setup, _| {
        if setup.payload.data == "secret" {
            Ok(Service::default())
        } else {
            Err(RSocketError::new(ErrorCode::REJECTED_SETUP, "who are you?"))
        }
    });
    let stranger = in_process(&Client::new(), &server);
    let failure = stranger.request_response("x").first().await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Rejected);
    assert!(stranger.closed().await.to_string().contains("who are you?"));

    let known = in_process(&Client::new().setup("secret"), &server);
    assert!(known.request_response("x").first().await.is_ok());
}

#[tokio::test]
async fn flows_are_plans_that_are_sent_for_each_subscription() {
    let (requester, service) = service();
    let forget = requester.fire_and_forget("again");
    settle().await;
    assert!(service.heard.lock().is_empty());

    forget.clone().count().await.unwrap();
    forget.count().await.unwrap();
    requester.request_response("x").first().await.unwrap();
    assert_eq!(*service.heard.lock(), ["again", "again"]);
}

#[tokio::test]
async fn many_streams_run_at_the_same_time() {
    let listener = Server::new(Service::default()).listen_tcp("127.0.0.1:0").await.unwrap();
    let requester = Client::new().connect_tcp(listener.address()).await.unwrap();
    let sums = from_iter(0..500_u64)
        .flat_map(move |n| requester.request_stream(n.to_string()).map(|_| 1_u64))
        .concurrency(100)
        .fold(0, |sum, n| sum + n)
        .await
        .unwrap();
    assert_eq!(sums, (0..500).sum::<u64>());
}
