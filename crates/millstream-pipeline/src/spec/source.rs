//! Where items come from.

use std::{num::NonZeroUsize, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

#[cfg(feature = "amqp")]
use super::AmqpSource;
#[cfg(feature = "http")]
use super::HttpSource;
#[cfg(feature = "kafka")]
use super::KafkaSource;
#[cfg(feature = "nats")]
use super::NatsSource;
#[cfg(feature = "rsocket")]
use super::RSocketSource;
#[cfg(feature = "redis")]
use super::RedisSource;
#[cfg(feature = "tcp")]
use super::TcpSource;
use super::{Expression, Rate, Share, Time};

/// Where items come from.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "source")]
#[non_exhaustive]
pub enum SourceSpec {
    /// The lines of a file.
    File(FileSource),
    /// The lines of the standard input.
    Stdin(StdinSource),
    /// Items that are made up, at a rate.
    Generate(GenerateSource),
    /// The messages of a queue of RabbitMQ.
    #[cfg(feature = "amqp")]
    Amqp(AmqpSource),
    /// The lines of the bodies of requests.
    #[cfg(feature = "http")]
    Http(HttpSource),
    /// The records of a Kafka consumer group's member.
    #[cfg(feature = "kafka")]
    Kafka(KafkaSource),
    /// The messages of a JetStream consumer.
    #[cfg(feature = "nats")]
    Nats(NatsSource),
    /// The entries of a Redis stream.
    #[cfg(feature = "redis")]
    Redis(RedisSource),
    /// The stream that an RSocket server answers with.
    #[cfg(feature = "rsocket")]
    #[serde(rename = "rsocket")]
    RSocket(RSocketSource),
    /// The lines of the connections to a port.
    #[cfg(feature = "tcp")]
    Tcp(TcpSource),
}

/// The lines of a file.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// Which file.
    pub path: PathBuf,
    /// Goes on with what is added to the file, also when it is rotated, until the pipeline is
    /// stopped. Default: ends with the file.
    #[serde(default)]
    pub follow: bool,
}

/// The lines of the standard input.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StdinSource {}

/// Items that are made up, at a rate: `{"n": 0, "time": 1700000000.25}`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateSource {
    /// How many a second; `shape` changes it.
    pub rate: Rate,
    /// How the rate changes with time. Default: `steady`.
    #[serde(default)]
    pub shape: Shape,
    /// Ends after so many items. Default: never.
    #[serde(default)]
    pub count: Option<u64>,
    /// Ends after this time. Default: never.
    #[serde(default, rename = "for")]
    pub time: Option<Time>,
    /// Makes an item of `n`, its number from 0 on, and `time`, the seconds since 1970.
    #[serde(default)]
    pub item: Option<Expression>,
    /// For arrivals at random (a Poisson process) the same seed gives the same ones. Default: 1.
    #[serde(default = "seed")]
    pub seed: u64,
    /// How many items that are late by more than a few milliseconds wait for demand before the
    /// oldest are lost, and counted. Default: none are lost; the source is late.
    #[serde(default)]
    pub at_most_late: Option<NonZeroUsize>,
}

fn seed() -> u64 {
    1
}

fn checked_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let times = f64::deserialize(deserializer)?;
    if (0.0..=1e6).contains(&times) {
        Ok(times)
    } else {
        Err(D::Error::custom(format!("times is {times}, and has to be from 0 to 1000000")))
    }
}

/// How a rate changes with time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "shape")]
pub enum Shape {
    /// Not at all: an item each 1/rate.
    #[default]
    Steady,
    /// Arrivals at random, independent of each other.
    Poisson,
    /// So many times the rate for a while, again and again.
    Burst {
        /// From the start of one burst to that of the next.
        every: Time,
        /// How long one is.
        length: Time,
        /// How many times the rate, from 0 to 1000000.
        #[serde(deserialize_with = "checked_times")]
        times: f64,
    },
    /// From the rate to another one, which then stays.
    Ramp {
        /// The rate at the end.
        to: Rate,
        /// In this time.
        over: Time,
    },
    /// Up and down around the rate.
    Wave {
        /// From one peak to the next.
        every: Time,
        /// How far, as a share of the rate, from 0 to 1.
        by: Share,
    },
}
