//! Where items go.

use std::{num::NonZeroUsize, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "amqp")]
use super::AmqpSink;
#[cfg(feature = "http")]
use super::HttpSink;
#[cfg(feature = "kafka")]
use super::KafkaSink;
#[cfg(feature = "nats")]
use super::NatsSink;
#[cfg(feature = "rsocket")]
use super::RSocketSink;
#[cfg(feature = "redis")]
use super::RedisSink;
#[cfg(feature = "tcp")]
use super::TcpSink;
use super::{Rate, Size, Time};

/// Where items go.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "sink")]
#[non_exhaustive]
pub enum SinkSpec {
    /// To standard output, a line each.
    Stdout(StdoutSink),
    /// To a file, a line each.
    File(FileSink),
    /// Nowhere.
    Null(NullSink),
    /// To a queue or an exchange of RabbitMQ.
    #[cfg(feature = "amqp")]
    Amqp(AmqpSink),
    /// To a service, each by a request.
    #[cfg(feature = "http")]
    Http(HttpSink),
    /// Into a topic of Kafka.
    #[cfg(feature = "kafka")]
    Kafka(KafkaSink),
    /// Into JetStream.
    #[cfg(feature = "nats")]
    Nats(NatsSink),
    /// Into a Redis stream.
    #[cfg(feature = "redis")]
    Redis(RedisSink),
    /// To an RSocket server, each by a request.
    #[cfg(feature = "rsocket")]
    #[serde(rename = "rsocket")]
    RSocket(RSocketSink),
    /// To a server, a line each.
    #[cfg(feature = "tcp")]
    Tcp(TcpSink),
}

impl SinkSpec {
    /// For how long an item is sent again before it is given up, by a sink that sends to a server.
    pub(crate) fn give_up_after(&self) -> Option<Time> {
        match self {
            #[cfg(feature = "amqp")]
            Self::Amqp(sink) => Some(sink.give_up_after),
            #[cfg(feature = "http")]
            Self::Http(sink) => Some(sink.give_up_after),
            #[cfg(feature = "kafka")]
            Self::Kafka(sink) => Some(sink.give_up_after),
            #[cfg(feature = "nats")]
            Self::Nats(sink) => Some(sink.give_up_after),
            #[cfg(feature = "redis")]
            Self::Redis(sink) => Some(sink.give_up_after),
            #[cfg(feature = "rsocket")]
            Self::RSocket(sink) => Some(sink.give_up_after),
            #[cfg(feature = "tcp")]
            Self::Tcp(sink) => Some(sink.give_up_after),
            _ => None,
        }
    }
}

/// To standard output: texts as they are, anything else as JSON, a line each.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StdoutSink {}

/// To a file: texts as they are, anything else as JSON, a line each.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSink {
    /// Which file. It is made if it is not there, and its folder has to be.
    pub path: PathBuf,
    /// Adds to a file that is there. Default: writes it anew.
    #[serde(default)]
    pub append: bool,
    /// When another file is begun. Default: never.
    #[serde(default)]
    pub rotate: Option<Rotation>,
}

/// When another file is begun: `out.jsonl` becomes `out.jsonl.1`, that one `out.jsonl.2`, and so
/// on.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Before the line with which a file would be larger than this.
    pub size: Size,
    /// How many old files are kept. Default: 5.
    #[serde(default = "keep")]
    pub keep: NonZeroUsize,
}

fn keep() -> NonZeroUsize {
    NonZeroUsize::new(5).expect("it is not 0")
}

#[cfg(feature = "net")]
pub(super) fn give_up_after() -> super::Time {
    super::Time(std::time::Duration::from_secs(30))
}

/// Nowhere, at a rate: what a slow consumer is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NullSink {
    /// How many items a second it takes. Default: any number.
    pub rate: Option<Rate>,
}
