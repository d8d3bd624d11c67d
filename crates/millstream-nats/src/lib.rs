//! NATS and JetStream for [`millstream`]: what is asked for is what is fetched.
//!
//! - [`Nats::pull`]: the deliveries of a JetStream consumer. As many are asked of the server as are
//!   asked for here, so that never more are unacknowledged.
//! - [`Nats::sink`]: messages into JetStream, each confirmed, of which a limited number is on its
//!   way.
//! - [`Nats::subscribe`]: messages of NATS itself, which nobody keeps, with a declared loss.
//!
//! - [`Nats::watch`]: what becomes of the keys of a bucket.
//! - [`Nats::cluster`]: where the nodes of a [`Cluster`](millstream_pressure::Cluster) see each
//!   other.
//!
//! ```no_run
//! use millstream_nats::{Nats, NatsConfig, PullConfig, Publication, SinkConfig};
//! use millstream_pressure::FlowExt as _;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let nats = Nats::connect(NatsConfig::at("nats://127.0.0.1:4222")).await?;
//!
//! let sink = nats.sink(SinkConfig::default())?;
//! sink.send(Publication::new("orders.new", "17").with_id("order-17")).await?;
//!
//! // At most 8 orders are unacknowledged at a time.
//! nats.pull(PullConfig::of("orders", "billing"))?
//!     .for_each_acked(8, |order, _| async move {
//!         println!("{order:?}");
//!         Ok(())
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything runs on the tokio runtime on which [`Nats::connect`] was called.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ack;
mod cluster;
mod config;
mod connection;
mod envelope;
mod pull;
mod sink;
mod subscribe;
mod watch;

pub use self::{
    ack::NatsAck,
    cluster::NatsCluster,
    config::{Credentials, NatsConfig, PullConfig, SinkConfig},
    connection::Nats,
    pull::Pull,
    sink::{Publication, Sink, Stored},
    subscribe::{CoreMessage, Subscribed},
    watch::{Change, Changes, Watched},
};

/// The book's page, whose examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/nats.md")]
mod book {}
