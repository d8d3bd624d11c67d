//! `from_body`, `FlowBody`: the body of a message as a flow, and a flow as one.

use std::{
    error, fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use futures_core::Stream;
use http_body::{Body, Frame};
use http_body_util::LengthLimitError;
use millstream::{
    Error, ErrorKind, FlattenResults, Flow, FromStream, Publisher, from_stream,
    parts::intake::Intake,
};

type BoxError = Box<dyn error::Error + Send + Sync>;

/// The bytes of a body, as its chunks come.
///
/// It is polled on the [ambient](millstream::scheduler::ambient) scheduler. Trailers are passed
/// over. `http_body_util::Limited` around the body bounds its length.
///
/// # Demand
///
/// The body is polled for a chunk when one is asked for, and not before. So a peer over HTTP/2 gets
/// no larger window, and one over HTTP/1 is not read from, until what was sent is asked for here.
/// Nothing is held.
///
/// # Termination
///
/// Completes at the end of the body. A body that is cut, because the peer or the connection has
/// gone, fails with an error of kind `Disconnected`; one that is longer than `Limited` allows, of
/// kind `InvalidData`. A cancel drops the body, which resets the stream of HTTP/2.
///
/// # Examples
///
/// ```
/// use http_body_util::Full;
/// use millstream_http::from_body;
///
/// let body = Full::new(bytes::Bytes::from("hello"));
/// assert_eq!(from_body(body).collect::<Vec<_>>().wait()?, ["hello"]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn from_body<B>(body: B) -> Flow<FlattenResults<FromStream<BodyChunks<B>>>>
where
    B: Body<Error: Into<BoxError>> + Send + 'static,
{
    from_stream(BodyChunks(Box::pin(body))).flatten_results()
}

/// The stream in [`from_body`].
pub struct BodyChunks<B>(Pin<Box<B>>);

impl<B: Body<Error: Into<BoxError>>> Stream for BodyChunks<B> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let frame = match std::task::ready!(self.0.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Ok(frame)) => frame,
                Some(Err(cause)) => return Poll::Ready(Some(Err(cut(cause.into())))),
            };
            match frame.into_data() {
                Ok(mut data) if data.has_remaining() => {
                    return Poll::Ready(Some(Ok(data.copy_to_bytes(data.remaining()))));
                }
                // Trailers, and chunks without bytes.
                Ok(_) | Err(_) => {}
            }
        }
    }
}

impl<B> fmt::Debug for BodyChunks<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyChunks").finish_non_exhaustive()
    }
}

fn cut(cause: BoxError) -> Error {
    if cause.is::<LengthLimitError>() {
        return Error::new(ErrorKind::InvalidData, "the body is longer than allowed");
    }
    match cause.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(cause) => {
            Error::with_source(ErrorKind::Disconnected, "", Cut(cause)).context("reading a body")
        }
    }
}

/// What a body has failed with.
#[derive(Debug)]
struct Cut(BoxError);

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl error::Error for Cut {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// A flow as the body of a response or request, of hyper, axum and others.
///
/// An item is asked for when the body is polled, which servers and clients do when they may send:
/// for HTTP/2, when the peer's window is open. Nothing is asked for ahead. A flow that fails cuts
/// the body, so that the peer does not take it for whole; the error is the body's. Dropping the
/// body, as servers do when the peer has gone, cancels the flow.
///
/// ```
/// use http_body_util::BodyExt as _;
/// use millstream_http::FlowBody;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let body = FlowBody::new(millstream::from_iter(["a", "b"]));
/// assert_eq!(body.collect().await?.to_bytes(), "ab");
/// # Ok::<(), millstream::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a body cancels its flow"]
pub struct FlowBody<T> {
    intake: Intake<T>,
    is_ended: bool,
}

impl<T: Into<Bytes> + Send + 'static> FlowBody<T> {
    /// Subscribes to the flow, and asks for nothing yet.
    pub fn new(flow: Flow<impl Publisher<Item = T>>) -> Self {
        Self { intake: Intake::of(flow), is_ended: false }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for FlowBody<T> {}

impl<T: Into<Bytes> + Send + 'static> Body for FlowBody<T> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(self.intake.poll_next(cx));
        self.is_ended = !matches!(next, Ok(Some(_)));
        Poll::Ready(next.map(|item| item.map(|item| Frame::data(item.into()))).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended
    }
}

impl<T> fmt::Debug for FlowBody<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowBody").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}
