//! `Publication`: a message to be published, and its form for the wire.

use bytes::Bytes;
use lapin::{BasicProperties, types::ShortString};
use millstream::{Error, ErrorKind};
use millstream_pressure::Headers;

use crate::{config::MAX_NAME, envelope::table_of, error::Doing};

/// A message to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The exchange; an empty name is the default exchange, whose keys are names of queues.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// What is in it.
    pub payload: Bytes,
    /// Names and values.
    pub headers: Headers,
    /// By which consumers recognize a message that they have had: the broker does not look at it.
    pub id: Option<String>,
    /// What is in the payload, as a media type.
    pub content_type: Option<String>,
    /// Whether a broker that is started anew may have forgotten it. Default: no.
    pub is_transient: bool,
}

impl Publication {
    /// A persistent message for an exchange.
    pub fn new(
        exchange: impl Into<String>,
        routing_key: impl Into<String>,
        payload: impl Into<Bytes>,
    ) -> Self {
        Self {
            exchange: exchange.into(),
            routing_key: routing_key.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// A persistent message for a queue, by the default exchange.
    pub fn to_queue(queue: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self::new("", queue, payload)
    }

    /// Gives it an id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// The same for the wire.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) payload: Bytes,
    pub(super) properties: BasicProperties,
}

impl Message {
    pub(super) fn of(publication: Publication, max: usize) -> Result<Self, Error> {
        let Publication { exchange, routing_key, payload, headers, id, content_type, is_transient } =
            publication;
        let doing = Doing::Publish(&exchange, &routing_key);
        let too_long = |what: &str| {
            let what = format!("{doing}: {what} is longer than 255 bytes");
            Error::new(ErrorKind::InvalidData, what)
        };
        if payload.len() > max {
            let what = format!(
                "{doing} has {} bytes, and the sink's max_message_size is {max}: raise it with \
                 that of the broker, or send less",
                payload.len()
            );
            return Err(Error::new(ErrorKind::Overflow, what));
        }
        if exchange.len() > MAX_NAME || routing_key.len() > MAX_NAME {
            return Err(too_long("the exchange or the routing key"));
        }
        let short = |text: Option<String>, what| match text {
            Some(text) if text.len() > MAX_NAME => Err(too_long(what)),
            text => Ok(text.map(ShortString::from)),
        };
        let (id, content_type) = (short(id, "the id")?, short(content_type, "the content type")?);
        let mut properties =
            BasicProperties::default().with_delivery_mode(if is_transient { 1 } else { 2 });
        if !headers.is_empty() {
            let table = table_of(&headers).ok_or_else(|| too_long("the name of a header"))?;
            properties = properties.with_headers(table);
        }
        if let Some(id) = id {
            properties = properties.with_message_id(id);
        }
        if let Some(content_type) = content_type {
            properties = properties.with_content_type(content_type);
        }
        Ok(Self { exchange, routing_key, payload, properties })
    }

    pub(super) fn doing(&self) -> Doing<'_> {
        Doing::Publish(&self.exchange, &self.routing_key)
    }
}
