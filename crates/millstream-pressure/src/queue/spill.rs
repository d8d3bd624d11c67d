//! Spilling: what does not fit in memory goes to a store, and comes back in order.
//!
//! The store's code runs outside of the lock, so an item on its way is in neither place, and is
//! counted as spilled.
//!
//! # Invariants
//!
//! 1. While anything is spilled, nothing new goes into memory, and no place there is reserved: what
//!    waits in memory came before what is spilled.
//! 2. The store is asked for an item only when none waits in memory, and for no more items than it
//!    has.

use std::{collections::VecDeque, fmt, time::Duration};

use millstream_kernel::Served;

use super::{Entry, Put, Shared, State, Taken, WhenFull, take::taken};
use crate::{Reason, Rejected};

/// Where a [`Queue`](crate::Queue) puts what does not fit in memory: first in, first out.
///
/// The queue calls it from the threads that put and take, without a lock of its own, and never asks
/// for more items than the store has. A call may block, as a disk does. One that panics has lost
/// its item, which the queue counts as dropped.
///
/// `millstream_spill::DiskStore` is one on a disk.
pub trait SpillStore<T>: Send + Sync + 'static {
    /// Stores an item behind the others, as safe as the store promises when this returns.
    ///
    /// # Errors
    ///
    /// Gives it back: there is no room, or the store failed.
    fn put(&self, item: T) -> Result<(), T>;

    /// Gives the oldest item out.
    ///
    /// # Errors
    ///
    /// There is none to be had, now or ever.
    fn take(&self) -> Result<T, StoreError>;

    /// How many items it has, of which some may be from before it was opened.
    fn len(&self) -> u64;

    /// Returns whether it has no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a [`SpillStore`] gave no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The oldest item cannot be read, and will not come: the store goes on behind it.
    Lost,
    /// The store has failed for now: it is asked again a little later.
    Unavailable,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "an item in the store cannot be read, and is lost",
            Self::Unavailable => "the store has failed, and is asked again",
        })
    }
}

impl std::error::Error for StoreError {}

/// After this time a store that has failed is asked again.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// Items that are not in memory.
#[derive(Debug, Default)]
pub(super) struct Spilled {
    stored: u64,
    entering: u64,
    leaving: u64,
    times: Times,
}

impl Spilled {
    pub(super) fn with(stored: u64, now: Duration) -> Self {
        let mut times = Times::default();
        times.came(stored, now);
        Self { stored, times, ..Self::default() }
    }

    pub(super) fn len(&self) -> u64 {
        self.stored + self.entering + self.leaving
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn has_stored(&self) -> bool {
        self.stored > 0
    }

    /// When the oldest came, at the earliest.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.times.groups.front().map(|&(_, time)| time)
    }
}

/// When items came: groups of them, each with the time at which its first did.
#[derive(Debug)]
struct Times {
    groups: VecDeque<(u64, Duration)>,
    /// How many items make a group.
    grain: u64,
}

/// So many groups are kept at most: when there are more, two become one.
const GROUPS: usize = 256;

impl Default for Times {
    fn default() -> Self {
        Self { groups: VecDeque::new(), grain: 1 }
    }
}

impl Times {
    fn came(&mut self, n: u64, now: Duration) {
        match self.groups.back_mut() {
            Some((group, _)) if *group < self.grain => *group += n,
            _ if n > 0 => self.groups.push_back((n, now)),
            _ => {}
        }
        if self.groups.len() > GROUPS {
            self.grain *= 2;
            let groups = std::mem::take(&mut self.groups);
            for (at, (n, time)) in groups.into_iter().enumerate() {
                match self.groups.back_mut() {
                    Some((group, _)) if at % 2 == 1 => *group += n,
                    _ => self.groups.push_back((n, time)),
                }
            }
        }
    }

    /// One has left; when it had come, at the earliest.
    fn left(&mut self, now: Duration) -> Duration {
        let Some((group, time)) = self.groups.front_mut() else { return now };
        let time = *time;
        *group -= 1;
        if *group == 0 {
            self.groups.pop_front();
        }
        if self.groups.is_empty() {
            self.grain = 1;
        }
        time
    }
}

impl<T> State<T> {
    /// Whether this one goes to the store.
    pub(super) fn spills(&mut self, entry: &Entry<T>) -> bool {
        let is_allowed =
            !self.is_closed && entry.deadline.is_none() && entry.weight <= self.max_weight();
        let spills = is_allowed && self.is_spilling(entry.weight);
        if spills {
            self.ledger.offer(1);
            self.spilled.entering += 1;
            self.update_watermark();
        }
        spills
    }

    /// Whether there is no room in memory for what comes now.
    pub(super) fn is_spilling(&mut self, weight: u64) -> bool {
        let is_set = self.config.when_full == WhenFull::Spill;
        !self.spilled.is_empty() || (is_set && !self.grow_to_fit(weight))
    }

    /// Claims an item of the store, if it is the next.
    pub(super) fn claim(&mut self) -> bool {
        let claims = self.tiers.len() == 0 && self.spilled.stored > 0;
        if claims {
            self.spilled.stored -= 1;
            self.spilled.leaving += 1;
        }
        claims
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Puts an item that [`State::spills`] into the store.
    pub(super) fn spill(&self, entry: Entry<T>) -> Put<T> {
        let Entry { item, weight, class, .. } = entry;
        // Counts it as lost, if the store panics.
        let mut passage = Passage { shared: self, way: Way::In, end: PassageEnd::Lost };
        let put = match &self.hooks.store {
            Some(store) => store.put(item),
            None => Err(item),
        };
        match put {
            Ok(()) => {
                passage.end = PassageEnd::Through;
                Put::Accepted
            }
            Err(item) => {
                let entry = Entry::new(item, weight, class);
                Put::Rejected(Rejected::new(entry, Reason::SpillFull))
            }
        }
    }

    /// Takes the item that was [claimed](State::claim) out of the store.
    pub(super) fn unspill(&self) -> Result<Taken<T>, StoreError> {
        let mut passage = Passage { shared: self, way: Way::Out, end: PassageEnd::Lost };
        let result = match &self.hooks.store {
            Some(store) => store.take(),
            None => Err(StoreError::Lost),
        };
        match result {
            Ok(item) => {
                let mut entry = self.entry(item);
                let now = self.clock.now();
                entry.entered = passage.through(now);
                Ok(taken(entry, now))
            }
            Err(error) => {
                if error == StoreError::Unavailable {
                    passage.end = PassageEnd::Back;
                }
                Err(error)
            }
        }
    }
}

/// An item's way to or from the store, which ends by the drop of this, also in a panic.
struct Passage<'a, T> {
    shared: &'a Shared<T>,
    way: Way,
    end: PassageEnd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PassageEnd {
    Through,
    /// It is where it was.
    Back,
    Lost,
    /// It was counted already.
    Over,
}

impl<T> Passage<'_, T> {
    /// It is out of the store, and is handed over; when it had come.
    fn through(&mut self, now: Duration) -> Duration {
        self.end = PassageEnd::Over;
        self.shared.change(|state, served| {
            state.spilled.leaving -= 1;
            let came = state.spilled.times.left(now);
            state.count_served(now, came);
            state.spill_changed(served);
            came
        })
    }
}

impl<T> Drop for Passage<'_, T> {
    fn drop(&mut self) {
        let (way, end) = (self.way, self.end);
        if end == PassageEnd::Over {
            return;
        }
        let now = self.shared.clock.now();
        self.shared.change(|state, served| {
            let spilled = &mut state.spilled;
            match way {
                Way::In => spilled.entering -= 1,
                Way::Out => spilled.leaving -= 1,
            }
            match (way, end) {
                (Way::In, PassageEnd::Through) => {
                    spilled.stored += 1;
                    spilled.times.came(1, now);
                    state.serve_taker(served);
                }
                (Way::Out, PassageEnd::Back) => spilled.stored += 1,
                (Way::Out, _) => {
                    spilled.times.left(now);
                    state.ledger.discard(Reason::SpillFull, 1);
                }
                (Way::In, _) => state.ledger.discard(Reason::SpillFull, 1),
            }
            state.spill_changed(served);
        });
    }
}

impl<T> State<T> {
    /// Something went into the store, or out of it.
    fn spill_changed(&mut self, served: &mut Served) {
        self.update_watermark();
        if !self.spilled.is_empty() {
            return;
        }
        // There is room in memory again.
        self.serve_putters(served);
        if self.is_closed {
            // Those who waited for what was on its way.
            self.takers.wake_all(served);
            self.flows.wake_all(served);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{GROUPS, Times};

    #[test]
    fn times_of_many_items_are_few_and_never_too_late() {
        let mut times = Times::default();
        let at = Duration::from_millis;
        for n in 0..10_000 {
            times.came(1, at(n));
            assert!(times.groups.len() <= GROUPS);
        }
        let mut before = Duration::ZERO;
        for n in 0..10_000 {
            let came = times.left(at(20_000));
            assert!(came <= at(n), "item {n} came at {came:?}");
            assert!(came >= before);
            assert!(at(n) - came <= at(128), "item {n} came at {came:?}");
            before = came;
        }
        assert!(times.groups.is_empty());
    }
}
