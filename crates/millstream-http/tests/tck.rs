//! Bodies, events and lines of JSON under the TCK.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use millstream::{range, scheduler::Pool};
use millstream_http::{FlowExt as _, HttpClient, from_body};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tower::service_fn;

/// A body of so many chunks.
struct Chunks(u64);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"chunk")))))
    }
}

publisher_tests!(a_body, |n| from_body(Chunks(n)), Capabilities::new().asynchronous());
publisher_tests!(
    events,
    |n| range(0..n).map(|_| "data: an event\n\n").events(99),
    Capabilities::new().asynchronous()
);
#[cfg(feature = "json")]
publisher_tests!(
    json_lines,
    |n| range(0..n).map(|_| "1\n").json_lines::<u32>(99),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_http,
    |n| {
        let echo = |request: Request<u64>| async move {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        };
        let client = HttpClient::new(service_fn(echo), &Pool::new(1));
        range(0..n).map(Request::new).map_http(3, &client).map(|result| result.is_ok())
    },
    Capabilities::new().asynchronous()
);
