//! `Topology`: the exchanges, queues and bindings that are declared when a connection is made.

use std::time::Duration;

use lapin::{
    Channel,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use millstream::Error;

use crate::error::{Doing, told};

/// What is declared each time a connection is made, so that it is there again after a broker that
/// has forgotten it. What is there already has to be the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Topology {
    /// Exchanges.
    pub exchanges: Vec<Exchange>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// Which queue gets what of an exchange.
    pub bindings: Vec<Binding>,
}

/// An exchange, which is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// How it routes.
    pub kind: ExchangeKind,
}

/// How an exchange routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ExchangeKind {
    /// To the queues that are bound with the routing key.
    #[default]
    Direct,
    /// To all queues that are bound.
    Fanout,
    /// To the queues that are bound with a pattern of the routing key.
    Topic,
    /// By headers.
    Headers,
}

impl From<ExchangeKind> for lapin::ExchangeKind {
    fn from(kind: ExchangeKind) -> Self {
        match kind {
            ExchangeKind::Direct => Self::Direct,
            ExchangeKind::Fanout => Self::Fanout,
            ExchangeKind::Topic => Self::Topic,
            ExchangeKind::Headers => Self::Headers,
        }
    }
}

/// A queue, which is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// How it keeps messages.
    pub kind: QueueKind,
    /// Where rejected, expired and dropped messages go; they are lost otherwise.
    pub dead_letters: Option<DeadLetters>,
    /// The most messages in it.
    pub max_length: Option<u32>,
    /// What happens to more of them.
    pub overflow: QueueOverflow,
    /// How often a message of a quorum queue may come back before it goes to the dead letters.
    pub delivery_limit: Option<u32>,
    /// How long a message waits at most, in milliseconds.
    pub message_ttl_ms: Option<u32>,
}

impl Queue {
    /// A queue whose messages are stored by a majority of the brokers. It counts attempts.
    #[must_use]
    pub fn quorum(name: &str) -> Self {
        Self { name: name.to_owned(), kind: QueueKind::Quorum, ..Self::default() }
    }

    /// A queue whose messages are stored by one broker.
    #[must_use]
    pub fn classic(name: &str) -> Self {
        Self { name: name.to_owned(), kind: QueueKind::Classic, ..Self::default() }
    }

    /// Sends rejected messages to another queue, by the default exchange.
    #[must_use]
    pub fn with_dead_letters_to(mut self, queue: &str) -> Self {
        let routing_key = Some(queue.to_owned());
        self.dead_letters = Some(DeadLetters { exchange: String::new(), routing_key });
        self
    }

    fn arguments(&self) -> FieldTable {
        let mut table = FieldTable::default();
        let text = |text: &str| AMQPValue::LongString(text.into());
        let kind = match self.kind {
            QueueKind::Classic => "classic",
            QueueKind::Quorum => "quorum",
        };
        table.insert("x-queue-type".into(), text(kind));
        if let Some(DeadLetters { exchange, routing_key }) = &self.dead_letters {
            table.insert("x-dead-letter-exchange".into(), text(exchange));
            if let Some(key) = routing_key {
                table.insert("x-dead-letter-routing-key".into(), text(key));
            }
        }
        if self.overflow == QueueOverflow::RejectPublish {
            table.insert("x-overflow".into(), text("reject-publish"));
        }
        let numbers = [
            ("x-max-length", self.max_length),
            ("x-delivery-limit", self.delivery_limit),
            ("x-message-ttl", self.message_ttl_ms),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                table.insert(name.into(), AMQPValue::LongLongInt(number.into()));
            }
        }
        table
    }
}

/// How a queue keeps messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum QueueKind {
    /// On one broker.
    #[default]
    Classic,
    /// On a majority of the brokers.
    Quorum,
}

/// Where rejected messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DeadLetters {
    /// The exchange; an empty name is the default exchange.
    pub exchange: String,
    /// With which routing key; `None` is that of the message.
    pub routing_key: Option<String>,
}

/// What happens when a queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum QueueOverflow {
    /// The oldest message is dropped, or goes to the dead letters.
    #[default]
    DropHead,
    /// The new one is refused: its publisher gets an error.
    RejectPublish,
}

/// Which queue gets what of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Binding {
    /// The queue.
    pub queue: String,
    /// The exchange.
    pub exchange: String,
    /// The routing key, or a pattern of one.
    pub routing_key: String,
}

impl Topology {
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        let exchanges = self.exchanges.iter().map(|exchange| &exchange.name);
        let queues = self.queues.iter().map(|queue| &queue.name);
        let bindings =
            self.bindings.iter().flat_map(|each| [&each.queue, &each.exchange, &each.routing_key]);
        exchanges.chain(queues).chain(bindings)
    }

    /// Declares all of it.
    pub(crate) async fn declare(&self, channel: &Channel, patience: Duration) -> Result<(), Error> {
        for Exchange { name, kind } in &self.exchanges {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let kind = (*kind).into();
            let declaring = channel.exchange_declare(
                name.as_str().into(),
                kind,
                options,
                FieldTable::default(),
            );
            told(patience, Doing::Exchange(name), declaring).await?;
        }
        for queue in &self.queues {
            let options = QueueDeclareOptions { durable: true, ..Default::default() };
            let name = queue.name.as_str();
            let declaring = channel.queue_declare(name.into(), options, queue.arguments());
            told(patience, Doing::Queue(name), declaring).await?;
        }
        for Binding { queue, exchange, routing_key } in &self.bindings {
            let (name, from) = (queue.as_str().into(), exchange.as_str().into());
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            let binding =
                channel.queue_bind(name, from, routing_key.as_str().into(), options, none);
            told(patience, Doing::Binding(queue, exchange), binding).await?;
        }
        Ok(())
    }
}
