//! Peers that flood, lie or never read.

use millstream_rsocket::{
    ErrorCode, Payload,
    frame::{Body, Frame},
    proto::{Closed, Config, Connection, Event, Interaction},
};
use proptest::{collection::vec, prelude::*};

use super::{Pair, at, events, request};
use crate::frames::some_frame;

fn stream(id: u32, follows: bool, payload: Payload) -> Frame {
    Frame::new(id, Body::RequestStream { initial_n: 1, follows, payload })
}

#[test]
fn streams_beyond_the_bound_are_rejected() {
    let mut pair = Pair::with(Config::default(), Config { max_streams: 10, ..Config::default() });
    for n in 0..100_000 {
        pair.server.receive(stream(2 * n + 1, false, Payload::from("x")), at(0));
    }

    assert_eq!(pair.server.n_streams(), 10);
    assert_eq!(events(&mut pair.server).len(), 10);
    // Each refusal waits to be sent, and is counted: a driver stops reading long before.
    assert!(pair.server.answers() > 1_000_000);
    while let Some(frame) = pair.server.poll_frame() {
        assert!(matches!(frame.body, Body::Error { code: ErrorCode::REJECTED, .. }));
    }
    assert_eq!(pair.server.answers(), 0);
}

#[test]
fn signs_of_life_that_nobody_reads_the_answers_of_are_counted() {
    let mut pair = Pair::new();
    for _ in 0..10 {
        let body = Body::KeepAlive { respond: true, position: 0, data: vec![0; 1000].into() };
        pair.server.receive(Frame::new(0, body), at(0));
    }

    assert!(pair.server.answers() > 10_000);
}

#[test]
fn payloads_in_fragments_are_bounded_each_and_together() {
    let config = Config { max_payload: 1000, max_reassembly: 2500, ..Config::default() };
    let mut pair = Pair::with(Config::default(), config);
    let piece = || Payload::from(vec![0; 900]);
    // Each for itself.
    pair.server.receive(stream(1, true, piece()), at(0));
    let body = Body::Payload { follows: true, complete: false, next: true, payload: piece() };
    pair.server.receive(Frame::new(1, body), at(0));
    assert_eq!(pair.server.n_streams(), 0);
    assert!(matches!(
        pair.server.poll_frame().unwrap().body,
        Body::Error { code: ErrorCode::INVALID, .. }
    ));

    // All together.
    for id in [3, 5, 7] {
        pair.server.receive(stream(id, true, piece()), at(0));
    }
    assert_eq!(pair.server.n_streams(), 2);
    assert_eq!(events(&mut pair.server), []);
    // What is taken back makes room.
    pair.server.receive(Frame::new(3, Body::Cancel), at(0));
    pair.server.receive(stream(9, true, piece()), at(0));
    assert_eq!(pair.server.n_streams(), 2);
}

#[test]
fn a_response_that_is_too_large_is_canceled_and_fails() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut pair = Pair::with(config, Config { fragment: 64, ..Config::default() });
    let id = pair.client.open(request(Interaction::Stream, 1)).unwrap();
    pair.run();
    pair.server.send(id, Payload::from(vec![0; 500]), false);

    let (up, _) = pair.run();

    assert_eq!(up, [Frame::new(id, Body::Cancel)]);
    assert!(matches!(
        events(&mut pair.client)[..],
        [Event::Failed { code: ErrorCode::INVALID, .. }]
    ));
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
    assert_eq!(pair.server.queued(), 0);
}

/// A client and a server whose session has as many bytes out as it may.
fn full_session() -> Pair {
    let server = Config { max_streams: 1, ..Config::default() };
    let config = Config { resume: true, resume_buffer: 500, ..server };
    let mut pair = Pair::with(config.clone(), config);
    let id = pair.client.open(request(Interaction::Stream, 100)).unwrap();
    let asked = pair.client.poll_frame().unwrap();
    pair.server.receive(asked, at(0));
    while pair.server.kept() < 500 {
        assert!(pair.server.send(id, Payload::from(vec![0; 50]), false));
        pair.server.poll_frame().unwrap();
    }
    events(&mut pair.server);
    // It asks how far the client has received.
    while pair.server.poll_frame().is_some() {}
    pair
}

#[test]
fn requests_are_refused_also_while_a_session_waits_for_its_peer() {
    let mut pair = full_session();
    let before = pair.server.kept();
    let mut n_refused = 0;
    for n in 1..=5 {
        pair.server.receive(stream(2 * n + 1, false, Payload::from("x")), at(0));
        while let Some(frame) = pair.server.poll_frame() {
            assert!(matches!(frame.body, Body::Error { code: ErrorCode::REJECTED, .. }));
            n_refused += 1;
        }
    }
    assert_eq!((n_refused, pair.server.answers()), (5, 0));
    // They may be asked for again, and are kept as items are.
    assert!(pair.server.kept() > before);
    assert!(!pair.server.is_closed());
}

#[test]
fn a_peer_that_fills_the_room_for_refusals_and_says_nothing_is_cut_off_at_once() {
    let mut pair = full_session();
    let mut n_requests = 0;
    while !pair.server.is_closed() {
        n_requests += 1;
        pair.server.receive(stream(2 * n_requests + 1, false, Payload::from("x")), at(0));
        while let Some(frame) = pair.server.poll_frame() {
            assert!(matches!(frame.body, Body::Error { .. }));
        }
        assert!(pair.server.kept() <= 2 * 500 + 100);
        assert!(n_requests < 2000, "it waits for what it does not read");
    }
    assert!(n_requests > 100, "{n_requests}");
    let why = events(&mut pair.server);
    let [Event::Closed(Closed::Violation(ErrorCode::CONNECTION_ERROR, why))] = why[..] else {
        panic!("{why:?}")
    };
    assert!(why.contains("refused"), "{why}");
}

#[test]
fn fragments_of_no_bytes_take_no_memory() {
    let mut pair = Pair::new();
    pair.server.receive(stream(1, true, Payload::default()), at(0));
    for _ in 0..100_000 {
        let payload = Payload::default();
        let body = Body::Payload { follows: true, complete: false, next: true, payload };
        pair.server.receive(Frame::new(1, body), at(0));
    }

    assert_eq!((pair.server.n_streams(), pair.server.answers()), (1, 0));
    assert_eq!(events(&mut pair.server), []);
}

proptest! {
    /// A peer may send any frames: a connection does not panic, and holds what it may.
    #[test]
    fn any_frames_are_taken(
        frames in vec((some_frame(), 0..6_u32), 0..120),
        is_server: bool,
        resume: bool,
    ) {
        let bounds = Config { max_streams: 3, max_reassembly: 900, max_payload: 600, ..Config::default() };
        let config = Config { resume, resume_buffer: 500, ..bounds };
        let mut pair = Pair::with(config.clone(), config);
        let side: &mut Connection = if is_server { &mut pair.server } else { &mut pair.client };
        for interaction in [Interaction::Response, Interaction::Stream, Interaction::Channel] {
            side.open(request(interaction, 3)).unwrap();
        }
        for (n_polled, (mut frame, stream)) in frames.into_iter().enumerate() {
            // Among few streams, so that frames meet.
            frame.stream = stream;
            side.receive(frame, at(1));
            for event in events(side) {
                if let Event::Request { id, .. } = event {
                    side.send(id, Payload::from("x"), false);
                    side.request(id, 1);
                }
            }
            prop_assert!(side.n_streams() <= 6);
            prop_assert!(side.kept() <= 2 * 500 + 600);
            if n_polled % 3 == 0 {
                side.poll_frame();
            }
        }
        while side.poll_frame().is_some() {}
        // What is not acknowledged waits.
        let is_waiting = side.kept() >= 500;
        prop_assert!(is_waiting || (side.queued(), side.answers()) == (0, 0));
    }
}
