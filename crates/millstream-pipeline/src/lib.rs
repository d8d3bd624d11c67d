//! Pipelines from a YAML file: a source, stages and a sink, with queues, rates and credits between
//! them.
//!
//! ```
//! use millstream_pipeline::{Pipeline, Spec};
//!
//! let spec = Spec::from_yaml(
//!     "
//! source: { generate: { rate: 100000, count: 1000 } }
//! stages:
//!   - filter: n % 2 == 0
//!   - queue: half
//! sink: { 'null': {} }
//! backpressure:
//!   queues:
//!     half: { size: 100, strategy: block }
//! ",
//! )?;
//! let status = Pipeline::new(spec).start()?.wait()?;
//! assert_eq!((status.taken, status.arrived, status.lost()), (1000, 500, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! - [`Spec`] is what a file says; reading one gives it or says what is wrong, where, and what was
//!   probably meant ([`InvalidSpec`]). It has a JSON schema.
//! - [`Pipeline`] is a pipeline before it runs: it can be described, and started.
//! - [`Pipeline::audit`] holds it against the checklists, [`Pipeline::diagnose`] connects to what
//!   it names; a [`Finding`] is what they say.
//! - [`Pipeline::simulate`] runs it in virtual time, with recorded arrivals.
//! - [`Running`] is one that runs, a future of its end; a [`Handle`] looks at it, stops it, and
//!   [reloads](Handle::reload) it.
//! - [`Status`] is what a pipeline says of itself, [`Handle::inventory`] everything about its flows
//!   and policies, and [`Alerts`] what has gone out of the ordinary.
//! - [`Expression`] is what `filter` and `map` are written in.
//!
//! # Demand
//!
//! Between source and sink, demand is what it is in any flow: a sink that takes no more stops the
//! source, through every stage, but for a queue whose strategy drops. Neighboring stages that look
//! at one item at a time run as one operator; behind a queue, another thread goes on.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alerts;
mod assemble;
mod audit;
#[cfg(feature = "http")]
mod client;
mod codec;
mod describe;
mod doctor;
mod net;
mod record;
mod reload;
#[cfg(feature = "rsocket")]
mod rsocket;
mod running;
mod simulate;
mod sink;
mod source;
mod spec;
mod status;
mod step;
mod window;

pub use alerts::Alerts;
pub use audit::{Finding, Verdict};
pub use reload::ReloadError;
pub use running::{Handle, Pipeline, Running};
pub use simulate::{Moment, Service, Simulated, Trace, Trial};
pub use source::Load;
pub use spec::{
    AdaptiveSpec, Aggregate, AlertThresholds, BackpressureSpec, DedupSpec, Expression, FieldType,
    FileSink, FileSource, FlowControlKind, FlowControlSpec, Format, GenerateSource, InvalidSpec,
    LaneSpec, LanesSpec, MonitoringSpec, NullSink, OnError, ParseSpec, Pattern, QueueSpec, Rate,
    RateSpec, Rotation, SampleSpec, Secret, Shape, Share, SinkSpec, Size, SourceSpec, Spec,
    SpillSpec, StageSpec, StdinSource, StdoutSink, Strategy, Time, WindowSpec, nearest,
};
#[cfg(feature = "amqp")]
pub use spec::{AmqpConnection, AmqpQueueKind, AmqpSink, AmqpSource};
#[cfg(feature = "http")]
pub use spec::{Answer, BreakerSpec, CallSpec, HttpSink, HttpSource, RetrySpec, Target};
#[cfg(feature = "kafka")]
pub use spec::{
    KafkaAssignment, KafkaCompression, KafkaConnection, KafkaSink, KafkaSource, KafkaStart,
};
#[cfg(feature = "nats")]
pub use spec::{NatsConnection, NatsSink, NatsSource};
#[cfg(feature = "rsocket")]
pub use spec::{RSocketConnection, RSocketSink, RSocketSource};
#[cfg(feature = "redis")]
pub use spec::{RedisConnection, RedisSink, RedisSource};
#[cfg(feature = "tcp")]
pub use spec::{TcpSink, TcpSource};
pub use status::{Latency, Status};

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../docs/book/src/keys.md")]
    mod keys {}
    #[doc = include_str!("../../../docs/book/src/migrate.md")]
    mod migrate {}
    #[doc = include_str!("../../../docs/book/src/pipeline.md")]
    mod pipeline {}
    #[doc = include_str!("../../../docs/book/src/scale-out.md")]
    mod scale_out {}
    #[doc = include_str!("../../../docs/book/src/trouble.md")]
    mod trouble {}
}
