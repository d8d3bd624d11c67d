//! AMQP 0-9-1 and RabbitMQ for [`millstream`]: what is asked for is what the broker sends.
//!
//! - [`Amqp::consume`]: the deliveries of a queue. The prefetch follows demand, so that the broker
//!   never sends more than was asked for.
//! - [`Amqp::sink`]: messages to exchanges and queues, each confirmed, of which a limited number is
//!   on its way. A broker whose memory or disk is full confirms nothing, and nothing is asked for.
//!
//! ```no_run
//! use millstream_amqp::{Amqp, AmqpConfig, ConsumeConfig, Publication, Queue, SinkConfig};
//! use millstream_pressure::FlowExt as _;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = AmqpConfig::at("amqp://127.0.0.1:5672");
//! config.topology.queues.push(Queue::quorum("orders"));
//! let amqp = Amqp::connect(config).await?;
//!
//! amqp.sink(SinkConfig::default())?.send(Publication::to_queue("orders", "17")).await?;
//!
//! // At most 8 orders are unacknowledged at a time.
//! amqp.consume(ConsumeConfig::of("orders"))?
//!     .for_each_acked(8, |order, _| async move {
//!         println!("{order:?}");
//!         Ok(())
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Everything runs on the tokio runtime on which [`Amqp::connect`] was called.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod connection;
mod consume;
mod envelope;
mod error;
mod link;
mod look;
mod sink;
mod topology;

pub use self::{
    config::{AmqpConfig, ConsumeConfig, Credentials, SinkConfig},
    connection::Amqp,
    consume::{AmqpAck, Consumed},
    look::QueueState,
    sink::{Publication, Sink},
    topology::{
        Binding, DeadLetters, Exchange, ExchangeKind, Queue, QueueKind, QueueOverflow, Topology,
    },
};

/// The book's page, whose examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/amqp.md")]
mod book {}
