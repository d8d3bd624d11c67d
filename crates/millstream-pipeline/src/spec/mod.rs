//! What a pipeline's file says.

mod expression;
mod lanes;
mod load;
mod monitoring;
mod network;
mod queues;
mod secrets;
mod sink;
mod source;
mod stage;
mod units;
mod window;

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;

use self::secrets::Secrets;
pub use self::{
    expression::Expression,
    lanes::{LaneSpec, LanesSpec},
    load::{InvalidSpec, nearest},
    monitoring::{AlertThresholds, MonitoringSpec},
    network::Secret,
    queues::{
        AdaptiveSpec, BackpressureSpec, FlowControlKind, FlowControlSpec, QueueSpec, Strategy,
    },
    sink::{FileSink, NullSink, Rotation, SinkSpec, StdoutSink},
    source::{FileSource, GenerateSource, Shape, SourceSpec, StdinSource},
    stage::{
        DedupSpec, FieldType, Format, OnError, ParseSpec, Pattern, RateSpec, SampleSpec, SpillSpec,
        StageSpec,
    },
    units::{Rate, Share, Size, Time},
    window::{Aggregate, WindowSpec},
};

#[cfg(feature = "amqp")]
pub use self::network::{AmqpConnection, AmqpQueueKind, AmqpSink, AmqpSource};
#[cfg(feature = "http")]
pub use self::network::{Answer, BreakerSpec, CallSpec, HttpSink, HttpSource, RetrySpec, Target};
#[cfg(feature = "kafka")]
pub use self::network::{
    KafkaAssignment, KafkaCompression, KafkaConnection, KafkaSink, KafkaSource, KafkaStart,
};
#[cfg(feature = "nats")]
pub use self::network::{NatsConnection, NatsSink, NatsSource};
#[cfg(feature = "rsocket")]
pub(crate) use self::network::{RSocketAddress, routing};
#[cfg(feature = "rsocket")]
pub use self::network::{RSocketConnection, RSocketSink, RSocketSource};
#[cfg(feature = "redis")]
pub use self::network::{RedisConnection, RedisSink, RedisSource};
#[cfg(feature = "tcp")]
pub use self::network::{TcpSink, TcpSource};

/// A pipeline: a source, stages and a sink, with the policies between them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spec {
    /// What it is called in what is printed and measured.
    #[serde(default = "default_name")]
    pub name: String,
    /// Where items come from.
    pub source: SourceSpec,
    /// What is done with each, in this order.
    #[serde(default)]
    pub stages: Vec<StageSpec>,
    /// Where items go.
    pub sink: SinkSpec,
    /// What becomes of an item with which a stage can do nothing. Default: `fail`.
    #[serde(default)]
    pub on_error: OnError,
    /// The queues that stages name.
    #[serde(default)]
    pub backpressure: BackpressureSpec,
    /// How the source is slowed down.
    #[serde(default)]
    pub flow_control: Option<FlowControlSpec>,
    /// The settings of `flow_control: { type: adaptive }`.
    #[serde(default)]
    pub adaptive: AdaptiveSpec,
    /// How often counters are read, and what is out of the ordinary.
    #[serde(default)]
    pub monitoring: MonitoringSpec,
    /// Worker threads. Default: one for each processor, and two at least.
    #[serde(default)]
    pub threads: Option<NonZeroUsize>,
    #[serde(skip)]
    pub(crate) secrets: Secrets,
}

fn default_name() -> String {
    "pipeline".to_owned()
}
