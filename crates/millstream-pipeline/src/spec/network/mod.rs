//! What is on a network: servers, and who connects to them.

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
#[cfg(feature = "tcp")]
mod tcp;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

#[cfg(feature = "amqp")]
pub use self::amqp::{AmqpConnection, AmqpQueueKind, AmqpSink, AmqpSource};
#[cfg(feature = "http")]
pub use self::http::{Answer, BreakerSpec, CallSpec, HttpSink, HttpSource, RetrySpec, Target};
#[cfg(feature = "kafka")]
pub use self::kafka::{
    KafkaAssignment, KafkaCompression, KafkaConnection, KafkaSink, KafkaSource, KafkaStart,
};
#[cfg(feature = "nats")]
pub use self::nats::{NatsConnection, NatsSink, NatsSource};
#[cfg(feature = "redis")]
pub use self::redis::{RedisConnection, RedisSink, RedisSource};
#[cfg(feature = "rsocket")]
pub(crate) use self::rsocket::{Address as RSocketAddress, routing};
#[cfg(feature = "rsocket")]
pub use self::rsocket::{RSocketConnection, RSocketSink, RSocketSource};
#[cfg(feature = "tcp")]
pub use self::tcp::{TcpSink, TcpSource};

/// Sources, sinks and stages that a build may be without, by their features.
const OPTIONAL: [(&str, bool); 8] = [
    ("amqp", cfg!(feature = "amqp")),
    ("call", cfg!(feature = "http")),
    ("http", cfg!(feature = "http")),
    ("kafka", cfg!(feature = "kafka")),
    ("nats", cfg!(feature = "nats")),
    ("redis", cfg!(feature = "redis")),
    ("rsocket", cfg!(feature = "rsocket")),
    ("tcp", cfg!(feature = "tcp")),
];

/// What an unknown name has to do with how the program was built, if anything.
pub(super) fn left_out(name: &str) -> Option<String> {
    let (feature, _) = OPTIONAL.iter().find(|(feature, is_in)| *feature == name && !is_in)?;
    let feature = if *feature == "call" { "http" } else { feature };
    Some(format!("; this program was built without the feature `{feature}`"))
}

/// A password or token, which is not shown.
///
/// In a file it is written as a reference to a variable: `password: ${NATS_PASSWORD}`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A password or token: a reference to an environment variable.",
            "type": "string",
            "writeOnly": true,
            "examples": ["${NATS_PASSWORD}"],
        })
    }
}
