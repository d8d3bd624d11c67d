//! Sinks that confirm each item, of which many are on their way.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "rsocket")]
mod rsocket;

use std::{sync::Arc, time::Duration};

use millstream::{Error, ErrorKind};
use serde_json::Value;

use crate::{SinkSpec, Spec, net::Net};

/// The longest pause before an item is sent again the first time, and later.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where items are sent, each on its own. A clone sends to the same place.
#[derive(Clone)]
pub(crate) struct Remote {
    kind: Kind,
    /// The most items on their way.
    pub(crate) in_flight: usize,
    /// For how long one is sent again that is not confirmed; none where the connector does that.
    give_up_after: Option<Duration>,
}

#[derive(Clone)]
enum Kind {
    #[cfg(feature = "amqp")]
    Amqp(Arc<amqp::Publishing>),
    #[cfg(feature = "http")]
    Http(Arc<crate::client::Client>),
    #[cfg(feature = "kafka")]
    Kafka(Arc<kafka::Publishing>),
    #[cfg(feature = "nats")]
    Nats(Arc<nats::Publishing>),
    #[cfg(feature = "redis")]
    Redis(Arc<millstream_redis::StreamSink>),
    #[cfg(feature = "rsocket")]
    RSocket(Arc<rsocket::Requesting>),
}

impl Remote {
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    #[cfg_attr(
        not(any(
            feature = "amqp",
            feature = "kafka",
            feature = "nats",
            feature = "redis",
            feature = "rsocket"
        )),
        expect(unused_variables, reason = "nothing keeps a connection")
    )]
    pub(super) fn open(spec: &Spec, net: &Net) -> Result<Self, Error> {
        match &spec.sink {
            #[cfg(feature = "amqp")]
            SinkSpec::Amqp(sink) => Ok(Self {
                kind: Kind::Amqp(Arc::new(amqp::Publishing::open(sink, &spec.name, net)?)),
                in_flight: sink.in_flight as usize,
                // The time in which the broker takes nothing does not count there.
                give_up_after: None,
            }),
            #[cfg(feature = "http")]
            SinkSpec::Http(sink) => Ok(Self {
                kind: Kind::Http(Arc::new(http::open(sink)?)),
                in_flight: sink.concurrency.get(),
                give_up_after: Some(sink.give_up_after.0),
            }),
            #[cfg(feature = "kafka")]
            SinkSpec::Kafka(sink) => Ok(Self {
                kind: Kind::Kafka(Arc::new(kafka::Publishing::open(sink, &spec.name, net)?)),
                in_flight: sink.in_flight as usize,
                give_up_after: Some(sink.give_up_after.0),
            }),
            #[cfg(feature = "nats")]
            SinkSpec::Nats(sink) => Ok(Self {
                kind: Kind::Nats(Arc::new(nats::Publishing::open(sink, &spec.name, net)?)),
                in_flight: sink.in_flight as usize,
                give_up_after: Some(sink.give_up_after.0),
            }),
            #[cfg(feature = "redis")]
            SinkSpec::Redis(sink) => Ok(Self {
                kind: Kind::Redis(Arc::new(redis::open(sink, net)?)),
                in_flight: sink.in_flight as usize,
                give_up_after: Some(sink.give_up_after.0),
            }),
            #[cfg(feature = "rsocket")]
            SinkSpec::RSocket(sink) => Ok(Self {
                kind: Kind::RSocket(Arc::new(rsocket::Requesting::open(sink, net)?)),
                in_flight: sink.in_flight.get(),
                give_up_after: Some(sink.give_up_after.0),
            }),
            _ => unreachable!("all others are written to"),
        }
    }

    /// Sends an item until it is confirmed, or that has taken too long.
    ///
    /// # Errors
    ///
    /// It is refused, or is not confirmed in time.
    pub(crate) async fn send(&self, value: &Value) -> Result<(), Error> {
        let Some(give_up_after) = self.give_up_after else { return self.send_once(value).await };
        let mut last = None;
        let sending = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match self.send_once(value).await {
                    Err(error) if is_passing(&error) => last = Some(error),
                    result => return result,
                }
                // Those that failed together do not come back together.
                tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let result = tokio::time::timeout(give_up_after, sending).await;
        result.unwrap_or_else(|_| {
            let slow = || Error::new(ErrorKind::Timeout, "an item is not confirmed");
            let after = format!("given up after {give_up_after:?}");
            Err(last.unwrap_or_else(slow).context(after))
        })
    }

    async fn send_once(&self, value: &Value) -> Result<(), Error> {
        match self.kind {
            #[cfg(feature = "amqp")]
            Kind::Amqp(ref publishing) => publishing.send(value).await,
            #[cfg(feature = "http")]
            Kind::Http(ref client) => http::send(client, value).await,
            #[cfg(feature = "kafka")]
            Kind::Kafka(ref publishing) => publishing.send(value).await,
            #[cfg(feature = "nats")]
            Kind::Nats(ref publishing) => publishing.send(value).await,
            #[cfg(feature = "redis")]
            Kind::Redis(ref sink) => redis::send(sink, value).await,
            #[cfg(feature = "rsocket")]
            Kind::RSocket(ref requesting) => requesting.send(value).await,
        }
    }
}

/// Whether it may be different the next time.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Disconnected)
}

/// What an expression gives, as a text.
#[cfg(any(feature = "amqp", feature = "kafka", feature = "nats"))]
fn text_of(what: &str, expression: &crate::Expression, value: &Value) -> Result<String, Error> {
    match expression.evaluate(value) {
        Ok(Value::String(text)) => Ok(text),
        Ok(other) => Ok(other.to_string()),
        Err(why) => {
            Err(Error::new(ErrorKind::InvalidData, format!("the {what} of an item: {why}")))
        }
    }
}

/// An item as bytes: a text as it is, and anything else as JSON.
#[cfg(any(
    feature = "amqp",
    feature = "kafka",
    feature = "nats",
    feature = "redis",
    feature = "rsocket"
))]
fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}
