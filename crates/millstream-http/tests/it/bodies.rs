//! Bodies as flows and flows as bodies, without a network.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use millstream::{Error, ErrorKind, Flow, error, from_iter, just};
use millstream_http::{FlowBody, from_body};
use millstream_testkit::{Probe, Puppet};

use crate::{now, poll};

#[test]
fn a_body_asks_for_an_item_when_it_is_polled_and_for_no_other() {
    let (puppet, publisher) = Puppet::<&str>::new();
    let mut body = FlowBody::new(Flow::from(publisher));
    assert_eq!(puppet.n_requests(), 0);
    for n in 1..3 {
        assert!(poll(pin!(body.frame())).is_pending());
        assert!(poll(pin!(body.frame())).is_pending());
        assert_eq!(puppet.n_requests(), n, "one for each that was taken");
        puppet.next("chunk").unwrap();
        assert_eq!(now(body.frame()).unwrap().unwrap().into_data().unwrap(), "chunk");
        assert_eq!(puppet.n_requests(), n);
    }
    assert!(!puppet.is_canceled());
    drop(body);
    assert!(puppet.is_canceled(), "the peer has gone");
}

#[test]
fn a_flow_that_fails_cuts_its_body() {
    let failing = just("a").concat(error(Error::message("broken")));
    let mut body = FlowBody::new(failing);
    assert!(now(body.frame()).unwrap().is_ok());
    let failed = now(body.frame()).unwrap().unwrap_err();
    assert_eq!(failed.to_string(), "broken");
    assert!(body.is_end_stream());
    assert!(now(body.frame()).is_none());
}

#[test]
fn trailers_and_empty_chunks_are_passed_over() {
    let frames = ["a", "", "b"].map(|text| Ok::<_, Error>(Frame::data(Bytes::from(text))));
    let trailers = [Ok(Frame::trailers(HeaderMap::new()))];
    let frames = from_iter(frames.into_iter().chain(trailers)).into_stream(1);
    let body = StreamBody::new(Flattened(frames));
    let probe = Probe::subscribe_to(from_body(body));
    probe.request(9);
    probe.wait_until_ended();
    assert!(probe.is_completed());
    assert_eq!(probe.items(), ["a", "b"]);
}

/// A flow of results as a stream of them.
struct Flattened<T>(millstream::IntoStream<Result<T, Error>>);

impl<T> futures_core::Stream for Flattened<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(next.map(|result| result.flatten()))
    }
}

#[test]
fn a_body_that_is_too_long_fails() {
    let body = Limited::new(Full::new(Bytes::from("four")), 3);
    let failed = from_body(body).count().wait().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::InvalidData);
    assert!(failed.to_string().contains("longer than allowed"));
}

#[test]
fn a_flow_through_a_body_keeps_its_error() {
    let failing = just("a").concat(error(Error::new(ErrorKind::Timeout, "late")));
    let failed = from_body(FlowBody::new(failing)).count().wait().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Timeout);
}
