//! A bounded queue from many threads to one: a ring, after Dmitry Vyukov's bounded MPMC queue.
//!
//! A ring has all of its slots from the beginning. A queue whose ring would be large (see
//! [`is_ring`]) has none: it is the growing queue, whose items are counted.
//!
//! Each slot carries a stamp that says whose turn it is. Our deviations: one consumer, so that its
//! counter is a plain field; stamps count in twos, so that any capacity is exact, even 1. A
//! position is a lap and an index, in the bits above and below, so that no division finds the slot.
//!
//! # States of a slot
//!
//! ```text
//!   ┌────────────────┐ push: claim `tail`, write, stamp ┌────────────────┐
//!   │ free for round │ ────────────────────────────────▶│ full for round │
//!   │  stamp 2 * pos │                                  │ stamp 2*pos + 1│
//!   └────────────────┘ ◀──────────────────────────────── └────────────────┘
//!        pop: read, stamp 2 * (pos + lap)
//! ```
//!
//! # Invariants
//!
//! 1. A position is claimed by one producer: by the compare-exchange of `tail`.
//! 2. From the claim of `pos` until the stamp `2 * pos + 1` the slot belongs to that producer and
//!    is uninitialized; from then until the stamp `2 * (pos + lap)` it belongs to the consumer and
//!    is initialized.
//! 3. Of a counted queue, `n` is at least the number of queued items, and at most the capacity: it
//!    is raised before a push and lowered after a pop.

use std::{fmt, mem::MaybeUninit, sync::Arc};

use crossbeam_utils::CachePadded;

use super::growing::{GrowingReceiver, GrowingSender, growing};
use crate::{
    Capacity,
    guard::drop_all,
    spsc::PushError,
    sync::{AtomicU64, AtomicUsize, Ordering, UnsafeCell},
};

/// Returns whether a queue has its slots from the beginning: if they are few, or of one MiB in all.
#[cfg(not(any(millstream_loom, millstream_shuttle)))]
const fn is_ring<T>(capacity: usize) -> bool {
    capacity <= 4096 || capacity.saturating_mul(size_of::<Slot<T>>()) <= 1 << 20
}

#[cfg(any(millstream_loom, millstream_shuttle))]
const fn is_ring<T>(capacity: usize) -> bool {
    capacity <= 2
}

struct Slot<T> {
    stamp: AtomicU64,
    item: UnsafeCell<MaybeUninit<T>>,
}

struct Ring<T> {
    tail: CachePadded<AtomicU64>,
    slots: Box<[Slot<T>]>,
    /// From one lap to the next: a power of two, no less than the number of slots.
    lap: u64,
}

// SAFETY: by invariant 2 every slot belongs to one thread at a time, handed over by its stamp.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: the items are `Send`.
unsafe impl<T: Send> Send for Ring<T> {}

/// How many items are in a counted queue.
struct Count {
    n: CachePadded<AtomicUsize>,
    capacity: usize,
}

/// An end that pushes; there may be many.
pub struct Sender<T>(Pushing<T>);

enum Pushing<T> {
    Ring(Arc<Ring<T>>),
    Counted(GrowingSender<T>, Arc<Count>),
}

/// The end that pops.
pub struct Receiver<T>(Popping<T>);

enum Popping<T> {
    Ring(RingReceiver<T>),
    Counted(GrowingReceiver<T>, Arc<Count>),
}

struct RingReceiver<T> {
    ring: Arc<Ring<T>>,
    head: u64,
}

/// A queue of exactly `capacity` items. It takes memory for more than a few thousand of them when
/// they come.
#[must_use]
pub fn bounded<T>(capacity: Capacity) -> (Sender<T>, Receiver<T>) {
    let capacity = capacity.get();
    if !is_ring::<T>(capacity) {
        let (sender, receiver) = growing();
        let count = Arc::new(Count { n: CachePadded::new(AtomicUsize::new(0)), capacity });
        let pushing = Pushing::Counted(sender, Arc::clone(&count));
        return (Sender(pushing), Receiver(Popping::Counted(receiver, count)));
    }
    let slots = (0..capacity as u64)
        .map(|pos| Slot {
            stamp: AtomicU64::new(2 * pos),
            item: UnsafeCell::new(MaybeUninit::uninit()),
        })
        .collect();
    let ring = Arc::new(Ring {
        tail: CachePadded::new(AtomicU64::new(0)),
        slots,
        lap: (capacity as u64).next_power_of_two(),
    });
    let popping = Popping::Ring(RingReceiver { ring: Arc::clone(&ring), head: 0 });
    (Sender(Pushing::Ring(ring)), Receiver(popping))
}

impl Count {
    /// Counts an item that is to be pushed, unless there are as many as fit.
    fn raise(&self) -> bool {
        // Acquire: pairs with the release in `lower`; the item that made room was popped before.
        let raised = self.n.fetch_update(Ordering::Acquire, Ordering::Relaxed, |n| {
            if n == self.capacity { None } else { Some(n + 1) }
        });
        raised.is_ok()
    }

    fn lower(&self) {
        // Release: pairs with `raise`.
        self.n.fetch_sub(1, Ordering::Release);
    }
}

impl<T> Ring<T> {
    #[inline]
    fn slot(&self, pos: u64) -> &Slot<T> {
        &self.slots[(pos & (self.lap - 1)) as usize]
    }

    /// The position after this one: the next slot, or the first one of the next lap.
    #[inline]
    fn after(&self, pos: u64) -> u64 {
        let is_last = (pos & (self.lap - 1)) + 1 == self.slots.len() as u64;
        if is_last { (pos & !(self.lap - 1)) + self.lap } else { pos + 1 }
    }

    #[inline]
    fn push(&self, item: T) -> Result<(), PushError<T>> {
        let mut pos = self.tail.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(pos);
            // Acquire: pairs with the release in `pop`; what was there is out.
            let stamp = slot.stamp.load(Ordering::Acquire);
            if stamp < 2 * pos {
                // The consumer is one lap behind: the queue is full, unless `pos` is stale.
                let tail = self.tail.load(Ordering::Relaxed);
                if tail == pos {
                    return Err(PushError(item));
                }
                pos = tail;
            } else if stamp > 2 * pos {
                // Another producer was faster.
                pos = self.tail.load(Ordering::Relaxed);
            } else {
                // Relaxed: the stamp orders the slot.
                match self.tail.compare_exchange_weak(
                    pos,
                    self.after(pos),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => {
                        slot.item.with_mut(|place| {
                            // SAFETY: the position was claimed, so by invariants 1 and 2 the slot
                            // is ours and uninitialized.
                            unsafe { place.cast::<T>().write(item) };
                        });
                        // Release: publishes the item to `pop`.
                        slot.stamp.store(2 * pos + 1, Ordering::Release);
                        return Ok(());
                    }
                    Err(current) => pos = current,
                }
            }
        }
    }
}

impl<T> Sender<T> {
    /// Appends an item.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue holds its capacity.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        match &self.0 {
            Pushing::Ring(ring) => ring.push(item),
            Pushing::Counted(sender, count) => {
                if !count.raise() {
                    return Err(PushError(item));
                }
                sender.push(item);
                Ok(())
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Pushing::Ring(ring) => Pushing::Ring(Arc::clone(ring)),
            Pushing::Counted(sender, count) => Pushing::Counted(sender.clone(), Arc::clone(count)),
        })
    }
}

impl<T> Receiver<T> {
    /// How many items the queue holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match &self.0 {
            Popping::Ring(receiver) => receiver.ring.slots.len(),
            Popping::Counted(_, count) => count.capacity,
        }
    }

    /// Takes the oldest item. `None` also while its producer is between claiming and writing.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        match &mut self.0 {
            Popping::Ring(receiver) => receiver.pop(),
            Popping::Counted(receiver, count) => {
                let item = receiver.pop()?;
                count.lower();
                Some(item)
            }
        }
    }
}

impl<T> RingReceiver<T> {
    #[inline]
    fn pop(&mut self) -> Option<T> {
        let slot = self.ring.slot(self.head);
        // Acquire: pairs with the release in `push`.
        if slot.stamp.load(Ordering::Acquire) != 2 * self.head + 1 {
            return None;
        }
        let item = slot.item.with_mut(|place| {
            // SAFETY: stamped full for this round, so by invariant 2 the slot is initialized and
            // ours; the stamp below gives it up.
            unsafe { place.cast::<T>().read() }
        });
        // Release: gives the slot up to `push`.
        slot.stamp.store(2 * (self.head + self.ring.lap), Ordering::Release);
        self.head = self.ring.after(self.head);
        Some(item)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        drop_all(|| self.pop());
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // What was pushed after the consumer was dropped. Read-modify-writes see the last stamps
        // even for loom, which does not know that the last drop of an `Arc` comes after the others.
        let mut full =
            self.slots.iter().filter(|slot| slot.stamp.fetch_or(0, Ordering::AcqRel) % 2 == 1);
        drop_all(|| {
            Some(full.next()?.item.with_mut(|place| {
                // SAFETY: an odd stamp means full (invariant 2), and nobody else is left. The
                // iterator is past it, so the item is not read twice.
                unsafe { place.cast::<T>().read() }
            }))
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = match &self.0 {
            Pushing::Ring(ring) => ring.slots.len(),
            Pushing::Counted(_, count) => count.capacity,
        };
        f.debug_struct("Sender").field("capacity", &capacity).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
