//! Redis for [`millstream`]: what is asked for is what is read.
//!
//! - [`Redis::stream`]: the deliveries of a consumer of a stream's group. As many entries are read
//!   as are asked for; those that another consumer left unsettled are claimed.
//! - [`Redis::stream_sink`]: entries into a stream, of which a limited number is on its way.
//! - [`Redis::cluster`]: where the nodes of a [`Cluster`](millstream_pressure::Cluster) see each
//!   other.
//!
//! ```no_run
//! use millstream_pressure::FlowExt as _;
//! use millstream_redis::{Entry, Redis, RedisConfig, StreamConfig, StreamSinkConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::connect(RedisConfig::at("redis://127.0.0.1:6379")).await?;
//!
//! let sink = redis.stream_sink(StreamSinkConfig::of("orders"))?;
//! sink.send(Entry::of("number", "17")).await?;
//!
//! // At most 8 orders are unsettled at a time.
//! redis
//!     .stream(StreamConfig::of("orders", "billing", "worker-1"))?
//!     .for_each_acked(8, |order, _| async move {
//!         println!("{:?}", order.get("number"));
//!         Ok(())
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything runs on the tokio runtime on which [`Redis::connect`] was called.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ack;
mod cluster;
mod config;
mod connection;
mod sink;
mod streams;

pub use self::{
    ack::StreamAck,
    cluster::RedisCluster,
    config::{RedisConfig, StreamConfig},
    connection::Redis,
    sink::{StreamSink, StreamSinkConfig},
    streams::{Entry, Streamed},
};

/// The book's page, whose examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/redis.md")]
mod book {}
