//! What a consumer's thread has to do with its group: partitions that come and go, commits, and the
//! end.

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
};

use super::{
    super::{
        context::{Event, Lag, release},
        partition::{Partition, Passed},
    },
    Driver,
};
use crate::ack::Link;

/// How often the client is told what was acknowledged.
const STORE: Duration = Duration::from_millis(10);
/// With no more than this many open records of a partition, each acknowledgement is heard at once.
const URGENT: u32 = 100;
/// How long the group may take to let it go.
const FAREWELL: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn hear(&mut self, event: Event) {
        match event {
            Event::Assigned(list) => self.assign(&list),
            Event::Revoked(list) => self.revoke(&list),
            Event::Lag(lags) => {
                for Lag { topic, partition, end, committed } in lags {
                    let is = |each: &&mut Partition| each.is(&topic, partition);
                    if let Some(partition) = self.partitions.iter_mut().find(is) {
                        (partition.end, partition.committed) = (end, committed);
                    }
                }
            }
        }
    }

    fn assign(&mut self, list: &TopicPartitionList) {
        self.counts.rebalances += 1;
        let is_cooperative = self.config.is_cooperative();
        if !is_cooperative {
            self.forget(|_| true);
        }
        let mut topics: BTreeMap<String, Arc<str>> = BTreeMap::new();
        for element in list.elements() {
            let topic =
                topics.entry(element.topic().to_owned()).or_insert_with(|| element.topic().into());
            let link = Link {
                id: self.next_id,
                settled: self.settled_in.clone(),
                driver: thread::current(),
                is_urgent: self.config.max_unacknowledged <= URGENT,
            };
            self.next_id += 1;
            let (topic, limit) = (Arc::clone(topic), self.config.max_unacknowledged);
            self.partitions.push(Partition::new(topic, element.partition(), link, limit));
        }
        let result = if is_cooperative {
            self.client.incremental_assign(list)
        } else {
            self.client.assign(list)
        };
        // What an earlier owner here had paused.
        let result = result.and_then(|()| self.client.resume(list));
        if let Err(error) = result {
            // It is taken away again at the next rebalance, which is on its way.
            self.counts.last_complaint = Some(error.to_string());
        }
    }

    /// What was acknowledged is committed, unless others have the partitions already.
    fn revoke(&mut self, list: &TopicPartitionList) {
        self.counts.rebalances += 1;
        self.hear_settled();
        let elements = list.elements();
        let is_of = |partition: &Partition| {
            elements.iter().any(|each| partition.is(each.topic(), each.partition()))
        };
        let is_cooperative = self.config.is_cooperative();
        let goes = |partition: &Partition| !is_cooperative || is_of(partition);
        let is_lost = self.client.assignment_lost();
        if self.config.is_transactional {
            self.let_transactions_end(goes, is_lost);
        }
        if !is_lost {
            self.commit(goes);
        }
        self.forget(goes);
        release(&self.client, list, is_cooperative);
    }

    /// Waits for what is in progress of partitions that go, unless others have them already.
    fn let_transactions_end(&mut self, goes: impl Fn(&Partition) -> bool, is_lost: bool) {
        self.partitions.iter_mut().filter(|each| goes(each)).for_each(Partition::drop_held);
        // What was passed on is worked on, and committed.
        self.flush();
        let until = self.now() + self.config.settle_timeout;
        loop {
            self.hear_settled();
            let mut going = self.partitions.iter().filter(|partition| goes(partition));
            let is_settled = going.all(|partition| partition.unsettled == 0);
            if is_settled {
                return;
            }
            if is_lost || self.now() >= until {
                self.shared.membership.end_era();
                return;
            }
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Drops what is here of partitions that go.
    fn forget(&mut self, goes: impl Fn(&Partition) -> bool) {
        self.partitions.retain(|partition| !goes(partition));
        self.last = 0;
        // They hold nothing of a partition any more.
        self.batch.retain(Passed::is_current);
        self.issued = self.issued.saturating_sub(self.outbox.drop_stale());
    }

    pub(super) fn hear_settled(&mut self) {
        let now = self.now();
        while let Ok(settled) = self.settled.try_recv() {
            let of = self.partitions.binary_search_by_key(&settled.link, Partition::id);
            if let Ok(at) = of {
                self.partitions[at].settle(settled, now, self.is_settling);
            }
        }
    }

    /// Has the client commit at its next interval what was acknowledged. It tries again what fails.
    pub(super) fn store_if_due(&mut self) {
        let now = self.now();
        if now >= self.stores_at {
            self.stores_at = now + STORE;
            let list = self.news(|_| true);
            if list.count() > 0 && self.client.store_offsets(&list).is_err() {
                self.partitions.iter_mut().for_each(|partition| partition.told = None);
            }
        }
    }

    /// Waits until it is committed.
    fn commit(&mut self, of: impl Fn(&Partition) -> bool) {
        // What was stored may not have been committed.
        self.partitions.iter_mut().for_each(|partition| partition.told = None);
        let list = self.news(of);
        if list.count() == 0 {
            return;
        }
        // The client commits once more what was stored last when a partition goes.
        let stored = self.client.store_offsets(&list);
        let committed = stored.and_then(|()| self.client.commit(&list, CommitMode::Sync));
        if let Err(error) = committed {
            self.counts.last_complaint = Some(error.to_string());
        }
    }

    /// What was acknowledged and not told.
    fn news(&mut self, of: impl Fn(&Partition) -> bool) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        if self.config.is_transactional {
            return list;
        }
        for partition in &mut self.partitions {
            let Some(offset) = partition.news().filter(|_| of(partition)) else { continue };
            let Ok(raw) = i64::try_from(offset) else { continue };
            let topic = &partition.topic;
            if list.add_partition_offset(topic, partition.number, Offset::Offset(raw)).is_ok() {
                partition.told = Some(offset);
            }
        }
        list
    }

    /// The flow has ended: what it has passed on may still be acknowledged.
    pub(super) fn settle(&mut self) {
        self.is_settling = true;
        self.batch.drain(..).for_each(Passed::give_back);
        self.partitions.iter_mut().for_each(Partition::drop_held);
        let until = self.now() + self.config.settle_timeout;
        loop {
            self.hear_settled();
            let is_settled = self.partitions.iter().all(|partition| partition.unsettled == 0);
            if is_settled || self.now() >= until {
                return;
            }
            self.steer();
            self.store_if_due();
            // Whatever is heard now has no flow to fail.
            self.poll(0).ok();
            self.show();
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Commits, and leaves the group.
    pub(super) fn leave(mut self) {
        self.commit(|_| true);
        self.client.unsubscribe();
        let until = self.now() + FAREWELL;
        while !self.partitions.is_empty() && self.now() < until {
            self.polls_at = Duration::ZERO;
            self.poll(0).ok();
            thread::park_timeout(Duration::from_millis(1));
        }
        self.partitions.clear();
        self.shows_at = Duration::ZERO;
        self.show();
        // What the client says from here on is heard by nobody, and answered by its context.
        let Self { client, events, .. } = self;
        drop(events);
        drop(client);
    }
}
