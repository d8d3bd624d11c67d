//! The four interactions, and how they end.

use bytes::Bytes;
use millstream_rsocket::{
    ErrorCode, Payload,
    frame::{Body, Frame},
    proto::{Config, Event, Interaction, OpenError, Request},
};

use super::{Pair, events, item, request};

#[test]
fn a_request_gets_its_response() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Response, 0)).unwrap();
    pair.run();
    let [Event::Request { id: theirs, interaction: Interaction::Response, .. }] =
        &events(&mut pair.server)[..]
    else {
        panic!()
    };
    assert_eq!((id, *theirs), (1, 1));

    assert!(pair.server.send(id, Payload::from("response"), false));
    let (_, down) = pair.run();

    // The response and the end are one frame.
    let payload = Payload::from("response");
    let body = Body::Payload { follows: false, complete: true, next: true, payload };
    assert_eq!(down, [Frame::new(1, body)]);
    assert_eq!(events(&mut pair.client), [item(1, "response", true)]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn a_response_without_the_flag_of_completion_is_complete() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Response, 0)).unwrap();
    pair.run();
    let payload = Payload::from("response");
    let body = Body::Payload { follows: false, complete: false, next: true, payload };

    pair.client.receive(Frame::new(id, body), super::at(0));

    assert_eq!(events(&mut pair.client), [item(1, "response", true)]);
    assert_eq!(pair.client.n_streams(), 0);
}

#[test]
fn fire_and_forget_leaves_nothing_on_either_side() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::FireAndForget, 0)).unwrap();
    pair.run();

    assert_eq!(events(&mut pair.client), [Event::Sent { id }]);
    assert!(matches!(events(&mut pair.server)[..], [Event::Request { .. }]));
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn the_end_of_a_stream_goes_with_its_last_item_if_that_still_waits() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 2)).unwrap();
    pair.run();
    pair.server.send(id, Payload::from("a"), false);
    pair.server.send(id, Payload::from("b"), false);
    pair.server.complete(id);

    let (_, down) = pair.run();

    assert_eq!(down.len(), 2);
    assert_eq!(events(&mut pair.client), [item(1, "a", false), item(1, "b", true)]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn an_error_comes_after_the_items_before_it() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 9)).unwrap();
    pair.run();
    pair.server.send(id, Payload::from("a"), false);
    pair.server.fail_stream(id, ErrorCode::APPLICATION_ERROR, "no more");

    pair.run();

    let failed = Event::Failed { id, code: ErrorCode::APPLICATION_ERROR, data: "no more".into() };
    assert_eq!(events(&mut pair.client), [item(1, "a", false), failed]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn a_long_message_is_cut_at_a_character() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 9)).unwrap();
    pair.run();
    pair.server.fail_stream(id, ErrorCode::APPLICATION_ERROR, "ä€".repeat(3000));

    pair.run();

    let Some(Event::Failed { data, .. }) = pair.client.poll_event() else { panic!() };
    assert!(data.len() > 4000 && data.len() <= 4096);
    assert!(std::str::from_utf8(&data).is_ok());
}

#[test]
fn a_request_that_is_canceled_before_it_is_sent_is_not_sent() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 9)).unwrap();
    pair.client.cancel(id);

    assert_eq!(pair.run(), (vec![], vec![]));
    assert_eq!((pair.client.n_streams(), pair.client.queued()), (0, 0));
}

#[test]
fn a_request_that_is_canceled_midway_is_forgotten_by_the_responder() {
    let mut pair = Pair::with(Config { fragment: 64, ..Config::default() }, Config::default());
    let payload = Payload::from(vec![1; 500]);
    let long = Request { payload, ..request(Interaction::Stream, 9) };
    let id = pair.client.open(long).unwrap();
    let first = pair.client.poll_frame().unwrap();
    pair.server.receive(first, super::at(0));
    assert_eq!(pair.server.n_streams(), 1);

    pair.client.cancel(id);
    let (up, _) = pair.run();

    assert_eq!(up, [Frame::new(1, Body::Cancel)]);
    assert_eq!(events(&mut pair.server), []);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
    assert_eq!(pair.client.queued(), 0);
}

#[test]
fn a_cancel_ends_the_stream_at_the_responder_and_what_was_on_its_way_is_ignored() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Stream, 9)).unwrap();
    pair.run();
    events(&mut pair.server);
    pair.server.send(id, Payload::from("late"), false);
    pair.client.cancel(id);

    pair.run();

    assert_eq!(events(&mut pair.client), []);
    assert_eq!(events(&mut pair.server), [Event::Canceled { id }]);
    assert!(!pair.server.send(id, Payload::from("too late"), false));
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn a_channel_goes_both_ways_and_ends_when_both_have() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Channel, 1)).unwrap();
    pair.run();
    assert!(matches!(events(&mut pair.server)[..], [Event::Request { is_complete: false, .. }]));
    assert!(!pair.client.send(id, Payload::from("not asked for"), false));

    pair.server.request(id, 2);
    pair.run();
    assert_eq!(events(&mut pair.client), [Event::Credit { id, n: 2 }]);
    assert!(pair.client.send(id, Payload::from("up"), false));
    assert!(pair.server.send(id, Payload::from("down"), false));
    pair.client.complete(id);
    pair.run();
    assert_eq!(events(&mut pair.server), [item(1, "up", true)]);
    assert_eq!(events(&mut pair.client), [item(1, "down", false)]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (1, 1));

    pair.server.complete(id);
    pair.run();
    assert_eq!(events(&mut pair.client), [Event::Completed { id }]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn a_responder_that_takes_no_more_of_a_channel_goes_on_responding() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Channel, 5)).unwrap();
    pair.run();
    pair.server.request(id, 5);
    pair.run();
    events(&mut pair.client);

    pair.server.cancel(id);
    pair.run();
    assert_eq!(events(&mut pair.client), [Event::Canceled { id }]);
    assert!(!pair.client.send(id, Payload::from("late"), false));

    assert!(pair.server.send(id, Payload::from("on"), true));
    pair.run();
    assert_eq!(events(&mut pair.client), [item(1, "on", true)]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn an_error_of_the_requester_ends_a_channel_on_both_sides() {
    let mut pair = Pair::new();
    let id = pair.client.open(request(Interaction::Channel, 5)).unwrap();
    pair.run();
    events(&mut pair.server);

    pair.client.fail_stream(id, ErrorCode::APPLICATION_ERROR, "gone");
    pair.run();

    let data = Bytes::from("gone");
    let failed = Event::Failed { id, code: ErrorCode::APPLICATION_ERROR, data };
    assert_eq!(events(&mut pair.server), [failed]);
    assert_eq!((pair.client.n_streams(), pair.server.n_streams()), (0, 0));
}

#[test]
fn fragments_of_streams_take_turns() {
    let config = Config { fragment: 100, ..Config::default() };
    let mut pair = Pair::with(Config::default(), config);
    let ids = [1, 3].map(|_| pair.client.open(request(Interaction::Stream, 1)).unwrap());
    pair.run();
    for id in ids {
        pair.server.send(id, Payload::from(vec![id as u8; 500]), true);
    }

    let (_, down) = pair.run();

    let order: Vec<u32> = down.iter().map(|frame| frame.stream).collect();
    assert_eq!(order, [1, 3].repeat(order.len() / 2));
    assert!(down.iter().all(|frame| frame.encoded_len() <= 100));
    for (id, event) in ids.into_iter().zip(events(&mut pair.client)) {
        let payload = Payload::from(vec![id as u8; 500]);
        assert_eq!(event, Event::Item { id, payload, is_last: true });
    }
}

#[test]
fn the_server_requests_by_even_numbers() {
    let mut pair = Pair::new();

    let ids = [0; 2].map(|_| pair.server.open(request(Interaction::Response, 0)).unwrap());

    assert_eq!(ids, [2, 4]);
    pair.run();
    assert_eq!(events(&mut pair.client).len(), 2);
}

#[test]
fn a_stream_without_demand_is_not_opened() {
    let mut pair = Pair::new();

    let refused = pair.client.open(request(Interaction::Stream, 0));

    assert_eq!(refused, Err(OpenError::NoDemand));
    assert_eq!(pair.run(), (vec![], vec![]));
}
