//! A queue of any length from one thread to another, in linked blocks.
//!
//! One emptied block at a time is handed back to the producer, so that a queue that stays short
//! allocates nothing after its first two blocks.
//!
//! # Invariants
//!
//! 1. In a block, the slots below `n_written` are initialized, and belong to the consumer until it
//!    has read them; those from `n_written` on belong to the producer.
//! 2. `next` is stored once, after the block is full. From then on the producer does not touch the
//!    block, and the consumer owns it once it has read all of it.
//! 3. A block in `spare` belongs to the side that swaps it out.

use std::{fmt, mem::MaybeUninit, ptr, sync::Arc};

use crate::{
    guard::drop_all,
    sync::{AtomicPtr, AtomicUsize, Ordering, UnsafeCell},
};

/// Items in a block.
#[cfg(not(any(millstream_loom, millstream_shuttle)))]
const BLOCK: usize = 32;
#[cfg(any(millstream_loom, millstream_shuttle))]
const BLOCK: usize = 2;

struct Block<T> {
    n_written: AtomicUsize,
    next: AtomicPtr<Block<T>>,
    slots: [UnsafeCell<MaybeUninit<T>>; BLOCK],
}

struct Shared<T> {
    spare: AtomicPtr<Block<T>>,
    /// Where the consumer was when it was dropped: the first block that is left, and what of it was
    /// read.
    rest: AtomicPtr<Block<T>>,
    n_read: AtomicUsize,
}

/// The end that pushes.
pub struct GrowingProducer<T> {
    shared: Arc<Shared<T>>,
    block: *mut Block<T>,
    n_written: usize,
}

/// The end that pops.
pub struct GrowingConsumer<T> {
    shared: Arc<Shared<T>>,
    block: *mut Block<T>,
    n_read: usize,
}

// SAFETY: blocks are reached by one producer and one consumer, and by invariants 1 to 3 every slot
// belongs to one of them at a time.
unsafe impl<T: Send> Send for GrowingProducer<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for GrowingConsumer<T> {}

/// An empty queue.
#[must_use]
pub fn growing<T>() -> (GrowingProducer<T>, GrowingConsumer<T>) {
    let shared = Arc::new(Shared {
        spare: AtomicPtr::new(ptr::null_mut()),
        rest: AtomicPtr::new(ptr::null_mut()),
        n_read: AtomicUsize::new(0),
    });
    let block = Block::allocate();
    let consumer = GrowingConsumer { shared: Arc::clone(&shared), block, n_read: 0 };
    (GrowingProducer { shared, block, n_written: 0 }, consumer)
}

impl<T> Block<T> {
    fn allocate() -> *mut Self {
        Box::into_raw(Box::new(Self {
            n_written: AtomicUsize::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            slots: std::array::from_fn(|_| UnsafeCell::new(MaybeUninit::uninit())),
        }))
    }
}

impl<T> GrowingProducer<T> {
    /// Appends an item.
    pub fn push(&mut self, item: T) {
        if self.n_written == BLOCK {
            self.grow();
        }
        // SAFETY: the producer's block is freed by the consumer only after `next` was stored, and
        // then `grow` has moved on (invariant 2).
        let block = unsafe { &*self.block };
        block.slots[self.n_written].with_mut(|slot| {
            // SAFETY: the slot is not below `n_written`, so by invariant 1 it is ours, and
            // uninitialized.
            unsafe { slot.cast::<T>().write(item) };
        });
        self.n_written += 1;
        // Release: publishes the slot to `pop`.
        block.n_written.store(self.n_written, Ordering::Release);
    }

    #[cold]
    fn grow(&mut self) {
        // Acquire: pairs with the release in `GrowingConsumer::advance`.
        let spare = self.shared.spare.swap(ptr::null_mut(), Ordering::AcqRel);
        let next = if spare.is_null() { Block::allocate() } else { spare };
        // SAFETY: as in `push`.
        let block = unsafe { &*self.block };
        // Release: publishes the block's fields. The present block is not touched again.
        block.next.store(next, Ordering::Release);
        self.block = next;
        self.n_written = 0;
    }
}

impl<T> GrowingConsumer<T> {
    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        if self.n_read == BLOCK && !self.advance() {
            return None;
        }
        // SAFETY: the consumer's block is freed by the consumer alone.
        let block = unsafe { &*self.block };
        // Acquire: pairs with the release in `push`.
        if self.n_read == block.n_written.load(Ordering::Acquire) {
            return None;
        }
        let item = block.slots[self.n_read].with_mut(|slot| {
            // SAFETY: the slot is below `n_written`, so by invariant 1 it is initialized and ours;
            // counting it as read gives it up.
            unsafe { slot.cast::<T>().read() }
        });
        self.n_read += 1;
        Some(item)
    }

    /// Moves on to the next block, if there is one.
    #[cold]
    fn advance(&mut self) -> bool {
        // SAFETY: as in `pop`.
        let block = unsafe { &*self.block };
        // Acquire: pairs with the release in `grow`; the block is ours (invariant 2).
        let next = block.next.load(Ordering::Acquire);
        if next.is_null() {
            return false;
        }
        block.n_written.store(0, Ordering::Relaxed);
        block.next.store(ptr::null_mut(), Ordering::Relaxed);
        // AcqRel: publishes the reset block to `grow`, and acquires what is to be freed.
        let surplus = self.shared.spare.swap(self.block, Ordering::AcqRel);
        if !surplus.is_null() {
            // SAFETY: it was swapped out, so by invariant 3 it is ours, and it holds no items.
            drop(unsafe { Box::from_raw(surplus) });
        }
        self.block = next;
        self.n_read = 0;
        true
    }
}

impl<T> Drop for GrowingConsumer<T> {
    fn drop(&mut self) {
        // Relaxed: read only after both sides let go of the shared part, which synchronizes.
        self.shared.n_read.store(self.n_read, Ordering::Relaxed);
        self.shared.rest.store(self.block, Ordering::Relaxed);
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Swaps see the last values even for loom, which does not know that the last drop of an
        // `Arc` comes after the others.
        let spare = self.spare.swap(ptr::null_mut(), Ordering::AcqRel);
        if !spare.is_null() {
            // SAFETY: nobody else is left, so by invariant 3 it is ours.
            drop(unsafe { Box::from_raw(spare) });
        }
        let mut rest = self.rest.swap(ptr::null_mut(), Ordering::AcqRel);
        let mut n_read = self.n_read.swap(0, Ordering::AcqRel);
        drop_all(|| {
            while !rest.is_null() {
                // SAFETY: both sides are gone, so the blocks from the consumer's on are ours alone.
                let block = unsafe { &*rest };
                if n_read < block.n_written.fetch_or(0, Ordering::AcqRel) {
                    let slot = &block.slots[n_read];
                    n_read += 1;
                    return Some(slot.with_mut(|slot| {
                        // SAFETY: the slot is below `n_written` and was not read, so by invariant 1
                        // it is initialized. `n_read` is past it, so it is not read again.
                        unsafe { slot.cast::<T>().read() }
                    }));
                }
                let next = block.next.swap(ptr::null_mut(), Ordering::AcqRel);
                // SAFETY: as above; all of its items were read.
                drop(unsafe { Box::from_raw(rest) });
                rest = next;
                n_read = 0;
            }
            None
        });
    }
}

impl<T> fmt::Debug for GrowingProducer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrowingProducer").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for GrowingConsumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrowingConsumer").finish_non_exhaustive()
    }
}
