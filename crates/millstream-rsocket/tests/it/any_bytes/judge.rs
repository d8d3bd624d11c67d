//! Any bytes as a frame, and as all that a peer sends: shared by the property test and the fuzzer.

use std::time::Duration;

use bytes::Bytes;
use millstream_rsocket::{
    Payload,
    frame::{Frame, Setup},
    proto::{Config, Connection, Event, Interaction, Request},
};

const MAX_STREAMS: usize = 4;
const MAX_PAYLOAD: usize = 300;
const MAX_REASSEMBLY: usize = 500;
const MAX_KEPT: usize = 400;

/// Takes `bytes` as one frame and as a conversation. Panics if the decoder or the connection does
/// what it must not; both come to an end by themselves.
pub(crate) fn judge(bytes: &[u8]) {
    one_frame(bytes);
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    conversation(choice, bytes);
}

/// What decodes encodes to bytes that decode to the same, and are no more than there were.
fn one_frame(bytes: &[u8]) {
    let Ok(frame) = Frame::decode(Bytes::copy_from_slice(bytes)) else { return };
    let again = frame.to_bytes();
    assert!(again.len() <= bytes.len());
    assert_eq!(again.len(), frame.encoded_len());
    assert_eq!(Frame::decode(again), Ok(frame));
}

/// A peer sends `bytes`: a byte of length, so many bytes of a frame, and so on. What it may make a
/// connection hold is bounded, whatever it says.
fn conversation(choice: u8, mut bytes: &[u8]) {
    let mut side = connection(choice);
    let mut opened = 0;
    for interaction in [Interaction::Response, Interaction::Stream, Interaction::Channel] {
        let payload = Payload::from("request");
        let request = Request { interaction, payload, demand: 3, is_complete: false };
        opened += usize::from(side.open(request).is_ok());
    }
    let mut now = Duration::ZERO;
    while let Some((&len, rest)) = bytes.split_first() {
        let (frame, rest) = rest.split_at(rest.len().min(len.into()));
        bytes = rest;
        now += Duration::from_millis(1);
        match Frame::decode(Bytes::copy_from_slice(frame)) {
            Ok(frame) => side.receive(frame, now),
            Err(_) => side.fail("no frame"),
        }
        answer(&mut side, choice);
        assert!(side.n_streams() <= MAX_STREAMS + opened);
        assert!(side.kept() <= (MAX_KEPT + MAX_PAYLOAD) as u64);
        if len % 3 == 0 {
            side.poll_frame();
        }
    }
    drain(&mut side);
    side.tick(now + Duration::from_secs(1000));
    drain(&mut side);
    // A transport that ends ends the connection, or leaves it to a session.
    side.lost();
    side.tick(now + Duration::from_secs(2000));
    drain(&mut side);
    assert!(side.is_closed());
    assert_eq!((side.n_streams(), side.queued(), side.answers()), (0, 0, 0));
}

/// A client or a server in the middle of a connection, with small bounds.
fn connection(choice: u8) -> Connection {
    let config = Config {
        max_streams: MAX_STREAMS,
        max_payload: MAX_PAYLOAD,
        max_reassembly: MAX_REASSEMBLY,
        fragment: 64,
        resume: choice & 2 != 0,
        resume_buffer: MAX_KEPT,
        lease: choice & 4 != 0,
        extensions: choice & 8 != 0,
        ..Config::default()
    };
    let resume_token = config.resume.then(|| Bytes::from_static(b"token"));
    let setup = Setup { resume_token, ..Setup::from(&config) };
    if choice & 1 == 0 {
        return Connection::client(config, setup, Duration::ZERO);
    }
    let mut server = Connection::server(config, Duration::ZERO);
    if choice & 16 == 0 {
        // Otherwise the bytes begin with what should be a SETUP.
        server.accept(&setup);
    }
    server
}

/// Does something about what happened.
fn answer(side: &mut Connection, choice: u8) {
    while let Some(event) = side.poll_event() {
        match event {
            Event::Setup(setup) => side.accept(&setup),
            Event::Resume(resume) => side.resumed(&resume, Duration::ZERO),
            Event::Request { id, payload, .. } => {
                assert!(payload.len() <= MAX_PAYLOAD);
                side.send(id, Payload::from(vec![7; 100]), choice & 32 != 0);
                side.request(id, 1);
            }
            Event::Item { id, payload, .. } => {
                assert!(payload.len() <= MAX_PAYLOAD);
                side.request(id, 1);
            }
            Event::Credit { id, .. } => {
                side.send(id, Payload::from("x"), false);
            }
            Event::Suspended => side.resume(Duration::ZERO),
            _ => {}
        }
    }
}

/// Sends what waits, as far as it is allowed to.
fn drain(side: &mut Connection) {
    while let Some(frame) = side.poll_frame() {
        assert!(frame.stream == 0 || frame.encoded_len() <= 64);
        assert!(Frame::decode(frame.to_bytes()).is_ok());
    }
    while side.poll_event().is_some() {}
}
