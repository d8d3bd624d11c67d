//! What the client calls while it is polled: it passes on what happened, and does nothing itself.

use std::sync::mpsc::Sender;

use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    types::RDKafkaRespErr,
};

/// What the client says.
pub(super) enum Event {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
    Lag(Vec<Lag>),
}

/// What the client knows of a partition.
pub(super) struct Lag {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The offset after the last record.
    pub(super) end: Option<u64>,
    /// What the group has.
    pub(super) committed: Option<u64>,
}

pub(super) struct Told {
    events: Sender<Event>,
    is_cooperative: bool,
}

impl Told {
    pub(super) const fn new(events: Sender<Event>, is_cooperative: bool) -> Self {
        Self { events, is_cooperative }
    }

    fn tell(&self, event: Event) {
        // Nobody hears it once the consumer closes.
        self.events.send(event).ok();
    }
}

impl ClientContext for Told {
    fn stats(&self, statistics: Statistics) {
        let mut lags = Vec::new();
        for (topic, of_topic) in statistics.topics {
            for (partition, of_partition) in of_topic.partitions {
                // Below 0 it is not known.
                let end = u64::try_from(of_partition.ls_offset).ok();
                let committed = u64::try_from(of_partition.committed_offset).ok();
                lags.push(Lag { topic: topic.clone(), partition, end, committed });
            }
        }
        self.tell(Event::Lag(lags));
    }
}

impl ConsumerContext for Told {
    /// The consumer's thread answers when the poll has returned.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let is_assigned = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let list = partitions.clone();
        let event = if is_assigned { Event::Assigned(list) } else { Event::Revoked(list) };
        if self.events.send(event).is_err() {
            // It closes, and takes nothing any more.
            if !is_assigned {
                release(consumer, partitions, self.is_cooperative);
            }
        }
    }
}

/// Gives partitions up, as the group waits for. An error says that they are gone already.
pub(super) fn release(
    consumer: &BaseConsumer<Told>,
    partitions: &TopicPartitionList,
    is_cooperative: bool,
) {
    let result = if is_cooperative {
        consumer.incremental_unassign(partitions)
    } else {
        consumer.unassign()
    };
    result.ok();
}
