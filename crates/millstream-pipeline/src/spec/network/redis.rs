//! Redis streams.

use millstream_pressure::Settings as _;
use millstream_redis::{RedisConfig, StreamConfig, StreamSinkConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::Time;

/// Where a Redis server is, and who connects.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct RedisConnection {
    /// The server. Default: `redis://127.0.0.1:6379`.
    pub server: String,
    /// The user. Default: the server's default user.
    pub user: Option<String>,
    /// The password. Default: none.
    pub password: Option<Secret>,
    /// How long connecting, and each answer, may take. Default: 5s.
    pub timeout: Time,
}

impl Default for RedisConnection {
    fn default() -> Self {
        let RedisConfig { server, timeout, .. } = RedisConfig::default();
        Self { server, user: None, password: None, timeout: Time(timeout) }
    }
}

impl<'de> Deserialize<'de> for RedisConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let connection = Self::deserialize(deserializer)?;
        connection.config().validate().map_err(D::Error::custom)?;
        Ok(connection)
    }
}

impl RedisConnection {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> RedisConfig {
        let password = self.password.as_ref().map(|secret| secret.0.clone());
        let (server, user) = (self.server.clone(), self.user.clone());
        RedisConfig { server, user, password, timeout: self.timeout.0 }
    }
}

/// The entries of a stream, as objects of texts.
///
/// As many are read as are asked for, and each is acknowledged when it has arrived in the sink, was
/// left out by a stage, or has become part of a window.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RedisSource {
    /// Where the server is, and who connects. Default: `redis://127.0.0.1:6379`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: RedisConnection,
    /// The key of the stream.
    pub key: String,
    /// The group, which is created if there is none. Its consumers share the stream.
    pub group: String,
    /// The name of this consumer: no two at a time have the same.
    pub consumer: String,
    /// The most entries of one read. Default: 1000.
    #[serde(default = "max_batch")]
    pub max_batch: u32,
    /// After which time an entry that nobody has acknowledged is another's: at least 3 times as
    /// long as the way to the sink takes at its slowest. Default: 30s.
    #[serde(default = "claim_after")]
    pub claim_after: Time,
}

fn max_batch() -> u32 {
    StreamConfig::default().max_batch
}

fn claim_after() -> Time {
    Time(StreamConfig::default().claim_after)
}

impl<'de> Deserialize<'de> for RedisSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Self::deserialize(deserializer)?;
        source.config().validate().map_err(D::Error::custom)?;
        Ok(source)
    }
}

impl RedisSource {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> StreamConfig {
        StreamConfig {
            max_batch: self.max_batch,
            claim_after: self.claim_after.0,
            ..StreamConfig::of(&self.key, &self.group, &self.consumer)
        }
    }
}

/// Entries into a stream, each confirmed: the fields of an item, of which texts are as they are and
/// anything else is JSON; an item without fields is one named `item`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RedisSink {
    /// Where the server is, and who connects. Default: `redis://127.0.0.1:6379`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: RedisConnection,
    /// The key of the stream, which begins with its first entry.
    pub key: String,
    /// About how many entries the stream keeps, read or not: the oldest go. Default: 0, which is
    /// all of them.
    #[serde(default)]
    pub max_length: u64,
    /// The most entries that were sent and not confirmed. Default: 256.
    #[serde(default = "in_flight")]
    pub in_flight: u32,
    /// For how long an entry is sent again that is not confirmed, before the pipeline fails.
    /// Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn in_flight() -> u32 {
    StreamSinkConfig::default().in_flight
}

impl<'de> Deserialize<'de> for RedisSink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sink = Self::deserialize(deserializer)?;
        sink.config().validate().map_err(D::Error::custom)?;
        Ok(sink)
    }
}

impl RedisSink {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> StreamSinkConfig {
        let (max_length, in_flight) = (self.max_length, self.in_flight);
        StreamSinkConfig { max_length, in_flight, ..StreamSinkConfig::of(&self.key) }
    }
}
