//! Releases a semaphore's permits in batches, for a single consumer.
//!
//! The consumer counts releases in its own counter with a plain store. Permits are collected from
//! there when they are needed: by a producer that finds none left, or, for tasks that wait, by a
//! periodic look. So a release costs the consumer no read-modify-write, and waiting tasks are woken
//! several at a time.
//!
//! # States of a permit
//!
//! ```text
//!                 release                   collect: nobody waits
//!   ┌──────────┐ ────────▶ ┌─────────────┐ ─────────────────────▶ FREE
//!   │ ACQUIRED │           │ RELEASED,   │
//!   │          │ ◀──────── │ and still   │
//!   └──────────┘  collect: │ in the word │
//!              handed on   └─────────────┘
//! ```
//!
//! # Invariants
//!
//! 1. `released` is stored by the one `BatchRelease`; `n_collected` is changed under the
//!    semaphore's lock and is at most `released`; their difference is the permits that are free and
//!    still counted in the word.
//! 2. A waiting task is not forgotten. It sets WAITING, fences, and looks at `released` a last
//!    time; the consumer stores `released`, fences, and looks for WAITING, at the latest when it
//!    has nothing more to take. In the total order of the fences one comes first.

use std::{fmt, sync::Arc, task::Waker};

use super::{ACQUIRED, Semaphore, WAITING};
use crate::sync::{Ordering, fence};

/// Releases permits for the one consumer. The file's header has the rest.
pub struct BatchRelease {
    semaphore: Arc<Semaphore>,
    n_released: u64,
    /// `n_released` at the last look for waiting tasks.
    n_flushed: u64,
    /// Releases between two looks.
    batch: u64,
}

impl BatchRelease {
    pub(super) fn new(semaphore: &Arc<Semaphore>) -> Self {
        let batch = (semaphore.limit / 4).max(1);
        Self { semaphore: Arc::clone(semaphore), n_released: 0, n_flushed: 0, batch }
    }

    /// Releases the permit of an item that was taken. Waiting tasks may hear of it only with the
    /// batch, or with [`flush`](Self::flush).
    #[inline]
    pub fn release(&mut self) {
        self.n_released += 1;
        // Release: what happened before is visible to the thread that collects the permit.
        self.semaphore.released.store(self.n_released, Ordering::Release);
        if self.n_released - self.n_flushed >= self.batch {
            self.flush();
        }
    }

    /// Hands released permits to waiting tasks. Call it when there is nothing more to take for now.
    #[inline]
    pub fn flush(&mut self) {
        if self.n_flushed == self.n_released {
            return;
        }
        self.n_flushed = self.n_released;
        // Invariant 2: announced above.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        if self.semaphore.word.load(Ordering::Relaxed) & WAITING != 0 {
            self.semaphore.collect();
        }
    }

    /// Closes the semaphore: [`Semaphore::close`].
    pub fn close(&self) -> bool {
        self.semaphore.close()
    }
}

impl Semaphore {
    /// Hands released permits to waiting tasks and frees the rest. Returns whether there were any.
    #[cold]
    #[inline(never)]
    pub(super) fn collect(&self) -> bool {
        let mut is_changed = false;
        // Wakers run without the lock, so each permit that is handed on takes it again.
        while self.has_uncollected() {
            is_changed = true;
            if let Some(waker) = self.collect_some() {
                waker.wake();
            }
        }
        is_changed
    }

    fn has_uncollected(&self) -> bool {
        // Relaxed: a look; the lock decides.
        self.released.load(Ordering::Relaxed) != self.n_collected.load(Ordering::Relaxed)
    }

    /// Hands one permit on, or frees all if nobody waits.
    fn collect_some(&self) -> Option<Waker> {
        let mut waiters = self.waiters.lock();
        // Acquire: pairs with the release in `BatchRelease::release`.
        let n_released = self.released.load(Ordering::Acquire);
        // Relaxed: the lock orders it.
        let n_collected = self.n_collected.load(Ordering::Relaxed);
        if n_released == n_collected {
            return None;
        }
        let Some(first) = waiters.line.pop_front() else {
            self.n_collected.store(n_released, Ordering::Relaxed);
            // Release: the semaphore's invariant 4.
            self.word.fetch_sub(n_released - n_collected, Ordering::Release);
            return None;
        };
        self.n_collected.store(n_collected + 1, Ordering::Relaxed);
        self.clear_waiting(&waiters);
        waiters.grant(first)
    }

    /// The number of acquired permits, less those that may be collected.
    pub(super) fn n_in_use(&self) -> u64 {
        // Relaxed: a number for people to read. In this order, so that it never goes below zero.
        let n_collected = self.n_collected.load(Ordering::Relaxed);
        let n_released = self.released.load(Ordering::Relaxed);
        let n_acquired = self.word.load(Ordering::Relaxed) & ACQUIRED;
        n_acquired.saturating_sub(n_released.saturating_sub(n_collected))
    }
}

impl fmt::Debug for BatchRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRelease").field("semaphore", &self.semaphore).finish_non_exhaustive()
    }
}
