//! Demand on the wire.

use millstream_rsocket::{
    Payload,
    frame::{Body, Frame, MAX_U31},
    proto::{Event, Interaction},
};

use super::{Pair, at, events, request};

/// How much a frame grants.
fn granted(frame: &Frame) -> u32 {
    match frame.body {
        Body::RequestN(n)
        | Body::RequestStream { initial_n: n, .. }
        | Body::RequestChannel { initial_n: n, .. } => n,
        _ => 0,
    }
}

#[test]
fn requests_add_up_and_go_out_as_one_frame() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 1)).unwrap();
    pair.run();
    pair.client.request(id, 2);
    pair.client.request(id, 3);

    let (up, _) = pair.run();

    assert_eq!(up, [Frame::new(id, Body::RequestN(5))]);
    let credits = events(&mut pair.server);
    assert_eq!(credits[1..], [Event::Credit { id, n: 5 }]);
    assert_eq!(pair.server.credit(id), 6);
}

#[test]
fn what_is_requested_before_the_request_is_sent_follows_it() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 1)).unwrap();
    pair.client.request(id, 4);

    let (up, _) = pair.run();

    assert_eq!(up.iter().map(granted).collect::<Vec<_>>(), [1, 4]);
    assert!(matches!(up[0].body, Body::RequestStream { .. }));
}

#[test]
fn demand_beyond_31_bits_is_granted_in_parts() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 5_000_000_000)).unwrap();
    let (up, _) = pair.run();
    assert_eq!(up.iter().map(granted).collect::<Vec<_>>(), [MAX_U31]);

    assert_eq!(pair.server.credit(id), u64::from(MAX_U31));

    // The rest follows when half of what was granted has come, of which an item is no half.
    let payload = Payload::from("x");
    let body = Body::Payload { follows: false, complete: false, next: true, payload };
    pair.client.receive(Frame::new(id, body), at(0));
    assert_eq!(pair.client.poll_frame(), None);
}

#[test]
fn demand_without_bound_is_granted_once_and_again_after_half() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, u64::MAX)).unwrap();
    pair.client.request(id, u64::MAX);
    let (up, _) = pair.run();

    assert_eq!(up.iter().map(granted).collect::<Vec<_>>(), [MAX_U31]);
    assert_eq!(pair.server.credit(id), u64::from(MAX_U31));
}

#[test]
fn a_peer_that_sends_what_nobody_asked_for_is_cut_off() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 2)).unwrap();
    pair.run();
    for n in 0..3 {
        let payload = Payload::from(vec![n]);
        let body = Body::Payload { follows: false, complete: false, next: true, payload };
        pair.client.receive(Frame::new(id, body), at(0));
    }

    let seen = events(&mut pair.client);
    assert_eq!(seen.len(), 3);
    assert!(matches!(seen[1], Event::Item { .. }));
    assert!(matches!(seen[2], Event::Closed(_)));
    let last = pair.client.poll_frame().unwrap();
    assert_eq!(last.stream, 0);
    assert!(
        matches!(last.body, Body::Error { code, .. } if code.to_string() == "CONNECTION_ERROR")
    );
    assert!(pair.client.is_closed());
}

#[test]
fn an_end_without_an_item_needs_no_demand() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 1)).unwrap();
    pair.run();
    pair.server.send(id, Payload::from("a"), false);
    pair.run();
    pair.server.complete(id);
    pair.run();

    assert_eq!(events(&mut pair.client)[1], Event::Completed { id });
    assert!(!pair.client.is_closed());
}

#[test]
fn a_responder_sends_no_more_than_it_was_asked_for() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 2)).unwrap();
    pair.run();
    let sent: Vec<bool> = (0..4).map(|_| pair.server.send(id, Payload::from("x"), false)).collect();

    assert_eq!(sent, [true, true, false, false]);
}

#[test]
fn a_grant_of_nothing_fails_the_stream_and_nothing_else() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 2)).unwrap();
    pair.run();
    events(&mut pair.server);

    pair.server.receive(Frame::new(id, Body::RequestN(0)), at(0));

    assert!(matches!(events(&mut pair.server)[..], [Event::Failed { .. }]));
    pair.run();
    assert!(matches!(events(&mut pair.client)[..], [Event::Failed { .. }]));
    assert!(!pair.server.is_closed());
}
