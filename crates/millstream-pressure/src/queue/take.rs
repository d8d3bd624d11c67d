//! Taking: at once, and after waiting for an item.

use std::{
    future::{Future as _, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    Dropped, Queue, Shared,
    spill::{PATIENCE, StoreError},
    tiers::Entry,
};
use crate::{Class, Sleep};

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
    /// dropped. One that was spilled is read by this thread; none comes while the store fails.
    #[must_use]
    pub fn try_take(&self) -> Option<Taken<T>> {
        self.0.take()
    }

    /// Waits for the next item; `None` when the queue was closed and all were taken.
    ///
    /// Dropping the future leaves the item where it is.
    pub async fn take(&self) -> Option<Taken<T>> {
        let mut taking = Taking::of(&self.0);
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
        loop {
            let now = self.clock.now();
            let mut dropped = Dropped::new();
            let (entry, is_claimed) = self.change(|state, served| {
                let entry = state.take(now, &mut dropped, served);
                let is_claimed = entry.is_none() && state.claim();
                (entry, is_claimed)
            });
            self.hand_out(dropped);
            if !is_claimed {
                return entry.map(|entry| taken(entry, now));
            }
            match self.unspill() {
                Ok(taken) => return Some(taken),
                Err(StoreError::Lost) => {}
                Err(StoreError::Unavailable) => return None,
            }
        }
    }
}

pub(super) fn taken<T>(entry: Entry<T>, now: Duration) -> Taken<T> {
    let Entry { item, weight, class, entered, .. } = entry;
    Taken { item, waited: now.saturating_sub(entered), weight, class }
}

/// A consumer's stay in the line for items, which it leaves by the drop of this.
pub(super) struct Taking<T> {
    pub(super) shared: Arc<Shared<T>>,
    entry: Option<usize>,
    /// The store has failed, and is asked again then.
    again: Option<Pin<Box<Sleep>>>,
}

/// What a look at the queue came to.
enum Look<T> {
    Found(Option<Entry<T>>),
    /// The next item is in the store, and is this one's.
    Claimed,
    Waits,
}

impl<T: Send + 'static> Taking<T> {
    pub(super) fn of(shared: &Arc<Shared<T>>) -> Self {
        Self { shared: Arc::clone(shared), entry: None, again: None }
    }

    /// The next item, or a place in the line.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Option<Taken<T>>> {
        if let Some(again) = &mut self.again {
            // Another item that comes meanwhile is behind those in the store.
            if again.as_mut().poll(&mut Context::from_waker(waker)).is_pending() {
                return Poll::Pending;
            }
            self.again = None;
        }
        loop {
            let now = self.shared.clock.now();
            match self.look(waker, now) {
                Look::Found(entry) => return Poll::Ready(entry.map(|entry| taken(entry, now))),
                Look::Waits => return Poll::Pending,
                Look::Claimed => {}
            }
            match self.shared.unspill() {
                Ok(taken) => {
                    // The wake-up of one that was served in the line came from this item, or is
                    // passed on.
                    self.leave();
                    return Poll::Ready(Some(taken));
                }
                Err(StoreError::Lost) => {}
                Err(StoreError::Unavailable) => {
                    let until = self.shared.clock.after(PATIENCE);
                    let mut again = Box::pin(self.shared.clock.sleep_until(until));
                    if again.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
                        // Without a clock there is nothing to wait for but another turn.
                        waker.wake_by_ref();
                    }
                    self.again = Some(again);
                    return Poll::Pending;
                }
            }
        }
    }

    fn look(&mut self, waker: &Waker, now: Duration) -> Look<T> {
        let mut dropped = Dropped::new();
        let mut waker = Some(waker.clone());
        let entry = &mut self.entry;
        let (look, removed) = self.shared.change(|state, served| {
            let mut removed = None;
            let next = state.take(now, &mut dropped, served);
            if next.is_none() && state.claim() {
                return (Look::Claimed, removed);
            }
            if next.is_some() || (state.is_closed && state.spilled.is_empty()) {
                if let Some(index) = entry.take() {
                    removed = state.takers.remove(index);
                }
                return (Look::Found(next), removed);
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
            (Look::Waits, removed)
        });
        drop((waker, removed));
        self.shared.hand_out(dropped);
        look
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
            if was_served && (state.tiers.len() > 0 || state.spilled.has_stored()) {
                state.serve_taker(served);
            }
            removed
        });
        drop(removed);
    }
}
