//! A queue of any length from many threads to one, after Dmitry Vyukov's non-intrusive MPSC queue.
//!
//! A push is one swap and one store, and never waits for another producer. It allocates one node.
//!
//! # Invariants
//!
//! 1. `tail` is the node that was pushed last; following `next` from `head` leads to it, except
//!    past a node whose producer is between its swap and its store.
//! 2. The node at `head` holds no item: it was taken, or it is the first one. Items of the nodes
//!    behind it are initialized, and belong to the consumer once `next` was seen to point to them.
//! 3. Nodes are freed by the consumer, after it moved past them, and by the drop of the queue.

use std::{fmt, mem::MaybeUninit, ptr, sync::Arc};

use crossbeam_utils::CachePadded;

use crate::{
    guard::drop_all,
    sync::{AtomicPtr, Ordering, UnsafeCell},
};

struct Node<T> {
    next: AtomicPtr<Node<T>>,
    item: UnsafeCell<MaybeUninit<T>>,
}

struct Queue<T> {
    tail: CachePadded<AtomicPtr<Node<T>>>,
    /// The consumer's position when it was dropped.
    rest: AtomicPtr<Node<T>>,
}

/// An end that pushes; there may be many.
pub struct GrowingSender<T>(Arc<Queue<T>>);

/// The end that pops.
pub struct GrowingReceiver<T> {
    queue: Arc<Queue<T>>,
    head: *mut Node<T>,
}

// SAFETY: nodes are reached by one consumer, and by a producer until its store of `next`; by
// invariant 2 an item belongs to one of them at a time.
unsafe impl<T: Send> Send for GrowingReceiver<T> {}
// SAFETY: popping and dropping take the receiver alone; `&self` reaches no node.
unsafe impl<T: Send> Sync for GrowingReceiver<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for GrowingSender<T> {}
// SAFETY: pushing takes `&self` and touches only atomics and the node it made.
unsafe impl<T: Send> Sync for GrowingSender<T> {}

/// An empty queue.
#[must_use]
pub fn growing<T>() -> (GrowingSender<T>, GrowingReceiver<T>) {
    let head = Node::allocate(MaybeUninit::uninit());
    let queue = Arc::new(Queue {
        tail: CachePadded::new(AtomicPtr::new(head)),
        rest: AtomicPtr::new(ptr::null_mut()),
    });
    (GrowingSender(Arc::clone(&queue)), GrowingReceiver { queue, head })
}

impl<T> Node<T> {
    fn allocate(item: MaybeUninit<T>) -> *mut Self {
        Box::into_raw(Box::new(Self {
            next: AtomicPtr::new(ptr::null_mut()),
            item: UnsafeCell::new(item),
        }))
    }
}

impl<T> GrowingSender<T> {
    /// Appends an item.
    pub fn push(&self, item: T) {
        let node = Node::allocate(MaybeUninit::new(item));
        // AcqRel: publishes the node's fields to the next producer, and acquires the last one's.
        let before = self.0.tail.swap(node, Ordering::AcqRel);
        // SAFETY: the consumer frees a node only after it saw its `next`, which is stored below,
        // once, by the producer that swapped it out.
        let before = unsafe { &*before };
        // Release: publishes the item to `pop`.
        before.next.store(node, Ordering::Release);
    }
}

impl<T> Clone for GrowingSender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> GrowingReceiver<T> {
    /// Takes the oldest item. `None` also while its producer is between its swap and its store.
    pub fn pop(&mut self) -> Option<T> {
        // SAFETY: the head is freed by the consumer alone.
        let head = unsafe { &*self.head };
        // Acquire: pairs with the release in `push`.
        let next = head.next.load(Ordering::Acquire);
        if next.is_null() {
            return None;
        }
        // SAFETY: reached through `next`, so by invariant 3 it was not freed.
        let node = unsafe { &*next };
        let item = node.item.with_mut(|place| {
            // SAFETY: behind the head, so by invariant 2 initialized and ours; making it the head
            // says that it was taken.
            unsafe { place.cast::<T>().read() }
        });
        // SAFETY: its `next` was seen, so its producer is done with it (invariant 3).
        drop(unsafe { Box::from_raw(self.head) });
        self.head = next;
        Some(item)
    }
}

impl<T> Drop for GrowingReceiver<T> {
    fn drop(&mut self) {
        // Relaxed: read only after all ends let go of the queue, which synchronizes.
        self.queue.rest.store(self.head, Ordering::Relaxed);
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        // Swaps see the last values even for loom, which does not know that the last drop of an
        // `Arc` comes after the others.
        let mut rest = self.rest.swap(ptr::null_mut(), Ordering::AcqRel);
        let mut is_taken = true;
        drop_all(|| {
            while !rest.is_null() {
                // SAFETY: nobody else is left, so the nodes are ours alone.
                let node = unsafe { Box::from_raw(rest) };
                rest = node.next.swap(ptr::null_mut(), Ordering::AcqRel);
                if !std::mem::replace(&mut is_taken, false) {
                    return Some(node.item.with_mut(|place| {
                        // SAFETY: behind the head, so by invariant 2 initialized; the node goes
                        // with it.
                        unsafe { place.cast::<T>().read() }
                    }));
                }
            }
            None
        });
    }
}

impl<T> fmt::Debug for GrowingSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrowingSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for GrowingReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrowingReceiver").finish_non_exhaustive()
    }
}
