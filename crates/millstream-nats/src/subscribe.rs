//! Core subscriptions: messages that nobody keeps, with a declared loss.

use bytes::Bytes;
use millstream::{
    Error, ErrorKind, Flow, FromStream, OnBackpressureBuffer, Overflow, from_stream_on,
};
use millstream_pressure::Headers;

use crate::Nats;

/// A message that is not acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreMessage {
    /// Its subject.
    pub subject: String,
    /// What is in it.
    pub payload: Bytes,
    /// Names and values.
    pub headers: Headers,
    /// Where an answer goes, if one is wanted.
    pub reply: Option<String>,
}

/// The publisher of [`Nats::subscribe`].
pub type Subscribed = millstream::Map<
    OnBackpressureBuffer<FromStream<async_nats::Subscriber>, fn(async_nats::Message)>,
    fn(async_nats::Message) -> CoreMessage,
>;

impl Nats {
    /// The messages of a subject that come from now on, which nobody keeps: of those that nobody
    /// asks for in time, `capacity` wait, and `overflow` says which of the others are lost. Those
    /// who subscribe with the same `queue_group` share them.
    ///
    /// # Errors
    ///
    /// A subject that is none, of kind `InvalidData`; a connection that is closed, of kind
    /// `Disconnected`.
    ///
    /// # Demand
    ///
    /// As that of [`on_backpressure_buffer`](Flow::on_backpressure_buffer): all that comes is taken
    /// from the client, from the first request on.
    ///
    /// # Termination
    ///
    /// Completes when the connection is closed; otherwise as `overflow` says.
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// See the book's page.
    pub async fn subscribe(
        &self,
        subject: &str,
        queue_group: Option<&str>,
        capacity: usize,
        overflow: Overflow,
    ) -> Result<Flow<Subscribed>, Error> {
        let client = &self.0.client;
        let subject = subject.to_owned();
        let result = match queue_group {
            None => client.subscribe(subject.clone()).await,
            Some(group) => client.queue_subscribe(subject.clone(), group.to_owned()).await,
        };
        let subscriber = result.map_err(|error| {
            let what = format!("the subject `{subject}` cannot be subscribed to");
            Error::with_source(ErrorKind::InvalidData, what, error)
        })?;
        let lost: fn(async_nats::Message) = drop;
        let read: fn(async_nats::Message) -> CoreMessage = read;
        Ok(from_stream_on(&self.scheduler(), subscriber)
            .on_backpressure_buffer_with(capacity, overflow, lost)
            .map(read))
    }
}

fn read(message: async_nats::Message) -> CoreMessage {
    CoreMessage {
        subject: message.subject.to_string(),
        payload: message.payload,
        headers: message.headers.as_ref().map(crate::envelope::headers_of).unwrap_or_default(),
        reply: message.reply.map(|reply| reply.to_string()),
    }
}
