//! NATS with JetStream.

use std::path::PathBuf;

use millstream_nats::{Credentials, NatsConfig, PullConfig, SinkConfig};
use millstream_pressure::Settings as _;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::{Expression, Time};

/// Where a NATS server is, and who connects.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct NatsConnection {
    /// The servers of a cluster, or one. Default: `nats://127.0.0.1:4222`.
    pub servers: Vec<String>,
    /// The user, who has a `password`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A token in place of a user.
    pub token: Option<Secret>,
    /// The seed of an nkey in place of a user.
    pub nkey: Option<Secret>,
    /// A file of credentials in place of a user.
    pub credentials_file: Option<PathBuf>,
    /// Files of root certificates that are trusted besides those of the system, in PEM.
    pub root_certificates: Vec<PathBuf>,
    /// Whether a connection without TLS is refused. Default: no.
    pub require_tls: bool,
    /// How long connecting may take. Default: 5s.
    pub connect_timeout: Time,
    /// How long an answer of the server may take. Default: 5s.
    pub request_timeout: Time,
}

impl Default for NatsConnection {
    fn default() -> Self {
        let NatsConfig { servers, connect_timeout, request_timeout, .. } = NatsConfig::default();
        Self {
            servers,
            user: None,
            password: None,
            token: None,
            nkey: None,
            credentials_file: None,
            root_certificates: Vec::new(),
            require_tls: false,
            connect_timeout: Time(connect_timeout),
            request_timeout: Time(request_timeout),
        }
    }
}

impl<'de> Deserialize<'de> for NatsConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let connection = Self::deserialize(deserializer)?;
        connection.config("").map_err(D::Error::custom)?;
        Ok(connection)
    }
}

impl NatsConnection {
    /// The connector's configuration, for a connection of this name.
    ///
    /// # Errors
    ///
    /// Something contradicts something else. What was read from a file does not.
    pub fn config(&self, name: &str) -> Result<NatsConfig, String> {
        let text = |path: &PathBuf| path.display().to_string();
        let credentials =
            match (&self.user, &self.password, &self.token, &self.nkey, &self.credentials_file) {
                (None, None, None, None, None) => Credentials::None,
                (Some(user), Some(password), None, None, None) => {
                    Credentials::User { name: user.clone(), password: password.0.clone() }
                }
                (None, None, Some(token), None, None) => Credentials::Token(token.0.clone()),
                (None, None, None, Some(nkey), None) => Credentials::Nkey(nkey.0.clone()),
                (None, None, None, None, Some(file)) => Credentials::File(text(file)),
                _ => {
                    let why = "one of `user` with `password`, `token`, `nkey` and \
                               `credentials_file` says who connects";
                    return Err(why.to_owned());
                }
            };
        let config = NatsConfig {
            servers: self.servers.clone(),
            name: name.to_owned(),
            credentials,
            root_certificates: self.root_certificates.iter().map(text).collect(),
            require_tls: self.require_tls,
            connect_timeout: self.connect_timeout.0,
            request_timeout: self.request_timeout.0,
        };
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }
}

/// The messages of a JetStream consumer, as texts.
///
/// As many are fetched as are asked for, and each is acknowledged when it has arrived in the sink,
/// was left out by a stage, or has become part of a window.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct NatsSource {
    /// Where the server is, and who connects. Default: `nats://127.0.0.1:4222`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: NatsConnection,
    /// The stream.
    pub stream: String,
    /// The name of its durable consumer, which is created if there is none. Pipelines of one
    /// consumer share what is in the stream.
    pub consumer: String,
    /// The subjects that a consumer is created for. Default: all of the stream.
    #[serde(default)]
    pub subject: String,
    /// How long the server waits for an acknowledgement of a consumer that is created, before it
    /// delivers again: at least 3 times as long as the way to the sink takes at its slowest.
    /// Default: 30s.
    #[serde(default = "ack_wait")]
    pub ack_wait: Time,
    /// How often a message is delivered at the most by a consumer that is created; 0 is any number.
    /// Default: 0.
    #[serde(default)]
    pub max_deliver: u32,
    /// The most messages that are asked for and have not come. Default: 1000.
    #[serde(default = "max_requested")]
    pub max_requested: u32,
}

fn ack_wait() -> Time {
    Time(PullConfig::default().ack_wait)
}

fn max_requested() -> u32 {
    PullConfig::default().max_requested
}

impl<'de> Deserialize<'de> for NatsSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Self::deserialize(deserializer)?;
        source.config().validate().map_err(D::Error::custom)?;
        Ok(source)
    }
}

impl NatsSource {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> PullConfig {
        PullConfig {
            filter_subject: self.subject.clone(),
            ack_wait: self.ack_wait.0,
            max_deliver: self.max_deliver,
            max_requested: self.max_requested,
            ..PullConfig::of(&self.stream, &self.consumer)
        }
    }
}

/// Messages into JetStream, each confirmed: texts as they are, anything else as JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct NatsSink {
    /// Where the server is, and who connects. Default: `nats://127.0.0.1:4222`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: NatsConnection,
    /// The subject, which a stream takes.
    pub subject: String,
    /// By what of an item the stream knows one that it has already, within its window of
    /// duplicates. Default: by nothing.
    #[serde(default)]
    pub id: Option<Expression>,
    /// The most messages that were sent and not confirmed. Default: 256.
    #[serde(default = "in_flight")]
    pub in_flight: u32,
    /// How long a confirmation may take. Default: 5s.
    #[serde(default = "ack_timeout")]
    pub ack_timeout: Time,
    /// For how long a message is sent again whose confirmation does not come, before the pipeline
    /// fails. Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn in_flight() -> u32 {
    SinkConfig::default().in_flight
}

fn ack_timeout() -> Time {
    Time(SinkConfig::default().ack_timeout)
}

impl<'de> Deserialize<'de> for NatsSink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sink = Self::deserialize(deserializer)?;
        if sink.subject.is_empty() || sink.subject.contains([' ', '*', '>']) {
            let why = format!("`{}` is no subject that can be published to", sink.subject);
            return Err(D::Error::custom(why));
        }
        sink.config().validate().map_err(D::Error::custom)?;
        Ok(sink)
    }
}

impl NatsSink {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> SinkConfig {
        SinkConfig { in_flight: self.in_flight, ack_timeout: self.ack_timeout.0 }
    }
}
