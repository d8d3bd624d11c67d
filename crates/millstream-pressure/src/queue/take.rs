//! Taking: at once, and after waiting for an item.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

use super::{Dropped, Queue, Shared, tiers::Entry};
use crate::Class;

/// An item that was taken out of a [`Queue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken<T> {
    /// The item.
    pub item: T,
    /// How long it has waited in the queue.
    pub waited: Duration,
    /// What it weighs.
    pub weight: u64,
    /// What it is worth, and whose it is.
    pub class: Class,
}

impl<T: Send + 'static> Queue<T> {
    /// The next item, if one waits. Those that have waited too long by the queue's discipline are
    /// dropped.
    #[must_use]
    pub fn try_take(&self) -> Option<Taken<T>> {
        self.0.take()
    }

    /// Waits for the next item; `None` when the queue was closed and all were taken.
    ///
    /// Dropping the future leaves the item where it is.
    pub async fn take(&self) -> Option<Taken<T>> {
        let mut taking = Taking { shared: Arc::clone(&self.0), entry: None };
        poll_fn(|cx| taking.poll(cx.waker())).await
    }

    /// [`take`](Self::take), for a thread.
    #[must_use]
    pub fn take_blocking(&self) -> Option<Taken<T>> {
        pollster::block_on(self.take())
    }
}

impl<T: Send + 'static> Shared<T> {
    fn take(&self) -> Option<Taken<T>> {
        let now = self.clock.now();
        let mut dropped = Dropped::new();
        let entry = self.change(|state, served| state.take(now, &mut dropped, served));
        self.hand_out(dropped);
        entry.map(|entry| taken(entry, now))
    }
}

fn taken<T>(entry: Entry<T>, now: Duration) -> Taken<T> {
    let Entry { item, weight, class, entered, .. } = entry;
    Taken { item, waited: now.saturating_sub(entered), weight, class }
}

/// A consumer's stay in the line for items, which it leaves by the drop of this.
pub(super) struct Taking<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) entry: Option<usize>,
}

impl<T: Send + 'static> Taking<T> {
    /// The next item, or a place in the line.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Option<Taken<T>>> {
        let now = self.shared.clock.now();
        let mut dropped = Dropped::new();
        let mut waker = Some(waker.clone());
        let entry = &mut self.entry;
        let (answer, removed) = self.shared.change(|state, served| {
            let mut removed = None;
            let next = state.take(now, &mut dropped, served);
            if next.is_some() || state.is_closed {
                if let Some(index) = entry.take() {
                    removed = state.takers.remove(index);
                }
                return (Poll::Ready(next), removed);
            }
            match *entry {
                Some(index) if !state.takers.is_served(index) => {
                    state.takers.renew(index, &mut waker);
                }
                served => {
                    removed = served.and_then(|index| state.takers.remove(index));
                    *entry = Some(state.takers.enter(waker.take(), 0, false));
                }
            }
            (Poll::Pending, removed)
        });
        drop((waker, removed));
        self.shared.hand_out(dropped);
        answer.map(|entry| entry.map(|entry| taken(entry, now)))
    }
}

impl<T> Drop for Taking<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T> Taking<T> {
    /// Leaves the line.
    pub(super) fn leave(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let removed = self.shared.change(|state, served| {
            let was_served = state.takers.is_served(index);
            let removed = state.takers.remove(index);
            // The item that this one was woken for is somebody else's.
            if was_served && state.tiers.len() > 0 {
                state.serve_taker(served);
            }
            removed
        });
        drop(removed);
    }
}
