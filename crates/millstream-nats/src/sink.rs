//! `Sink`: messages into JetStream, each confirmed.

use std::{fmt, future::Future, time::Duration};

use async_nats::{
    HeaderMap, SubjectError,
    jetstream::{
        self, ErrorCode,
        context::{Context, ContextBuilder, PublishError, PublishErrorKind},
        message::PublishMessage,
    },
};
use bytes::Bytes;
use millstream::{Error, ErrorKind, Flow, Order, Outcome, Publisher};
use millstream_pressure::{Acknowledge, Delivery, FlowExt as _, Headers, Unprocessed};

use tokio::task::unconstrained;

use crate::{Nats, SinkConfig};

/// How long a delivery whose message was not confirmed waits for the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// A message to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The subject.
    pub subject: String,
    /// What is in it.
    pub payload: Bytes,
    /// Names and values.
    pub headers: Headers,
    /// By which the stream knows a message that it has already, within its window of duplicates: a
    /// message that is published again because its confirmation was lost is stored once.
    pub id: Option<String>,
}

impl Publication {
    /// A message without headers and id.
    pub fn new(subject: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { subject: subject.into(), payload: payload.into(), ..Self::default() }
    }

    /// Gives it an id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// Where a message was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The stream.
    pub stream: String,
    /// Its number there.
    pub sequence: u64,
    /// Whether the stream had one with this id before.
    pub is_duplicate: bool,
}

/// Publishes into JetStream: a handle, whose clones are the same sink.
#[derive(Clone)]
pub struct Sink {
    nats: Nats,
    context: Context,
    config: SinkConfig,
}

impl Sink {
    pub(crate) fn new(nats: &Nats, config: SinkConfig) -> Self {
        // The client starts a task, also where it is called from elsewhere.
        let _inside = nats.0.runtime.enter();
        let context = ContextBuilder::new()
            .timeout(config.ack_timeout)
            .max_ack_inflight(config.in_flight as usize)
            .build(nats.0.client.clone());
        Self { nats: nats.clone(), context, config }
    }

    /// Publishes a message, and waits until it is stored. Of all callers, no more than
    /// [`in_flight`](SinkConfig::in_flight) messages are on their way. Dropping the future gives up
    /// the confirmation, and possibly not the message.
    ///
    /// # Errors
    ///
    /// A message that is too large for the server or the stream, of kind `Overflow`; a subject or
    /// a header that is none, of kind `InvalidData`; a subject that no stream takes, or a refusal
    /// such as that of a stream which is full, of kind `Rejected`; no confirmation in time, of kind
    /// `Timeout`, after which the message may be stored or not.
    pub async fn send(&self, publication: Publication) -> Result<Stored, Error> {
        let subject = publication.subject.clone();
        let told = |error: PublishError| failed(&subject, error);
        let publication = published(publication)?;
        // A runtime that lets others run in the middle of a batch would have them overtake.
        let sending = unconstrained(self.context.send_publish(subject.clone(), publication));
        let confirming = sending.await.map_err(told)?;
        let ack = confirming.await.map_err(told)?;
        Ok(Stored { stream: ack.stream, sequence: ack.sequence, is_duplicate: ack.duplicate })
    }

    /// Publishes a flow's messages, in their order. The outcome is ready when all were confirmed,
    /// or the first was not.
    ///
    /// As many messages are asked for as may be on their way, and one more for each that was
    /// confirmed. Dropping the outcome cancels the flow.
    pub fn run<P>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Publication>,
    {
        let (scheduler, n) = (self.nats.scheduler(), self.config.in_flight as usize);
        flow.map_async_on(&scheduler, n, Order::Source, self.sending())
            .flatten_results()
            .for_each(|_stored| ())
    }

    /// Publishes a flow of deliveries, and acknowledges each when its message is stored. One whose
    /// message never can be, because it is too large or no message, is rejected; any other is
    /// nacked for a second, also where the stream is full, missing or without a leader: put
    /// [`dead_letter_after`](millstream_pressure::FlowExt::dead_letter_after) before to limit that.
    ///
    /// As [`run`](Self::run) otherwise.
    pub fn run_acked<P, A>(&self, flow: Flow<P>) -> Outcome<()>
    where
        P: Publisher<Item = Delivery<Publication, A>>,
        A: Acknowledge,
    {
        let mut send = self.sending();
        let (scheduler, n) = (self.nats.scheduler(), self.config.in_flight as usize);
        let work = move |publication, _: &_| {
            let sending = send(publication);
            // A stream may have room later, or a leader.
            async move { sending.await.map_err(|error| Unprocessed::by_kind(&error, RETRY)) }
        };
        flow.map_async_acked_on(&scheduler, n, Order::Completion, work).for_each(Delivery::ack)
    }

    fn sending(&self) -> impl FnMut(Publication) -> SendFuture + Send + 'static {
        let sink = self.clone();
        move |publication| {
            let sink = sink.clone();
            Box::pin(async move { sink.send(publication).await })
        }
    }
}

type SendFuture = std::pin::Pin<Box<dyn Future<Output = Result<Stored, Error>> + Send>>;

fn published(publication: Publication) -> Result<PublishMessage, Error> {
    let Publication { subject, payload, headers, id } = publication;
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        let bad = || {
            let what = format!("the header `{name}` of a message for `{subject}` is no text");
            Error::new(ErrorKind::InvalidData, what)
        };
        let name: async_nats::HeaderName = name.parse().map_err(|_| bad())?;
        let value = std::str::from_utf8(value).map_err(|_| bad())?;
        let value: async_nats::HeaderValue = value.parse().map_err(|_| bad())?;
        map.append(name, value);
    }
    let message = PublishMessage::build().payload(payload);
    let message = if map.is_empty() { message } else { message.headers(map) };
    Ok(match id {
        Some(id) => message.message_id(id),
        None => message,
    })
}

fn failed(subject: &str, error: PublishError) -> Error {
    let (kind, what) = match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => {
            (ErrorKind::Overflow, "is larger than the server takes: raise its max_payload")
        }
        PublishErrorKind::StreamNotFound => (
            ErrorKind::Rejected,
            "is taken by no stream: create one with this subject, or wait for its leader",
        ),
        PublishErrorKind::TimedOut => {
            (ErrorKind::Timeout, "was not confirmed in time: it may be stored or not")
        }
        PublishErrorKind::BrokenPipe => {
            (ErrorKind::Disconnected, "was not confirmed: the connection was lost")
        }
        _ => refused(&error),
    };
    Error::with_source(kind, format!("a message for `{subject}` {what}"), error)
}

/// By the cause, for which the client has no kind.
fn refused(error: &PublishError) -> (ErrorKind, &'static str) {
    let cause = std::error::Error::source(error);
    if cause.is_some_and(|cause| cause.is::<SubjectError>()) {
        return (ErrorKind::InvalidData, "is for no subject that can be published to");
    }
    let code = cause.and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    match code.map(jetstream::Error::error_code) {
        Some(
            ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM,
        ) => (ErrorKind::Overflow, "is larger than the stream takes: raise its max_msg_size"),
        _ => (ErrorKind::Rejected, "was refused"),
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("config", &self.config).finish_non_exhaustive()
    }
}
