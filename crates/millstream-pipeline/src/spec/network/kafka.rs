//! Kafka.

use std::{collections::BTreeMap, num::NonZeroU32};

use millstream_kafka::{
    Assignment, Compression, ConsumerConfig, Credentials, KafkaConfig, SinkConfig, Start,
};
use millstream_pressure::Settings as _;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::{Expression, Time};

/// Where the brokers of a Kafka cluster are, and who connects.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct KafkaConnection {
    /// Some brokers of the cluster, as `host:port`. Default: `127.0.0.1:9092`.
    pub brokers: Vec<String>,
    /// The user, who has a `password`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// How the password is proved: `PLAIN`, or where the client has TLS compiled in,
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`. Default: `PLAIN`.
    pub mechanism: String,
    /// Whether a user connects by TLS, for which the client has to have it compiled in.
    /// Default: no.
    pub tls: bool,
    /// How long connecting, and each answer, may take. Default: 5s.
    pub timeout: Time,
    /// Settings of librdkafka that have no key here, by its names: `ssl.ca.location`. Not shown.
    pub client_settings: BTreeMap<String, Secret>,
}

impl Default for KafkaConnection {
    fn default() -> Self {
        let KafkaConfig { brokers, timeout, .. } = KafkaConfig::default();
        Self {
            brokers,
            user: None,
            password: None,
            mechanism: "PLAIN".to_owned(),
            tls: false,
            timeout: Time(timeout),
            client_settings: BTreeMap::new(),
        }
    }
}

impl<'de> Deserialize<'de> for KafkaConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let connection = Self::deserialize(deserializer)?;
        connection.config("").map_err(D::Error::custom)?;
        Ok(connection)
    }
}

impl KafkaConnection {
    /// The connector's configuration, for a client of this name.
    ///
    /// # Errors
    ///
    /// Something contradicts something else. What was read from a file does not.
    pub fn config(&self, name: &str) -> Result<KafkaConfig, String> {
        let credentials = match (&self.user, &self.password) {
            (None, None) => Credentials::None,
            (Some(user), Some(password)) => Credentials::Password {
                user: user.clone(),
                password: password.0.clone(),
                mechanism: self.mechanism.clone(),
                tls: self.tls,
            },
            _ => return Err("`user` and `password` are given together".to_owned()),
        };
        let settings = self.client_settings.iter();
        let config = KafkaConfig {
            brokers: self.brokers.clone(),
            client_id: name.to_owned(),
            credentials,
            timeout: self.timeout.0,
            client_settings: settings.map(|(key, value)| (key.clone(), value.0.clone())).collect(),
        };
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }
}

/// Where a group begins in a partition of which it has committed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KafkaStart {
    /// With the first record there is.
    #[default]
    Earliest,
    /// With what comes from now on.
    Latest,
    /// Not at all: the pipeline fails.
    Error,
}

/// How partitions are shared among the members of a group, which all have to say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KafkaAssignment {
    /// Evenly, and with as few changes as possible.
    #[default]
    CooperativeSticky,
    /// A range of each topic; all members stop at each change.
    Range,
    /// One after the other; all members stop at each change.
    RoundRobin,
}

/// How records are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KafkaCompression {
    /// Not at all.
    #[default]
    None,
    /// By LZ4.
    Lz4,
    /// By Snappy.
    Snappy,
}

/// The records of the partitions that a consumer group gives to this member, as texts; one without
/// content, which deletes its key, is `null`.
///
/// As many are passed on as are asked for, and each is committed when it has arrived in the sink,
/// was left out by a stage, or has become part of a window, and so have all before it of its
/// partition. The member stays in its group however slow the sink is.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct KafkaSource {
    /// Where the brokers are, and who connects. Default: `127.0.0.1:9092`, nobody in particular.
    #[serde(default)]
    pub connection: KafkaConnection,
    /// The topics, which have to be there.
    pub topics: Vec<String>,
    /// The group, whose members share the partitions.
    pub group: String,
    /// A name of this member that outlives it: back within `session_timeout` it gets its partitions
    /// without a rebalance. No two at a time have the same. Default: none.
    #[serde(default)]
    pub instance: Option<String>,
    /// Where the group begins in a partition of which it has committed nothing. Default:
    /// `earliest`.
    #[serde(default)]
    pub start: KafkaStart,
    /// How partitions are shared. Default: `cooperative_sticky`.
    #[serde(default)]
    pub assignment: KafkaAssignment,
    /// How often what was acknowledged is committed. Default: 1s.
    #[serde(default = "commit_every")]
    pub commit_every: Time,
    /// After which time without a sign of life the group gives the partitions to others. Default:
    /// 45s.
    #[serde(default = "session_timeout")]
    pub session_timeout: Time,
    /// The most records of a partition that are passed on beyond the first one that is not
    /// acknowledged. Default: 10000.
    #[serde(default = "max_unacknowledged")]
    pub max_unacknowledged: NonZeroU32,
}

fn commit_every() -> Time {
    Time(ConsumerConfig::default().commit_every)
}

fn session_timeout() -> Time {
    Time(ConsumerConfig::default().session_timeout)
}

fn max_unacknowledged() -> NonZeroU32 {
    NonZeroU32::new(ConsumerConfig::default().max_unacknowledged).expect("it is not 0")
}

impl<'de> Deserialize<'de> for KafkaSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = Self::deserialize(deserializer)?;
        source.config().validate().map_err(D::Error::custom)?;
        Ok(source)
    }
}

impl KafkaSource {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> ConsumerConfig {
        let defaults = ConsumerConfig::default();
        ConsumerConfig {
            topics: self.topics.clone(),
            group: self.group.clone(),
            instance: self.instance.clone(),
            start: match self.start {
                KafkaStart::Earliest => Start::Earliest,
                KafkaStart::Latest => Start::Latest,
                KafkaStart::Error => Start::Error,
            },
            assignment: match self.assignment {
                KafkaAssignment::CooperativeSticky => Assignment::CooperativeSticky,
                KafkaAssignment::Range => Assignment::Range,
                KafkaAssignment::RoundRobin => Assignment::RoundRobin,
            },
            commit_every: self.commit_every.0,
            session_timeout: self.session_timeout.0,
            max_poll_interval: defaults.max_poll_interval.max(self.session_timeout.0),
            max_unacknowledged: self.max_unacknowledged.get(),
            ..defaults
        }
    }
}

/// Records into a topic, each stored once and confirmed: texts as they are, anything else as JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct KafkaSink {
    /// Where the brokers are, and who connects. Default: `127.0.0.1:9092`, nobody in particular.
    #[serde(default)]
    pub connection: KafkaConnection,
    /// The topic, which has to be there.
    pub topic: String,
    /// What of an item is its key: those of one key go to one partition. Default: nothing.
    #[serde(default)]
    pub key: Option<Expression>,
    /// The most records that were sent and not confirmed. Default: 1000.
    #[serde(default = "in_flight")]
    pub in_flight: u32,
    /// How long a record waits for others, to be sent at one go. Default: 5ms.
    #[serde(default = "linger")]
    pub linger: Time,
    /// How long a confirmation may take, with all attempts of the client. Default: 30s.
    #[serde(default = "ack_timeout")]
    pub ack_timeout: Time,
    /// How what is sent is compressed. Default: `none`.
    #[serde(default)]
    pub compression: KafkaCompression,
    /// For how long a record is sent again whose confirmation does not come, before the pipeline
    /// fails. Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn in_flight() -> u32 {
    SinkConfig::default().in_flight
}

fn linger() -> Time {
    Time(SinkConfig::default().linger)
}

fn ack_timeout() -> Time {
    Time(SinkConfig::default().ack_timeout)
}

impl<'de> Deserialize<'de> for KafkaSink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sink = Self::deserialize(deserializer)?;
        // As the connector checks the names of topics.
        ConsumerConfig::of(&sink.topic, "sink").validate().map_err(D::Error::custom)?;
        sink.config().validate().map_err(D::Error::custom)?;
        Ok(sink)
    }
}

impl KafkaSink {
    /// The connector's configuration.
    #[must_use]
    pub fn config(&self) -> SinkConfig {
        SinkConfig {
            in_flight: self.in_flight,
            linger: self.linger.0,
            ack_timeout: self.ack_timeout.0,
            compression: match self.compression {
                KafkaCompression::None => Compression::None,
                KafkaCompression::Lz4 => Compression::Lz4,
                KafkaCompression::Snappy => Compression::Snappy,
            },
            ..SinkConfig::default()
        }
    }
}
