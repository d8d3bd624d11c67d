//! What happens to an item that is offered: it is taken, something goes for it, or it goes.

use std::time::Duration;

use super::{
    config::WhenFull,
    state::{Dropped, State},
    tiers::Entry,
};
use crate::{Reason, Rejected};

/// What became of an item that was offered.
pub(super) enum Put<T> {
    Accepted,
    /// It was dropped; it is among the dropped.
    Dropped,
    Rejected(Rejected<Entry<T>>),
    /// There is no room: wait, if that is allowed.
    NoRoom(Rejected<Entry<T>>),
}

impl<T> State<T> {
    /// Offers an item, which counts from here on, unless it may wait for room.
    pub(super) fn offer(
        &mut self,
        entry: Entry<T>,
        now: Duration,
        dropped: &mut Dropped<T>,
    ) -> Put<T> {
        if self.is_closed {
            return Put::Rejected(self.refuse(entry, Reason::Shutdown, None));
        }
        if entry.weight > self.max_weight() {
            return Put::Rejected(self.refuse(entry, Reason::TooHeavy, None));
        }
        if entry.deadline.is_some_and(|deadline| deadline <= now) {
            return Put::Rejected(self.refuse(entry, Reason::Deadline, None));
        }
        if self.is_spilling(entry.weight) {
            // What has to be served by a certain time is of no use in a store.
            let retry = self.retry_after();
            return Put::Rejected(self.refuse(entry, Reason::Full, retry));
        }
        match self.config.when_full {
            WhenFull::Wait | WhenFull::Throttle { .. } => {
                // Nobody overtakes those who wait.
                if !self.putters.is_empty() || !self.grow_to_fit(entry.weight) {
                    let retry = self.retry_after();
                    return Put::NoRoom(Rejected {
                        item: entry,
                        reason: Reason::Full,
                        retry_after: retry,
                    });
                }
                if let Some(pause) = self.pause(now) {
                    return Put::NoRoom(Rejected::new(entry, Reason::Rate).retry_after(pause));
                }
            }
            WhenFull::Reject => {
                if !self.grow_to_fit(entry.weight) {
                    let retry = self.retry_after();
                    return Put::Rejected(self.refuse(entry, Reason::Full, retry));
                }
            }
            WhenFull::DropNewest => {
                if !self.make_room(&entry, true, dropped) {
                    return self.drop_incoming(entry, Reason::Full, dropped);
                }
            }
            WhenFull::DropOldest => {
                if !self.make_room(&entry, false, dropped) {
                    return self.drop_incoming(entry, Reason::LowPriority, dropped);
                }
            }
            WhenFull::Sample { one_of } => {
                if self.is_high {
                    self.n_came += 1;
                    if !self.n_came.is_multiple_of(u64::from(one_of)) {
                        return self.drop_incoming(entry, Reason::Sampled, dropped);
                    }
                }
                if !self.make_room(&entry, false, dropped) {
                    return self.drop_incoming(entry, Reason::LowPriority, dropped);
                }
            }
            // It fits.
            WhenFull::Spill => {}
            WhenFull::Reservoir => {
                if !self.grow_to_fit(entry.weight) {
                    return self.reservoir(entry, now, dropped);
                }
                self.n_came = 0;
            }
        }
        self.ledger.offer(1);
        self.insert(entry, now);
        Put::Accepted
    }

    /// Evicts what is worth less than `entry`, or no more, until it fits.
    fn make_room(&mut self, entry: &Entry<T>, strictly: bool, dropped: &mut Dropped<T>) -> bool {
        while !self.grow_to_fit(entry.weight) {
            let Some(victim) = self.tiers.evict(entry.class.criticality, strictly) else {
                return false;
            };
            let is_less = victim.class.criticality < entry.class.criticality;
            let reason = if is_less { Reason::LowPriority } else { Reason::Evicted };
            self.drop_entry(victim, reason, dropped);
        }
        true
    }

    /// Algorithm R: the item that is the `n`-th since the queue was full is kept with `room / n`.
    fn reservoir(&mut self, entry: Entry<T>, now: Duration, dropped: &mut Dropped<T>) -> Put<T> {
        let n_kept = self.tiers.len() as u64;
        self.n_came += 1;
        let position = self.random.below(n_kept.saturating_add(self.n_came));
        if position >= n_kept {
            return self.drop_incoming(entry, Reason::Sampled, dropped);
        }
        if let Some(victim) = self.tiers.remove(position as usize) {
            self.drop_entry(victim, Reason::Sampled, dropped);
        }
        if !self.fits(entry.weight) {
            return self.drop_incoming(entry, Reason::Full, dropped);
        }
        self.ledger.offer(1);
        self.insert(entry, now);
        Put::Accepted
    }

    /// An item that comes and is dropped.
    fn drop_incoming(
        &mut self,
        entry: Entry<T>,
        reason: Reason,
        dropped: &mut Dropped<T>,
    ) -> Put<T> {
        self.ledger.offer(1);
        self.drop_entry(entry, reason, dropped);
        Put::Dropped
    }
}
