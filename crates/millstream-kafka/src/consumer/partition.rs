//! A partition that is this consumer's: what is held, in progress, and to be committed.
//!
//! # Invariants
//!
//! 1. Records are passed on in the order of their offsets, but for those that were nacked.
//! 2. What is to be committed is the offset after the last record before which all were
//!    acknowledged.
//! 3. Of a record that was passed on, one settlement is heard at most.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use millstream_pressure::{Acknowledge as _, Acknowledgement, Delivery, Prefix, Settlement};

use super::PartitionSnapshot;
use crate::{
    KafkaAck,
    ack::{Link, Settled},
    record::Record,
};

/// A record on its way to the flow. One that nobody has seen has to be given back.
pub(super) struct Passed {
    ack: KafkaAck,
    sequence: Arc<str>,
}

impl Passed {
    /// Returns whether its partition is still this consumer's.
    pub(super) fn is_current(&self) -> bool {
        self.ack.is_current()
    }

    pub(super) fn delivery(self) -> Delivery<Option<Bytes>, KafkaAck> {
        let Self { ack, sequence } = self;
        let (payload, envelope) = (ack.record.payload.clone(), ack.record.envelope(&sequence));
        Delivery::from_parts(payload, envelope, Acknowledgement::new(ack))
    }

    pub(super) fn give_back(self) {
        self.ack.settle(Settlement::Nack { delay: Duration::ZERO });
    }
}

pub(super) struct Partition {
    pub(super) topic: Arc<str>,
    pub(super) number: i32,
    /// Topic and number, as positions say it.
    sequence: Arc<str>,
    link: Arc<Link>,
    prefix: Prefix,
    /// The most that are open at a time.
    limit: usize,
    /// The offset of the first that came.
    first: Option<u64>,
    /// The end of the partition, as far as it is known.
    pub(super) end: Option<u64>,
    /// What the group has, as far as it is known.
    pub(super) committed: Option<u64>,
    held: VecDeque<Record>,
    held_bytes: usize,
    /// Those that were nacked, by when they come again.
    nacked: BinaryHeap<Reverse<Nacked>>,
    /// How many were passed on and are not settled.
    pub(super) unsettled: u64,
    /// What the group was told last.
    pub(super) told: Option<u64>,
    pub(super) is_paused: bool,
}

struct Nacked {
    due: Duration,
    record: Record,
}

impl Nacked {
    fn key(&self) -> (Duration, u64) {
        (self.due, self.record.offset)
    }
}

impl PartialEq for Nacked {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Nacked {}

impl PartialOrd for Nacked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Nacked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Partition {
    pub(super) fn new(topic: Arc<str>, number: i32, link: Link, limit: u32) -> Self {
        Self {
            sequence: format!("{topic}/{number}").into(),
            topic,
            number,
            link: Arc::new(link),
            prefix: Prefix::new(),
            limit: limit as usize,
            first: None,
            end: None,
            committed: None,
            held: VecDeque::new(),
            held_bytes: 0,
            nacked: BinaryHeap::new(),
            unsettled: 0,
            told: None,
            is_paused: false,
        }
    }

    pub(super) fn is(&self, topic: &str, number: i32) -> bool {
        self.number == number && *self.topic == *topic
    }

    pub(super) fn id(&self) -> u64 {
        self.link.id
    }

    /// A record came.
    pub(super) fn hold(&mut self, record: Record) {
        self.first.get_or_insert(record.offset);
        self.held_bytes += record.size();
        self.held.push_back(record);
    }

    pub(super) fn n_held(&self) -> usize {
        self.held.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Drops what is held and what was nacked.
    pub(super) fn drop_held(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        self.nacked.clear();
    }

    /// The next to be passed on: one that was nacked and is due, or the next in order, unless too
    /// many are open.
    pub(super) fn next(&mut self, now: Duration) -> Option<Passed> {
        if self.nacked.peek().is_some_and(|Reverse(nacked)| nacked.due <= now) {
            let Reverse(Nacked { mut record, .. }) = self.nacked.pop()?;
            record.attempt = record.attempt.saturating_add(1);
            return Some(self.pass_on(record));
        }
        while self.prefix.len() < self.limit {
            let record = self.held.pop_front()?;
            self.held_bytes = self.held_bytes.saturating_sub(record.size());
            // The client may bring one again, after a pause or a broker that was lost.
            if self.prefix.begin(record.offset) {
                return Some(self.pass_on(record));
            }
        }
        None
    }

    fn pass_on(&mut self, record: Record) -> Passed {
        self.unsettled += 1;
        let link: Weak<Link> = Arc::downgrade(&self.link);
        Passed { ack: KafkaAck::new(link, record), sequence: Arc::clone(&self.sequence) }
    }

    /// When the next comes that was nacked.
    pub(super) fn due(&self) -> Option<Duration> {
        self.nacked.peek().map(|Reverse(nacked)| nacked.due)
    }

    /// One was settled. A nack of a flow that has ended is not to come again, and nothing behind it
    /// is committed.
    pub(super) fn settle(&mut self, settled: Settled, now: Duration, has_ended: bool) {
        self.unsettled = self.unsettled.saturating_sub(1);
        match settled.again {
            None => {
                self.prefix.finish(settled.offset);
            }
            Some(_) if has_ended => {}
            Some((record, delay)) => {
                let due = now.saturating_add(delay);
                self.nacked.push(Reverse(Nacked { due, record }));
            }
        }
    }

    /// What is to be committed, unless the group was told.
    pub(super) fn news(&self) -> Option<u64> {
        self.prefix.committed().filter(|offset| self.told != Some(*offset))
    }

    pub(super) fn snapshot(&self) -> PartitionSnapshot {
        let acknowledged = self.prefix.committed();
        let lag =
            acknowledged.or(self.first).zip(self.end).map(|(from, to)| to.saturating_sub(from));
        PartitionSnapshot {
            topic: Arc::clone(&self.topic),
            partition: self.number,
            acknowledged,
            committed: self.committed,
            lag,
            held: self.held.len() as u64,
            unsettled: self.unsettled,
            is_paused: self.is_paused,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Receiver, channel},
        time::Duration,
    };

    use millstream_pressure::Delivery;

    use super::{Partition, Settled};
    use crate::{ack::Link, record::Record};

    const NOW: Duration = Duration::from_secs(1);

    fn partition(limit: u32) -> (Partition, Receiver<Settled>) {
        let (settled, heard) = channel();
        let driver = std::thread::current();
        let link = Link { id: 1, settled, driver, is_urgent: false };
        let mut partition = Partition::new("orders".into(), 3, link, limit);
        (0..5).map(|n| Record::of(10 + 2 * n)).for_each(|record| partition.hold(record));
        (partition, heard)
    }

    type Item = Delivery<Option<bytes::Bytes>, crate::KafkaAck>;

    fn next(partition: &mut Partition, now: Duration) -> Option<Item> {
        partition.next(now).map(super::Passed::delivery)
    }

    fn offset(item: &Item) -> u64 {
        item.envelope.position.as_ref().unwrap().offset
    }

    fn hear(partition: &mut Partition, heard: &Receiver<Settled>, has_ended: bool) {
        heard.try_iter().for_each(|settled| partition.settle(settled, NOW, has_ended));
    }

    #[test]
    fn what_is_committed_is_behind_all_that_was_acknowledged() {
        let (mut partition, heard) = partition(100);
        let mut items: Vec<_> = std::iter::from_fn(|| next(&mut partition, NOW)).collect();
        assert_eq!(items.iter().map(offset).collect::<Vec<_>>(), [10, 12, 14, 16, 18]);
        assert_eq!(items[0].envelope.position.as_ref().unwrap().to_string(), "orders/3@10");
        items.remove(1).ack();
        hear(&mut partition, &heard, false);
        assert_eq!(partition.news(), None);
        items.remove(0).ack();
        hear(&mut partition, &heard, false);
        assert_eq!(partition.news(), Some(13));
        partition.told = Some(13);
        assert_eq!((partition.news(), partition.unsettled, partition.prefix.len()), (None, 3, 3));
    }

    #[test]
    fn a_nack_comes_again_when_it_is_due_and_holds_back_commits() {
        let (mut partition, heard) = partition(100);
        let first = next(&mut partition, NOW).unwrap();
        first.nack(Duration::from_secs(1));
        let second = next(&mut partition, NOW).unwrap();
        second.ack();
        hear(&mut partition, &heard, false);
        assert_eq!((partition.news(), partition.due()), (None, Some(2 * NOW)));
        assert_eq!(offset(&next(&mut partition, NOW).unwrap()), 14);
        hear(&mut partition, &heard, false);
        let again = next(&mut partition, 2 * NOW).unwrap();
        assert_eq!((offset(&again), again.envelope.attempt), (14, 2));
        again.ack();
        let again = next(&mut partition, 2 * NOW).unwrap();
        assert_eq!((offset(&again), again.envelope.attempt), (10, 2));
        again.ack();
        hear(&mut partition, &heard, false);
        assert_eq!(partition.news(), Some(15));
    }

    #[test]
    fn no_more_are_open_than_may_be() {
        let (mut partition, heard) = partition(2);
        let first = next(&mut partition, NOW).unwrap();
        let second = next(&mut partition, NOW).unwrap();
        assert!(next(&mut partition, NOW).is_none());
        // Done, but open behind the first.
        second.ack();
        hear(&mut partition, &heard, false);
        assert!(next(&mut partition, NOW).is_none());
        first.ack();
        hear(&mut partition, &heard, false);
        assert_eq!(offset(&next(&mut partition, NOW).unwrap()), 14);
    }

    #[test]
    fn one_that_comes_again_from_the_client_is_dropped() {
        let (mut partition, heard) = partition(100);
        next(&mut partition, NOW).unwrap().ack();
        hear(&mut partition, &heard, false);
        partition.drop_held();
        [10, 12].map(Record::of).into_iter().for_each(|record| partition.hold(record));
        assert_eq!(offset(&next(&mut partition, NOW).unwrap()), 12);
    }

    #[test]
    fn after_the_end_a_nack_is_not_committed_and_does_not_come_again() {
        let (mut partition, heard) = partition(100);
        let items: Vec<_> = std::iter::from_fn(|| next(&mut partition, NOW)).collect();
        let mut items = items.into_iter();
        items.next().unwrap().ack();
        drop(items.next());
        items.for_each(Delivery::ack);
        hear(&mut partition, &heard, true);
        assert_eq!((partition.news(), partition.due(), partition.unsettled), (Some(11), None, 0));
    }

    #[test]
    fn what_is_said_of_a_partition_that_is_gone_is_forgotten() {
        let (mut partition, heard) = partition(100);
        let first = next(&mut partition, NOW).unwrap();
        drop(partition);
        first.ack();
        assert!(heard.try_recv().is_err());
    }
}
