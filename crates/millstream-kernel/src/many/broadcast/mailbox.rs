//! The queue of one subscriber of many.
//!
//! # Invariants
//!
//! 1. `put` adds no item to a mailbox in which `capacity` of them wait. What was replayed on
//!    arrival is the first `n_replayed` of the queue and comes in addition; where the oldest make
//!    way, it counts as the others do.
//! 2. After `leave` the queue is empty and stays so.
//! 3. An end is given after the last item, once.
//! 4. Items and ends are neither cloned nor dropped under the lock.
//! 5. `n_due` is the number of items, and of ends, when the lock was last released. A sender wakes
//!    the owner after filling the mailbox, so that an owner that finds nothing due without the lock
//!    misses nothing: see the gate's invariant 5.

use std::{collections::VecDeque, fmt};

use reactive_streams::{Error, ErrorKind};

use crate::{
    End, Evict, Step,
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering},
};

/// What is done with an item for a mailbox that is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is sent to no member.
    Wait,
    /// This member misses something.
    Evict(Evict),
    /// The subscriber is ended.
    End,
}

/// What became of an item.
pub(super) enum Put<T> {
    /// It is in the queue.
    Added,
    /// It is in the queue, and as many others are no longer.
    Replaced(usize),
    /// It is not.
    Refused(T),
    /// It is not, and an end is, after all that wait.
    Ended(T),
}

/// A queue of exactly `capacity` items. The file's header has the rest.
pub struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
    /// What can be taken; a look at it costs no lock.
    n_due: AtomicUsize,
    capacity: usize,
}

struct Inner<T> {
    queue: VecDeque<T>,
    n_replayed: usize,
    end: Option<End>,
    /// What entry before the subscriber came is still to be put before the queue.
    is_arriving: bool,
    has_left: bool,
}

impl<T> Mailbox<T> {
    pub(super) fn new(capacity: usize, is_arriving: bool) -> Self {
        let queue = VecDeque::new();
        let inner = Inner { queue, n_replayed: 0, end: None, is_arriving, has_left: false };
        Self { inner: Mutex::new(inner), n_due: AtomicUsize::new(0), capacity }
    }

    /// Releases the lock after a change (invariant 5).
    fn settle(&self, inner: MutexGuard<'_, Inner<T>>) {
        let n_due = inner.queue.len() + usize::from(inner.end.is_some());
        // Relaxed: what it guards is read under the lock, and the waker fences.
        self.n_due.store(n_due, Ordering::Relaxed);
        drop(inner);
    }

    /// Returns whether there is nothing to take.
    #[inline]
    fn is_idle(&self) -> bool {
        // Relaxed: invariant 5.
        self.n_due.load(Ordering::Relaxed) == 0
    }

    /// Takes the oldest item. Returns it, and whether the mailbox was full before.
    #[inline]
    pub(super) fn pop(&self) -> (Step<T>, bool) {
        let (step, n_before) = self.pop_counted();
        let was_full = n_before == self.capacity;
        (step, was_full)
    }

    /// Takes the oldest item. How many waited before, without those that were replayed.
    #[inline]
    pub(super) fn pop_counted(&self) -> (Step<T>, usize) {
        if self.is_idle() { (Step::Pending, 0) } else { self.pop_due() }
    }

    #[inline]
    fn pop_due(&self) -> (Step<T>, usize) {
        let mut inner = self.inner.lock();
        if inner.is_arriving {
            return (Step::Pending, 0);
        }
        let n_before = inner.n_waiting();
        inner.n_replayed = inner.n_replayed.saturating_sub(1);
        let step = match inner.queue.pop_front() {
            Some(item) => Step::Item(item),
            None => inner.end.take().map_or(Step::Pending, Step::End),
        };
        self.settle(inner);
        (step, n_before)
    }

    /// The end, if all items were taken.
    pub fn take_end(&self) -> Option<End> {
        if self.is_idle() {
            return None;
        }
        let mut inner = self.inner.lock();
        if inner.is_arriving || !inner.queue.is_empty() {
            return None;
        }
        let end = inner.end.take();
        self.settle(inner);
        end
    }

    /// How many items wait, without those that were replayed.
    pub(super) fn n_waiting(&self) -> usize {
        self.inner.lock().n_waiting()
    }

    /// For how many items there is room, at least, until more are put.
    pub(super) fn n_free(&self) -> usize {
        self.capacity.saturating_sub(self.n_waiting())
    }

    /// Adds an item; `dropped` gets those that make way for it.
    pub(super) fn put(&self, item: T, when_full: WhenFull, dropped: &mut Vec<T>) -> Put<T> {
        let mut inner = self.inner.lock();
        if inner.has_left {
            return Put::Refused(item);
        }
        if inner.n_waiting() < self.capacity {
            inner.queue.push_back(item);
            self.settle(inner);
            return Put::Added;
        }
        let n_before = dropped.len();
        match when_full {
            WhenFull::Evict(Evict::Oldest) => dropped.extend(inner.queue.pop_front()),
            WhenFull::Evict(Evict::Newest) => dropped.extend(inner.queue.pop_back()),
            WhenFull::Evict(Evict::All) => {
                dropped.extend(inner.queue.drain(..));
                inner.n_replayed = 0;
            }
            WhenFull::End => {
                // Under the same lock: the thread that takes the item in the way sees the end with
                // it.
                let former = inner.end.replace(lagged());
                self.settle(inner);
                drop(former);
                return Put::Ended(item);
            }
            WhenFull::Wait | WhenFull::Evict(Evict::Incoming) => return Put::Refused(item),
        }
        inner.queue.push_back(item);
        self.settle(inner);
        Put::Replaced(dropped.len() - n_before)
    }

    /// No more items will come.
    pub(super) fn close(&self, end: End) {
        let mut inner = self.inner.lock();
        let former = inner.end.replace(end);
        self.settle(inner);
        drop(former);
    }

    /// What entry before: `items`, or an end that is all the subscriber gets.
    pub(super) fn arrive(&self, items: Result<Vec<T>, End>, when_full: WhenFull) {
        let mut dropped = VecDeque::new();
        let mut former = None;
        {
            let mut inner = self.inner.lock();
            inner.is_arriving = false;
            match items {
                Ok(mut items) if !inner.has_left => {
                    inner.n_replayed = items.len();
                    items.drain(..).rev().for_each(|item| inner.queue.push_front(item));
                    if when_full == WhenFull::Evict(Evict::Oldest) {
                        let n_surplus = inner.queue.len().saturating_sub(self.capacity);
                        dropped.extend(inner.queue.drain(..n_surplus));
                        inner.n_replayed = 0;
                    }
                }
                Ok(items) => dropped.extend(items),
                Err(end) => {
                    std::mem::swap(&mut dropped, &mut inner.queue);
                    former = inner.end.replace(end);
                    inner.has_left = true;
                }
            }
            self.settle(inner);
        }
        drop((dropped, former));
    }

    /// The subscriber is gone; drops what waits.
    pub(super) fn leave(&self) {
        let dropped = {
            let mut inner = self.inner.lock();
            inner.has_left = true;
            inner.n_replayed = 0;
            let dropped = (std::mem::take(&mut inner.queue), inner.end.take());
            self.settle(inner);
            dropped
        };
        drop(dropped);
    }
}

impl<T> Inner<T> {
    fn n_waiting(&self) -> usize {
        self.queue.len() - self.n_replayed
    }
}

fn lagged() -> End {
    End::Failed(Error::new(
        ErrorKind::Overflow,
        "the subscriber lags behind: it asked for fewer items than were sent, and its queue is full",
    ))
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
