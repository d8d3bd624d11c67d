//! What answers requests.

use std::sync::Arc;

use bytes::Bytes;
use millstream::{BoxPublisher, Flow};
use reactive_streams::Error;

use crate::{ErrorCode, Inbound, Payload, RSocketError};

/// The flow of a responder's answers.
pub type Answers = Flow<BoxPublisher<Payload>>;

/// A flow that does something and has no items.
pub type Done = Flow<BoxPublisher<()>>;

/// Answers the requests of a peer, by flows.
///
/// A flow is subscribed to when the request has come. What the peer requests is requested of it, as
/// far as the connection has room; if the peer cancels, so is the flow. Methods run on the
/// connection's task, and so does what flows do when they are asked: one that takes long moves its
/// work elsewhere, by `subscribe_on` or `map_async`. A method that panics fails its request alone.
///
/// What a method does not answer is refused with REJECTED.
///
/// ```
/// use millstream::range;
/// use millstream_rsocket::{Answers, Payload, Responder};
///
/// struct Numbers;
///
/// impl Responder for Numbers {
///     fn request_stream(&self, _request: Payload) -> Answers {
///         range(0..u64::MAX).map(|n| Payload::from(n.to_string())).boxed()
///     }
/// }
/// ```
pub trait Responder: Send + Sync + 'static {
    /// Does what is asked, and answers nothing.
    fn fire_and_forget(&self, request: Payload) -> Done {
        drop(request);
        unanswered("fire-and-forget")
    }

    /// Answers with the first item of the flow, or with none if it completes without.
    fn request_response(&self, request: Payload) -> Answers {
        drop(request);
        unanswered("request-response")
    }

    /// Answers with a stream.
    fn request_stream(&self, request: Payload) -> Answers {
        drop(request);
        unanswered("request-stream")
    }

    /// Answers a stream with a stream. The request is the first item of `inbound`, and is shown
    /// here so that it can be routed.
    fn request_channel(&self, request: &Payload, inbound: Flow<Inbound>) -> Answers {
        drop((request, inbound));
        unanswered("request-channel")
    }

    /// Takes metadata of the connection.
    fn metadata_push(&self, metadata: Bytes) -> Done {
        drop(metadata);
        unanswered("metadata-push")
    }
}

fn unanswered<T: Send + 'static>(what: &str) -> Flow<BoxPublisher<T>> {
    let message = format!("there is no answer to {what} here");
    millstream::error(Error::from(RSocketError::new(ErrorCode::REJECTED, message))).boxed()
}

/// Refuses everything: what a client answers with that has no responder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refuse;

impl Responder for Refuse {}

impl<R: Responder + ?Sized> Responder for Arc<R> {
    fn fire_and_forget(&self, request: Payload) -> Done {
        (**self).fire_and_forget(request)
    }
    fn request_response(&self, request: Payload) -> Answers {
        (**self).request_response(request)
    }
    fn request_stream(&self, request: Payload) -> Answers {
        (**self).request_stream(request)
    }
    fn request_channel(&self, request: &Payload, inbound: Flow<Inbound>) -> Answers {
        (**self).request_channel(request, inbound)
    }
    fn metadata_push(&self, metadata: Bytes) -> Done {
        (**self).metadata_push(metadata)
    }
}
