//! One value from one thread to another, awaited or waited for.
//!
//! # States
//!
//! ```text
//!             send                 poll
//!   ┌───────┐ ──────▶ ┌─────────┐ ──────▶ ┌───────┐
//!   │ EMPTY │         │ PRESENT │         │ TAKEN │
//!   └───────┘         └─────────┘         └───────┘
//!        │ sender dropped                   ▲
//!        └──────────────────────────────────┘ (the receiver gets nothing)
//! ```
//!
//! # Invariants
//!
//! 1. `value` belongs to the sender while EMPTY, and to the receiver afterwards. There is one of
//!    each, and neither can be cloned.
//! 2. The state is stored after the value and before the wake-up; the receiver registers its waker
//!    before it looks at the state for the last time.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    TaskWaker, Wake,
    sync::{AtomicU8, Ordering, UnsafeCell},
};

const EMPTY: u8 = 0;
const PRESENT: u8 = 1;
const TAKEN: u8 = 2;

struct Shared<T> {
    state: AtomicU8,
    value: UnsafeCell<Option<T>>,
    waker: TaskWaker,
}

// SAFETY: by invariant 1 `value` is touched by one side at a time, handed over by the state's
// release and acquire.
unsafe impl<T: Send> Sync for Shared<T> {}

/// Sends the value.
pub struct Sender<T>(Arc<Shared<T>>);

/// Receives the value, or `None` when the sender was dropped without one.
#[must_use = "futures do nothing unless awaited"]
pub struct Receiver<T>(Arc<Shared<T>>);

/// A sender and its receiver.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: AtomicU8::new(EMPTY),
        value: UnsafeCell::new(None),
        waker: TaskWaker::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Sender<T> {
    /// `EMPTY → PRESENT`.
    pub fn send(self, value: T) {
        self.0.value.with_mut(|place| {
            // SAFETY: only this method leaves EMPTY with a value, and it takes the one sender, so
            // by invariant 1 the value is ours.
            unsafe { *place = Some(value) };
        });
        // Release: publishes the value (invariant 2). Dropping `self` wakes.
        self.0.state.store(PRESENT, Ordering::Release);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Relaxed: only the sender leaves EMPTY.
        if self.0.state.load(Ordering::Relaxed) == EMPTY {
            self.0.state.store(TAKEN, Ordering::Release);
        }
        self.0.waker.wake();
    }
}

impl<T> Receiver<T> {
    fn look(&mut self) -> Poll<Option<T>> {
        // Acquire: pairs with the release in `send`.
        match self.0.state.load(Ordering::Acquire) {
            EMPTY => Poll::Pending,
            _ => Poll::Ready(self.0.value.with_mut(|place| {
                // SAFETY: not EMPTY, so by invariant 1 the value is the receiver's.
                unsafe { &mut *place }.take()
            })),
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Poll::Ready(value) = self.look() {
            return Poll::Ready(value);
        }
        self.0.waker.register(cx.waker());
        // Invariant 2: the sender may have come between.
        self.look()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_empty = self.0.state.load(Ordering::Relaxed) == EMPTY;
        f.debug_struct("Receiver").field("is_empty", &is_empty).finish_non_exhaustive()
    }
}
