//! Flows whose items are here already, taken whole and without a subscription.
//!
//! An operator that makes a flow of each item asks [`AtHand`] first. It takes flows of a few items
//! ([`Publisher::give_all`]): a single value, an empty flow, a short list. Those need no gate, no
//! queue and no other turn.

use std::collections::VecDeque;

use millstream_kernel::{End, guard::caught};
use reactive_streams::Publisher;

/// The most items of a flow that is taken whole. One of more pays for its subscription.
const MOST: usize = 8;

/// Items of flows that were taken whole.
pub(crate) struct AtHand<T> {
    items: VecDeque<T>,
    /// The most items of one flow.
    most: usize,
    /// The most items that wait here.
    capacity: usize,
}

impl<T> AtHand<T> {
    /// At most `capacity` items wait.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { items: VecDeque::new(), most: MOST.min(capacity), capacity }
    }

    /// Whether there is room for a flow.
    pub(crate) fn has_room(&self) -> bool {
        self.items.len() + self.most <= self.capacity
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes all of `publisher`. Returns how it ended, or the publisher, if it has to be subscribed
    /// to. There is [room](Self::has_room).
    #[inline]
    pub(crate) fn take<P: Publisher<Item = T>>(&mut self, publisher: P) -> Result<End, P> {
        let Self { items, most, .. } = self;
        match caught(|| publisher.give_all(*most as u64, |item| items.push_back(item))) {
            Ok(given) => given.map(End::from),
            Err(error) => Ok(End::Failed(error)),
        }
    }

    /// The next item, in the order in which they were taken.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<T> {
        self.items.pop_front()
    }
}
