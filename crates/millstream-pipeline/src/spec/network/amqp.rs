//! RabbitMQ, by AMQP 0-9-1.

use std::path::PathBuf;

use millstream_amqp::{AmqpConfig, ConsumeConfig, Credentials, Queue, SinkConfig};
use millstream_pressure::Settings as _;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::{Expression, Time};

/// Where a RabbitMQ broker is, and who connects.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct AmqpConnection {
    /// The broker: `amqp://host:port`, or `amqps://host:port` for TLS. Default:
    /// `amqp://127.0.0.1:5672`.
    pub server: String,
    /// Its virtual host. Default: `/`.
    pub vhost: String,
    /// The user, who has a `password`. Default: `guest`, whom RabbitMQ lets in from its own machine
    /// alone.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// Files of root certificates that are trusted besides those of the system, in PEM.
    pub root_certificates: Vec<PathBuf>,
    /// How long connecting, and each answer of the broker, may take. Default: 5s.
    pub connect_timeout: Time,
    /// A broker that is not heard for about twice this time is gone. Default: 10s.
    pub heartbeat: Time,
}

impl Default for AmqpConnection {
    fn default() -> Self {
        let AmqpConfig { server, vhost, connect_timeout, heartbeat, .. } = AmqpConfig::default();
        Self {
            server,
            vhost,
            user: None,
            password: None,
            root_certificates: Vec::new(),
            connect_timeout: Time(connect_timeout),
            heartbeat: Time(heartbeat),
        }
    }
}

impl<'de> Deserialize<'de> for AmqpConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let connection = Self::deserialize(deserializer)?;
        connection.config("").map_err(D::Error::custom)?;
        Ok(connection)
    }
}

impl AmqpConnection {
    /// The connector's configuration, for a connection of this name. It declares nothing.
    ///
    /// # Errors
    ///
    /// Something contradicts something else. What was read from a file does not.
    pub fn config(&self, name: &str) -> Result<AmqpConfig, String> {
        let credentials = match (&self.user, &self.password) {
            (None, None) => Credentials::Guest,
            (Some(name), Some(password)) => {
                Credentials::User { name: name.clone(), password: password.0.clone() }
            }
            _ => return Err("`user` and `password` are given together, or not at all".to_owned()),
        };
        let certificates = self.root_certificates.iter().map(|path| path.display().to_string());
        let config = AmqpConfig {
            server: self.server.clone(),
            vhost: self.vhost.clone(),
            name: name.to_owned(),
            credentials,
            root_certificates: certificates.collect(),
            connect_timeout: self.connect_timeout.0,
            heartbeat: self.heartbeat.0,
            ..AmqpConfig::default()
        };
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    /// The same, with a queue that is declared.
    pub(crate) fn declaring(
        &self,
        name: &str,
        queue: Option<&str>,
        kind: Option<AmqpQueueKind>,
    ) -> Result<AmqpConfig, String> {
        let mut config = self.config(name)?;
        config.topology.queues.extend(queue.zip(kind).map(|(queue, kind)| kind.queue(queue)));
        Ok(config)
    }
}

/// How a queue that is declared keeps its messages. It is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmqpQueueKind {
    /// On a majority of the brokers. It counts how often a message was delivered.
    Quorum,
    /// On one broker.
    Classic,
}

impl AmqpQueueKind {
    fn queue(self, name: &str) -> Queue {
        match self {
            Self::Quorum => Queue::quorum(name),
            Self::Classic => Queue::classic(name),
        }
    }
}

/// The messages of a queue, as texts.
///
/// The broker sends as many as are asked for, and each is acknowledged when it has arrived in the
/// sink, was left out by a stage, or has become part of a window.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AmqpSource {
    /// Where the broker is, and who connects. Default: `amqp://127.0.0.1:5672`, `guest`.
    #[serde(default)]
    pub connection: AmqpConnection,
    /// The queue.
    pub queue: String,
    /// The kind of the queue, which is then created if there is none. Default: it has to be there.
    #[serde(default)]
    pub declare: Option<AmqpQueueKind>,
    /// The most messages that are not acknowledged. Default: 1000.
    #[serde(default = "max_unacknowledged")]
    pub max_unacknowledged: u16,
}

fn max_unacknowledged() -> u16 {
    ConsumeConfig::default().max_prefetch
}

impl<'de> Deserialize<'de> for AmqpSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Self::deserialize(deserializer)?;
        source.config().validate().map_err(D::Error::custom)?;
        Ok(source)
    }
}

impl AmqpSource {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> ConsumeConfig {
        ConsumeConfig { max_prefetch: self.max_unacknowledged, ..ConsumeConfig::of(&self.queue) }
    }
}

/// Persistent messages for a queue or an exchange, each confirmed: texts as they are, anything else
/// as JSON.
///
/// While the broker has no memory or no disk left, it confirms nothing, and the pipeline waits.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct AmqpSink {
    /// Where the broker is, and who connects. Default: `amqp://127.0.0.1:5672`, `guest`.
    #[serde(default)]
    pub connection: AmqpConnection,
    /// The queue, or else an `exchange`.
    #[serde(default)]
    pub queue: Option<String>,
    /// The kind of the queue, which is then created if there is none. Default: it has to be there.
    #[serde(default)]
    pub declare: Option<AmqpQueueKind>,
    /// The exchange, which has to be there.
    #[serde(default)]
    pub exchange: Option<String>,
    /// The routing key, of an item, for an `exchange`. Default: an empty one.
    #[serde(default)]
    pub key: Option<Expression>,
    /// By what of an item its readers know one that they have had: it is the id of the message.
    /// Default: by nothing.
    #[serde(default)]
    pub id: Option<Expression>,
    /// The most messages that were sent and not confirmed. Default: 256.
    #[serde(default = "in_flight")]
    pub in_flight: u32,
    /// For how long a message is sent again that is not confirmed, before the pipeline fails. The
    /// time during which the broker has no memory or disk left does not count. Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn in_flight() -> u32 {
    SinkConfig::default().in_flight
}

impl<'de> Deserialize<'de> for AmqpSink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sink = Self::deserialize(deserializer)?;
        let wrong = match (&sink.queue, &sink.exchange) {
            (None, None) => Some("`queue` or `exchange` says where messages go"),
            (Some(_), Some(_)) => Some("messages go to a `queue` or to an `exchange`"),
            (Some(_), None) if sink.key.is_some() => {
                Some("`key` is for an `exchange`: that of a queue is its name")
            }
            (None, Some(_)) if sink.declare.is_some() => {
                Some("`declare` is for a `queue`: an exchange has to be there")
            }
            (Some(name), None) | (None, Some(name)) if name.is_empty() => {
                Some("an empty name is that of no queue and no exchange")
            }
            _ => None,
        };
        if let Some(why) = wrong {
            return Err(D::Error::custom(why));
        }
        sink.config().validate().map_err(D::Error::custom)?;
        Ok(sink)
    }
}

impl AmqpSink {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> SinkConfig {
        SinkConfig {
            in_flight: self.in_flight,
            confirm_timeout: self.give_up_after.0,
            ..SinkConfig::default()
        }
    }
}
