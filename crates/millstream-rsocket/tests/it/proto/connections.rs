//! How connections begin, live and end.

use std::time::Duration;

use bytes::Bytes;
use millstream_rsocket::{
    ErrorCode, Payload,
    frame::{Body, Frame, Resume, Setup},
    proto::{Closed, Config, Connection, Event, Interaction, OpenError},
};

use super::{Pair, at, events, request};

fn code_of(frame: Option<Frame>) -> Option<ErrorCode> {
    match frame {
        Some(Frame { stream: 0, body: Body::Error { code, .. } }) => Some(code),
        _ => None,
    }
}

fn some_setup() -> Setup {
    Setup::from(&Config::default())
}

/// What a server answers to this as the first frame.
fn first(config: Config, frame: Frame) -> Option<ErrorCode> {
    let mut server = Connection::server(config, at(0));
    server.receive(frame, at(0));
    code_of(server.poll_frame())
}

#[test]
fn a_setup_that_a_server_cannot_take_is_refused_with_the_reason() {
    let setup = |change: fn(&mut Setup)| {
        let mut setup = some_setup();
        change(&mut setup);
        Frame::new(0, Body::Setup(Box::new(setup)))
    };
    let resume =
        Resume { version: (1, 0), token: "t".into(), last_received: 0, first_available: 0 };
    let cases = [
        (setup(|_| {}), None),
        (setup(|setup| setup.version = (1, 7)), None),
        (setup(|setup| setup.version = (2, 0)), Some(ErrorCode::UNSUPPORTED_SETUP)),
        (setup(|setup| setup.keep_alive_ms = 0), Some(ErrorCode::INVALID_SETUP)),
        (setup(|setup| setup.max_lifetime_ms = 0), Some(ErrorCode::INVALID_SETUP)),
        (setup(|setup| setup.lease = true), Some(ErrorCode::UNSUPPORTED_SETUP)),
        (setup(|setup| setup.resume_token = Some("t".into())), Some(ErrorCode::REJECTED_SETUP)),
        (Frame::new(0, Body::Resume(resume)), Some(ErrorCode::REJECTED_RESUME)),
        (Frame::new(1, Body::Setup(Box::new(some_setup()))), Some(ErrorCode::INVALID_SETUP)),
        (Frame::new(1, Body::Cancel), Some(ErrorCode::INVALID_SETUP)),
    ];
    for (frame, code) in cases {
        assert_eq!(first(Config::default(), frame.clone()), code, "{frame:?}");
    }
}

#[test]
fn an_application_may_refuse_a_client() {
    let mut server = Connection::server(Config::default(), at(0));
    server.receive(Frame::new(0, Body::Setup(Box::new(some_setup()))), at(0));

    server.reject(ErrorCode::REJECTED_SETUP, "not today");

    let refusal = server.poll_frame().unwrap();
    assert_eq!(refusal, Frame::error(0, ErrorCode::REJECTED_SETUP, "not today"));
    let mut client = Connection::client(Config::default(), some_setup(), at(0));
    client.receive(refusal, at(0));
    let why = Closed::ByPeer(ErrorCode::REJECTED_SETUP, Bytes::from("not today"));
    assert_eq!(events(&mut client), [Event::Closed(why)]);
    assert_eq!(client.open(request(Interaction::Response, 0)), Err(OpenError::Closed));
}

#[test]
fn a_client_that_says_nothing_is_let_go_in_time() {
    let mut server = Connection::server(Config::default(), at(0));
    assert_eq!(server.deadline(), Some(at(10_000)));

    server.tick(at(9_999));
    assert!(!server.is_closed());
    server.tick(at(10_000));

    assert!(server.is_closed());
    assert_eq!(server.deadline(), None);
}

#[test]
fn signs_of_life_go_to_and_fro_and_bring_their_data_back() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.deadline(), Some(at(20_000)));
    pair.client.tick(at(20_000));
    let (up, down) = pair.run();

    let [Frame { stream: 0, body: Body::KeepAlive { respond: true, .. } }] = &up[..] else {
        panic!("{up:?}")
    };
    assert_eq!(down.len(), 1);
    assert_eq!(pair.client.deadline(), Some(at(40_000)));

    let body = Body::KeepAlive { respond: true, position: 7, data: "echo".into() };
    pair.client.receive(Frame::new(0, body), at(20_000));
    let body = Body::KeepAlive { respond: false, position: 0, data: "echo".into() };
    assert_eq!(pair.client.poll_frame(), Some(Frame::new(0, body)));
}

#[test]
fn a_peer_that_is_silent_for_too_long_is_dead() {
    for is_client in [true, false] {
        let mut pair = Pair::new();
        let side = if is_client { &mut pair.client } else { &mut pair.server };
        let id = side.open(request(Interaction::Response, 0)).unwrap();
        assert!(id > 0);
        side.tick(at(89_999));
        assert!(!side.is_closed());

        side.tick(at(90_000));

        assert_eq!(events(side), [Event::Closed(Closed::KeepAlive)]);
        let last = std::iter::from_fn(|| side.poll_frame()).last();
        assert_eq!(code_of(last), Some(ErrorCode::CONNECTION_ERROR));
        assert_eq!(side.n_streams(), 0);
    }
}

#[test]
fn closing_waits_for_the_streams_that_are_open_and_takes_no_others() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Response, 0)).unwrap();
    pair.run();
    events(&mut pair.server);

    pair.client.close();
    assert_eq!(pair.client.open(request(Interaction::Response, 0)), Err(OpenError::Closed));
    pair.run();
    assert!(!pair.client.is_closed() && !pair.server.is_closed());
    assert_eq!(pair.server.open(request(Interaction::Response, 0)), Err(OpenError::Closed));

    pair.server.send(id, Payload::from("last"), true);
    pair.run();
    assert_eq!(events(&mut pair.client)[1..], [Event::Closed(Closed::Normally)]);
    assert_eq!(events(&mut pair.server), [Event::Closed(Closed::Normally)]);
}

#[test]
fn frames_that_make_no_sense_are_ignored() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 9)).unwrap();
    pair.run();
    events(&mut pair.server);
    let payload = Payload::from("x");
    let item =
        |next, complete| Body::Payload { follows: false, complete, next, payload: payload.clone() };
    let stream = Body::RequestStream { initial_n: 1, follows: false, payload: payload.clone() };
    let senseless = [
        // A second SETUP, and what is for clients.
        Frame::new(0, Body::Setup(Box::new(some_setup()))),
        Frame::error(0, ErrorCode::REJECTED_SETUP, ""),
        Frame::error(0, ErrorCode::INVALID_SETUP, ""),
        Frame::error(0, ErrorCode::REJECTED_RESUME, ""),
        // A stream that is there already, one that only we may open, and the connection itself.
        Frame::new(id, stream.clone()),
        Frame::new(2, stream.clone()),
        Frame::new(0, stream),
        // Streams that are not there.
        Frame::new(77, Body::Cancel),
        Frame::new(0, Body::Cancel),
        Frame::new(77, item(true, false)),
        Frame::new(0, item(true, false)),
        Frame::new(77, Body::RequestN(1)),
        Frame::error(77, ErrorCode::APPLICATION_ERROR, ""),
        Frame::new(3, Body::MetadataPush(Bytes::new())),
        // An item of a stream that only we send, and one that is neither item nor end.
        Frame::new(id, item(true, false)),
        Frame::new(id, item(false, false)),
        Frame::new(id, Body::Lease { ttl_ms: 1, n_requests: 1, metadata: None }),
        Frame::new(0, Body::Unknown { frame_type: 0x22 }),
        Frame::new(0, Body::Extension { ignore: true, extended_type: 9, payload: payload.clone() }),
    ];

    for frame in senseless {
        pair.server.receive(frame.clone(), at(0));
        assert_eq!(events(&mut pair.server), [], "{frame:?}");
        assert_eq!(pair.server.poll_frame(), None, "{frame:?}");
    }
    assert_eq!(pair.server.n_streams(), 1);
}

#[test]
fn an_extension_that_must_not_be_ignored_ends_the_connection_of_those_who_do_not_know_it() {
    let extension =
        Frame::new(4, Body::Extension { ignore: false, extended_type: 9, payload: "x".into() });
    let mut pair = Pair::new();
    pair.server.receive(extension.clone(), at(0));
    assert_eq!(code_of(pair.server.poll_frame()), Some(ErrorCode::CONNECTION_ERROR));

    let knows = Config { extensions: true, ..Config::default() };
    let mut pair = Pair::with(Config::default(), knows);
    pair.client.send_extension(4, false, 9, Payload::from("x"));
    let (up, _) = pair.run();
    assert_eq!(up, [extension]);
    assert!(matches!(events(&mut pair.server)[..], [Event::Extension { extended_type: 9, .. }]));
}

#[test]
fn metadata_of_the_connection_goes_both_ways() {
    let mut pair = Pair::new();
    assert!(pair.client.push_metadata("up".into()));
    assert!(pair.server.push_metadata("down".into()));
    pair.run();

    assert_eq!(events(&mut pair.server), [Event::MetadataPush("up".into())]);
    assert_eq!(events(&mut pair.client), [Event::MetadataPush("down".into())]);
}

fn leased() -> Pair {
    let config = Config { lease: true, ..Config::default() };
    Pair::with(config.clone(), config)
}

#[test]
fn nothing_is_requested_without_a_lease_where_leases_were_agreed_on() {
    let mut pair = leased();
    let refused = pair.client.open(request(Interaction::Response, 0));
    assert_eq!(refused, Err(OpenError::NoLease));

    pair.server.grant_lease(2, Duration::from_secs(1), None);
    pair.run();
    assert_eq!(pair.client.lease(), Some(2));
    let opened: Vec<bool> =
        (0..3).map(|_| pair.client.open(request(Interaction::FireAndForget, 0)).is_ok()).collect();
    assert_eq!(opened, [true, true, false]);
    pair.run();
    let asked = events(&mut pair.server);
    assert_eq!(asked.iter().filter(|event| matches!(event, Event::Request { .. })).count(), 2);
}

#[test]
fn a_lease_ends_in_time_and_the_last_one_replaces_the_others() {
    let mut pair = leased();
    pair.server.grant_lease(5, Duration::from_secs(1), None);
    pair.run();
    pair.server.grant_lease(1, Duration::from_secs(3), None);
    pair.run();
    assert_eq!(pair.client.lease(), Some(1));

    pair.client.tick(at(2_999));
    assert_eq!(pair.client.lease(), Some(1));
    pair.client.tick(at(3_000));
    assert_eq!(pair.client.lease(), Some(0));

    pair.server.grant_lease(0, Duration::from_secs(3), None);
    pair.run();
    assert_eq!(pair.client.lease(), Some(0));
}

#[test]
fn a_request_beyond_the_lease_is_rejected_and_never_seen() {
    let mut pair = leased();
    let body = Body::RequestResponse { follows: false, payload: Payload::from("x") };
    pair.server.receive(Frame::new(1, body), at(0));

    assert_eq!(events(&mut pair.server), []);
    let Some(Frame { stream: 1, body: Body::Error { code, .. } }) = pair.server.poll_frame() else {
        panic!()
    };
    assert_eq!(code, ErrorCode::REJECTED);
}
