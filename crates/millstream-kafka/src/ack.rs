//! `KafkaAck`: how a consumer is told what became of a record.

use std::{
    fmt,
    sync::{Weak, mpsc::Sender},
    thread::Thread,
    time::Duration,
};

use millstream_pressure::{Acknowledge, Settlement};

use crate::record::Record;

/// Acknowledgement of a record by its consumer.
///
/// Kafka knows no record by itself, only up to which offset a group has read: what is committed is
/// the offset before which every record was acknowledged. A nack comes again after its delay, from
/// the memory of the consumer, behind those that were passed on meanwhile. A rejection counts as an
/// acknowledgement: put [`dead_letter`](millstream_pressure::FlowExt::dead_letter) before. One of a
/// partition that was taken away meanwhile is forgotten, since its new owner gets the record.
pub struct KafkaAck {
    link: Weak<Link>,
    pub(crate) record: Record,
}

/// From the deliveries of a partition to its consumer. It is dropped when the partition is taken
/// away, so that whatever is said of it then is heard by nobody.
pub(crate) struct Link {
    pub(crate) id: u64,
    pub(crate) settled: Sender<Settled>,
    pub(crate) driver: Thread,
    /// Whether the next record waits for an acknowledgement.
    pub(crate) is_urgent: bool,
}

/// What became of a record of a partition.
pub(crate) struct Settled {
    pub(crate) link: u64,
    pub(crate) offset: u64,
    /// The record, and when it is to come again; acknowledged if `None`.
    pub(crate) again: Option<(Record, Duration)>,
}

impl KafkaAck {
    pub(crate) const fn new(link: Weak<Link>, record: Record) -> Self {
        Self { link, record }
    }

    /// Returns whether the partition is still this consumer's.
    pub(crate) fn is_current(&self) -> bool {
        self.link.strong_count() > 0
    }
}

impl Acknowledge for KafkaAck {
    fn settle(self, settlement: Settlement) {
        let Some(link) = self.link.upgrade() else { return };
        let offset = self.record.offset;
        let again = match settlement {
            Settlement::Ack | Settlement::Reject { .. } => None,
            Settlement::Nack { delay } => Some((self.record, delay)),
        };
        let is_urgent = link.is_urgent || again.is_some();
        // The consumer has ended otherwise, and the record is another's.
        link.settled.send(Settled { link: link.id, offset, again }).ok();
        if is_urgent {
            link.driver.unpark();
        }
    }
}

impl fmt::Debug for KafkaAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaAck").field("offset", &self.record.offset).finish_non_exhaustive()
    }
}
