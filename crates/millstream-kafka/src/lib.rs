//! Kafka for [`millstream`]: a member of a group that is never thrown out, and loses nothing.
//!
//! - [`Consumer::deliveries`]: the records of the partitions that a group gives to this member. As
//!   many are passed on as are asked for, and polls go on however long that takes.
//! - [`Kafka::sink`]: records into topics, each stored once and confirmed, of which a limited
//!   number is on its way.
//! - [`Kafka::transactions`]: records in, records out, exactly once.
//!
//! ```no_run
//! use millstream_kafka::{ConsumerConfig, Kafka, KafkaConfig};
//! use millstream_pressure::FlowExt as _;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let kafka = Kafka::connect(KafkaConfig::at("127.0.0.1:9092")).await?;
//!
//! // At most 8 orders are unacknowledged at a time.
//! kafka
//!     .consumer(ConsumerConfig::of("orders", "billing"))?
//!     .deliveries()
//!     .for_each_acked(8, |order, _| async move {
//!         println!("{order:?}");
//!         Ok(())
//!     })
//!     .await?;
//! kafka.all_have_left().await;
//! # Ok(())
//! # }
//! ```
//!
//! Flows run on the tokio runtime on which [`Kafka::connect`] was called, and each consumer has a
//! thread of its own.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ack;
mod client;
mod config;
mod consumer;
mod errors;
mod record;
mod sink;
mod transactions;

pub use self::{
    ack::KafkaAck,
    client::Kafka,
    config::{Assignment, ConsumerConfig, Credentials, KafkaConfig, Start},
    consumer::{Consumed, Consumer, ConsumerSnapshot, PartitionSnapshot},
    sink::{Compression, Publication, Sink, SinkConfig, Stored, TopicOfDeadLetters},
    transactions::{TransactionConfig, Transactions},
};

/// The book's page, whose examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/kafka.md")]
mod book {}
