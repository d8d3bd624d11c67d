//! A bounded ring from one thread to another, with the stream's end in it.
//!
//! Each side counts in a plain field of its own and keeps a copy of the other side's counter, which
//! it refreshes only when the copy says full or empty: Rigtorp's and `rtrb`'s scheme. Our
//! deviations: any capacity, kept exactly; an end that is received after the last item and never
//! before; and slots that grow. A queue for many items begins with a block of [`FIRST`] slots, and
//! a producer that finds all of them full links one twice as long behind it, up to the capacity.
//! The counters go on from block to block, so that neither side does more for an item than with
//! one block.
//!
//! # States of the end
//!
//! ```text
//!   ┌──────┐ close(end), or drop of the producer ┌────────┐ pop, once all items are out ┌───────┐
//!   │ OPEN │ ───────────────────────────────────▶│ CLOSED │ ────────────────────────────▶│ ENDED │
//!   └──────┘                                     └────────┘                              └───────┘
//!      ▲                                    reopen                                           │
//!      └─────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! # Invariants
//!
//! 1. `tail - head` (wrapping) is the number of queued items and at most the capacity. A block's
//!    length is a power of two, so that a counter's low bits are its slot even after it wraps.
//! 2. The slots of `head..tail` are initialized and belong to the consumer; all others are
//!    uninitialized and belong to the producer.
//! 3. Only the consumer stores `head`, only the producer stores `tail`: neither side is `Clone`,
//!    and their methods take `&mut self`.
//! 4. `end` belongs to the producer until `is_closed`, and then to the consumer; `tail` is not
//!    stored after `is_closed`, until the consumer reopens the queue.
//! 5. `is_abandoned` is set by the consumer and never cleared. No item is delivered any more: those
//!    that are queued are dropped by the consumer, or with the ring.
//! 6. The item of a counter is in the last block that starts at or before it. A block is linked
//!    before a `tail` past its start is stored. It starts when `limit` items are queued and gets a
//!    limit of its own, no more than its length, so that no two items share a slot.

use std::{
    fmt,
    mem::MaybeUninit,
    sync::{Arc, OnceLock},
};

use crossbeam_utils::CachePadded;

use crate::{
    Capacity, End,
    guard::drop_all,
    sync::{AtomicBool, AtomicUsize, Mutex, Ordering, UnsafeCell},
};

/// The most slots of a first block.
const FIRST: usize = if cfg!(any(millstream_loom, millstream_shuttle)) { 2 } else { 1024 };

struct Ring<T> {
    head: CachePadded<AtomicUsize>,
    tail: CachePadded<AtomicUsize>,
    is_closed: AtomicBool,
    is_abandoned: AtomicBool,
    end: UnsafeCell<Option<End>>,
    capacity: usize,
    /// The consumer's block, for the drop of the ring.
    oldest: Mutex<Arc<Block<T>>>,
}

/// Some of the slots.
struct Block<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// The counter of its first item.
    start: usize,
    /// The block with which the producer went on.
    next: OnceLock<Arc<Self>>,
}

// SAFETY: by invariants 2 and 4 every slot and the end belong to one side at a time, handed over by
// the release and acquire of `tail`, `head` and `is_closed`.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: the items are `Send`, and nothing else in the ring is bound to a thread.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: by invariant 2 every slot belongs to one side at a time, as above.
unsafe impl<T: Send> Sync for Block<T> {}
// SAFETY: the items are `Send`, and nothing else in a block is bound to a thread.
unsafe impl<T: Send> Send for Block<T> {}

/// The end that pushes.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
    /// The newest block.
    block: Arc<Block<T>>,
    /// How many items may be queued before the next block, or at all.
    limit: usize,
    tail: usize,
    /// The consumer's counter when it was last looked at.
    seen_head: usize,
}

/// The end that pops.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
    /// The block of the oldest item.
    block: Arc<Block<T>>,
    head: usize,
    /// The producer's counter when it was last looked at, or the start of the next block.
    seen_tail: usize,
}

/// The queue is full; gives the item back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PushError<T>(pub T);

/// What was in the queue.
#[must_use]
pub enum Pop<T> {
    /// The oldest item.
    Item(T),
    /// Nothing at the moment.
    Empty,
    /// All items are out and no more will come. `None`: the producer was dropped without an end, or
    /// the end was given before.
    Closed(Option<End>),
}

/// A queue of exactly `capacity` items. It takes memory for more than a thousand when they come.
#[must_use]
pub fn bounded<T>(capacity: Capacity) -> (Producer<T>, Consumer<T>) {
    let capacity = capacity.get();
    let block = Block::new(capacity.min(FIRST).next_power_of_two(), 0);
    let ring = Arc::new(Ring {
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
        is_closed: AtomicBool::new(false),
        is_abandoned: AtomicBool::new(false),
        end: UnsafeCell::new(None),
        capacity,
        oldest: Mutex::new(Arc::clone(&block)),
    });
    let consumer =
        Consumer { ring: Arc::clone(&ring), block: Arc::clone(&block), head: 0, seen_tail: 0 };
    let limit = capacity.min(block.slots.len());
    (Producer { ring, block, limit, tail: 0, seen_head: 0 }, consumer)
}

impl<T> Block<T> {
    fn new(len: usize, start: usize) -> Arc<Self> {
        let slots = (0..len).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        Arc::new(Self { slots, start, next: OnceLock::new() })
    }

    #[inline]
    fn slot(&self, counter: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.slots[counter & (self.slots.len() - 1)]
    }
}

impl<T> Producer<T> {
    /// Appends an item.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue holds its capacity.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), PushError<T>> {
        if self.tail.wrapping_sub(self.seen_head) == self.limit {
            // Acquire: pairs with the release in `pop`; the slots given up are ours to write.
            self.seen_head = self.ring.head.load(Ordering::Acquire);
            if self.tail.wrapping_sub(self.seen_head) == self.limit && !self.grow() {
                return Err(PushError(item));
            }
        }
        self.block.slot(self.tail).with_mut(|slot| {
            // SAFETY: `tail` is not in `head..tail`, so by invariant 2 the slot is ours, and
            // uninitialized: nothing in it is overwritten.
            unsafe { slot.cast::<T>().write(item) };
        });
        self.tail = self.tail.wrapping_add(1);
        // Release: publishes the slot to `pop`.
        self.ring.tail.store(self.tail, Ordering::Release);
        Ok(())
    }

    /// Goes on in a block twice as long, unless the queue holds its capacity.
    #[cold]
    fn grow(&mut self) -> bool {
        if self.limit == self.ring.capacity {
            return false;
        }
        let next = Block::new(2 * self.block.slots.len(), self.tail);
        // No other sets it, and this one goes on with `next`.
        let _is_set = self.block.next.set(Arc::clone(&next));
        self.limit = self.ring.capacity.min(next.slots.len());
        self.block = next;
        true
    }

    /// How many items are queued; those that the consumer takes meanwhile count or do not.
    #[inline]
    #[must_use]
    pub fn n_queued(&mut self) -> usize {
        // Acquire: pairs with the release in `pop`; the slots given up are ours to write.
        self.seen_head = self.ring.head.load(Ordering::Acquire);
        self.tail.wrapping_sub(self.seen_head)
    }

    /// Returns whether no item will be taken any more. Those that are pushed all the same are
    /// dropped with the queue.
    #[inline]
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        // Acquire: pairs with the release in `abandon`.
        self.ring.is_abandoned.load(Ordering::Acquire)
    }

    /// No more items will come.
    pub fn close(self, end: End) {
        self.ring.end.with_mut(|place| {
            // SAFETY: `is_closed` is set only when the producer is dropped, so by invariant 4 the
            // end is ours.
            unsafe { *place = Some(end) };
        });
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // Release: publishes the end and the last `tail`.
        self.ring.is_closed.store(true, Ordering::Release);
    }
}

impl<T> Consumer<T> {
    /// How many items the queue holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.capacity
    }

    /// Tells the producer that no item will be taken any more.
    pub fn abandon(&mut self) {
        // Release: what was done before is seen by the producer that finds the queue abandoned.
        self.ring.is_abandoned.store(true, Ordering::Release);
    }

    /// Takes the oldest item.
    #[inline]
    pub fn pop(&mut self) -> Pop<T> {
        if self.head == self.seen_tail {
            self.look();
            if self.head == self.seen_tail {
                return self.pop_end();
            }
        }
        let item = self.block.slot(self.head).with_mut(|slot| {
            // SAFETY: `head` lies in `head..tail`, so by invariant 2 the slot is ours and
            // initialized; the acquire load of `tail` made the write visible. Storing the new
            // `head` below gives the slot up, so the item is not read twice.
            unsafe { slot.cast::<T>().read() }
        });
        self.head = self.head.wrapping_add(1);
        // Release: gives the slot up to `push`.
        self.ring.head.store(self.head, Ordering::Release);
        Pop::Item(item)
    }

    #[cold]
    fn pop_end(&mut self) -> Pop<T> {
        // Acquire: pairs with the release in the producer's drop.
        if !self.ring.is_closed.load(Ordering::Acquire) {
            return Pop::Empty;
        }
        match self.take_end() {
            // The last items were pushed after `tail` was looked at.
            None => self.pop(),
            Some(end) => Pop::Closed(end),
        }
    }

    /// The end, if no items are queued and no more will come.
    pub fn take_end(&mut self) -> Option<Option<End>> {
        // Acquire: pairs with the release in the producer's drop; `tail` is the last one after it
        // (invariant 4).
        if !self.ring.is_closed.load(Ordering::Acquire) || !self.is_drained() {
            return None;
        }
        Some(self.ring.end.with_mut(|place| {
            // SAFETY: closed, so by invariant 4 the end is ours.
            unsafe { &mut *place }.take()
        }))
    }

    /// A producer for another round, once this one has ended: `ENDED → OPEN`. `None` while items
    /// are queued, or may still come. An end that was not taken is dropped.
    #[must_use]
    pub fn reopen(&mut self) -> Option<Producer<T>> {
        // Ended, so by invariant 4 the last producer touches nothing but its own handle any more.
        self.take_end()?;
        // Relaxed: the flag travels with the producer.
        self.ring.is_closed.store(false, Ordering::Relaxed);
        let block = Arc::clone(&self.block);
        let limit = self.ring.capacity.min(block.slots.len());
        let ring = Arc::clone(&self.ring);
        Some(Producer { ring, block, limit, tail: self.head, seen_head: self.head })
    }

    /// Returns whether no items are queued; there may be an end.
    #[must_use]
    pub fn is_drained(&mut self) -> bool {
        if self.head == self.seen_tail {
            self.look();
        }
        self.head == self.seen_tail
    }

    /// Looks at the producer's counter, once all items that were seen are out.
    #[inline]
    fn look(&mut self) {
        // Acquire: pairs with the release in `push`.
        self.seen_tail = self.ring.tail.load(Ordering::Acquire);
        if self.block.next.get().is_some() {
            self.advance();
        }
    }

    /// Moves on to the block of the oldest item, and looks no further than to its end.
    #[cold]
    fn advance(&mut self) {
        while let Some(next) = self.block.next.get() {
            let n_here = next.start.wrapping_sub(self.head);
            if n_here > 0 {
                let n_seen = self.seen_tail.wrapping_sub(self.head);
                self.seen_tail = self.head.wrapping_add(n_seen.min(n_here));
                return;
            }
            let next = Arc::clone(next);
            *self.ring.oldest.lock() = Arc::clone(&next);
            self.block = next;
        }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // Neither side is left. Read-modify-writes see the last values even for loom, which does
        // not know that the last drop of an `Arc` comes after the others.
        let mut head = self.head.fetch_or(0, Ordering::AcqRel);
        let tail = self.tail.fetch_or(0, Ordering::AcqRel);
        let mut block = Arc::clone(&*self.oldest.lock());
        drop_all(|| {
            if head == tail {
                return None;
            }
            if let Some(next) = block.next.get().filter(|next| next.start == head) {
                block = Arc::clone(next);
            }
            let slot = block.slot(head);
            head = head.wrapping_add(1);
            Some(slot.with_mut(|slot| {
                // SAFETY: it lies in `head..tail`, so by invariant 2 the slot is initialized, and
                // nobody else is left. `head` is past it, so the item is not read twice.
                unsafe { slot.cast::<T>().read() }
            }))
        });
    }
}

// By hand, so that items need not be `Debug` and do not end up in logs.
impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushError(..)")
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is full")
    }
}

impl<T> std::error::Error for PushError<T> {}

impl<T> fmt::Debug for Pop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(_) => f.write_str("Item(..)"),
            Self::Empty => f.write_str("Empty"),
            Self::Closed(end) => f.debug_tuple("Closed").field(end).finish(),
        }
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("capacity", &self.ring.capacity).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("capacity", &self.ring.capacity).finish_non_exhaustive()
    }
}
