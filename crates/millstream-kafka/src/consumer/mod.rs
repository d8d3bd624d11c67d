//! `Consumer`: a member of a consumer group, and the flow of its deliveries.

mod context;
mod driver;
mod membership;
mod outbox;
mod partition;
mod snapshot;
mod source;

use std::sync::{Arc, Weak};

use bytes::Bytes;
use millstream::{
    Backpressure, BackpressureKind, Bounded, Flow, Publisher, Subscriber, scheduler::Scheduler as _,
};
use millstream_pressure::{Delivery, fetch_into};
use parking_lot::Mutex;

pub(crate) use self::membership::Membership;
pub use self::snapshot::{ConsumerSnapshot, PartitionSnapshot};
use self::{outbox::Outbox, source::KafkaSource};
use crate::{ConsumerConfig, Kafka, KafkaAck};

/// A member of a consumer group: a handle, whose clones are the same.
///
/// It joins when its [flow](Self::deliveries) is subscribed to, and leaves when that ends.
#[derive(Clone)]
pub struct Consumer {
    kafka: Kafka,
    config: Arc<ConsumerConfig>,
    shared: Arc<Shared>,
}

/// What a consumer's thread shows.
#[derive(Default)]
pub(crate) struct Shared {
    status: Mutex<ConsumerSnapshot>,
    membership: Arc<Membership>,
}

impl Consumer {
    pub(crate) fn new(kafka: Kafka, config: ConsumerConfig) -> Self {
        Self { kafka, config: Arc::new(config), shared: Arc::default() }
    }

    /// The deliveries of the partitions that the group gives to this member, in the order of each
    /// partition. A payload that is `None` says that the record of this key is deleted.
    ///
    /// The client is polled by a thread of its own, which goes on however long an item takes: a
    /// flow that asks for nothing keeps its partitions. Each subscriber is a member of its own.
    ///
    /// # Demand
    ///
    /// As many records are passed on as are asked for, and never more are unacknowledged. A
    /// partition whose records nobody asks for is paused. The client fetches ahead up to
    /// [`fetch_ahead_kib`](ConsumerConfig::fetch_ahead_kib).
    ///
    /// # Termination
    ///
    /// Never completes. Fails with an error of kind `Rejected` if there is no such topic, or the
    /// brokers refuse who connects; a connection that is lost is no failure. After a cancel, it
    /// stays in the group until what it has passed on is settled, for
    /// [`settle_timeout`](ConsumerConfig::settle_timeout) at most, commits that, and leaves:
    /// [`Kafka::all_have_left`] waits for it.
    ///
    /// When a partition is taken away, what was acknowledged of it is committed, what nobody has
    /// seen is dropped, and what is acknowledged later is forgotten: its new owner gets it again.
    pub fn deliveries(&self) -> Flow<Consumed> {
        Consumed { consumer: self.clone() }.into()
    }

    pub(crate) fn is_transactional(&self) -> bool {
        self.config.is_transactional
    }

    pub(crate) fn membership(&self) -> Arc<Membership> {
        Arc::clone(&self.shared.membership)
    }

    /// What it is doing, a moment ago.
    #[must_use]
    pub fn snapshot(&self) -> ConsumerSnapshot {
        self.shared.status.lock().clone()
    }
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Publisher returned by [`Consumer::deliveries`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Consumed {
    consumer: Consumer,
}

impl Publisher for Consumed {
    type Item = Delivery<Option<Bytes>, KafkaAck>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Consumer { kafka, config, shared } = self.consumer;
        let worker = kafka.scheduler().worker();
        fetch_into(downstream, worker, |flow| {
            let outbox = Arc::new(Outbox::new(Weak::clone(flow)));
            let started = driver::start(&kafka, config, Arc::clone(&outbox), shared);
            KafkaSource::new(outbox, started.err())
        });
    }
}

impl Backpressure for Consumed {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let ConsumerConfig { max_batch, pause_above, .. } = *self.consumer.config;
        2 * u64::from(max_batch) + u64::from(pause_above)
    }
}

impl Bounded for Consumed {}
