//! A counting semaphore whose permits bound a queue, and the tasks that wait for one.
//!
//! A producer acquires a permit before it pushes an item and [forgets](Permit::forget) it with the
//! push; the consumer [releases](Semaphore::release) it after the pop. A task that finds no permit
//! waits in line. A permit that is released while tasks wait is handed to the first of them, so
//! none is overtaken. Without waiters, acquiring and releasing are one read-modify-write each; the
//! lock is for waiting alone. A single consumer releases through a [`BatchRelease`], which costs
//! less.
//!
//! # States
//!
//! ```text
//!                acquire                                   wait
//!   ┌───────────┐ ──────▶ ┌───────────────┐ ──────▶ ┌────────────────┐ ⟲ release: handed on
//!   │ n < limit │         │   n = limit   │         │ n = limit,     │ ⟲ wait
//!   └───────────┘ ◀────── └───────────────┘ ◀────── │        WAITING │
//!                release        the last one leaves └────────────────┘
//!
//!   CLOSED is added in every state and stays: no permit is acquired or handed on afterwards.
//! ```
//!
//! # Invariants
//!
//! 1. The word's count is the number of acquired permits, at most the limit. It may exceed the
//!    permits in use by those that the batch release has counted and nobody has collected.
//! 2. WAITING is set exactly when a task is in line, except under the lock, which alone changes it;
//!    and then the count is the limit.
//! 3. A permit that is handed on stays counted; a waiting task that goes away with one releases it.
//! 4. What happened before a release is visible to the next holder: through the word's release and
//!    acquire, or through the lock.
//! 5. A task that looks and then waits misses nothing: it gets in line by a compare-exchange that
//!    fails if the word has changed since, under the lock that handing on and closing take as well.
//! 6. Wakers are user code: under the lock they are moved, and not cloned, woken or dropped.

mod release;
mod waiting;

use std::{fmt, sync::Arc, task::Waker};

use crossbeam_utils::CachePadded;

use self::waiting::{Waiter, Waiters};
pub use self::{
    release::BatchRelease,
    waiting::{Acquire, Closed},
};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// No more permits.
const CLOSED: u64 = 1 << 63;
/// Tasks are in line.
const WAITING: u64 = 1 << 62;
/// The bits of the count.
const ACQUIRED: u64 = WAITING - 1;

/// A bounded number of permits. The file's header has the rest.
pub struct Semaphore {
    word: AtomicU64,
    limit: u64,
    waiters: Mutex<Waiters>,
    /// How many permits the batch release has counted.
    released: CachePadded<AtomicU64>,
    /// How many of those were freed or handed on.
    n_collected: AtomicU64,
}

/// A permit. Dropping it releases it.
#[must_use = "dropping a permit releases it"]
pub struct Permit<'a>(&'a Semaphore);

/// Why no permit was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// All permits are in use.
    NoPermits,
    /// The semaphore is closed.
    Closed,
}

/// The semaphore was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquireError;

impl Semaphore {
    /// A semaphore with `limit` permits.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            word: AtomicU64::new(0),
            limit: limit as u64,
            waiters: Mutex::new(Waiters::default()),
            released: CachePadded::new(AtomicU64::new(0)),
            n_collected: AtomicU64::new(0),
        }
    }

    /// A semaphore with `limit` permits, and the releasing half for a single consumer.
    #[must_use]
    pub fn with_batch_release(limit: usize) -> (Arc<Self>, BatchRelease) {
        let semaphore = Arc::new(Self::new(limit));
        let release = BatchRelease::new(&semaphore);
        (semaphore, release)
    }

    /// Acquires a permit without waiting.
    ///
    /// # Errors
    ///
    /// `NoPermits` if all are in use, `Closed` after [`close`](Self::close).
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_acquire_raw().map(|()| Permit(self))
    }

    #[inline]
    fn try_acquire_raw(&self) -> Result<(), TryAcquireError> {
        loop {
            match self.try_acquire_counted() {
                // The batch release may have counted some.
                Err(TryAcquireError::NoPermits) if self.collect() => {}
                acquired => return acquired,
            }
        }
    }

    /// Acquires a permit that the word still has.
    #[inline]
    fn try_acquire_counted(&self) -> Result<(), TryAcquireError> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Err(TryAcquireError::Closed);
            }
            if word & ACQUIRED == self.limit {
                return Err(TryAcquireError::NoPermits);
            }
            // By invariant 2 nobody waits. Acquire: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(()),
                Err(current) => word = current,
            }
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    ///
    /// The semaphore is closed, now or while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it loses the task's place in line and no permit.
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire::new(Waiter::new(self))
    }

    /// Releases a [forgotten](Permit::forget) permit, or hands it to the first task in line.
    #[inline]
    pub fn release(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITING == 0 {
            // Release: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word - 1,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(current) => word = current,
            }
        }
        self.hand_on();
    }

    #[cold]
    fn hand_on(&self) {
        let waker = {
            let mut waiters = self.waiters.lock();
            match waiters.line.pop_front() {
                Some(first) => {
                    self.clear_waiting(&waiters);
                    waiters.grant(first)
                }
                None => {
                    // The last one left meanwhile. Release: invariant 4.
                    self.word.fetch_sub(1, Ordering::Release);
                    None
                }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Removes WAITING if nobody is left in line. The caller holds the lock.
    fn clear_waiting(&self, waiters: &Waiters) {
        if waiters.line.is_empty() {
            // Relaxed: the lock orders the line, and the count is not touched.
            self.word.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// Closes the semaphore and wakes all tasks that wait. Returns whether it was open.
    pub fn close(&self) -> bool {
        // AcqRel: what happened before is visible to a thread that finds the semaphore closed.
        if self.word.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED != 0 {
            return false;
        }
        let wakers: Vec<Waker> = {
            let mut waiters = self.waiters.lock();
            waiters.take_wakers()
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Returns whether the semaphore was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release in `close`.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Waits until the semaphore is closed.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub fn closed(&self) -> Closed<'_> {
        Closed::new(Waiter::new(self))
    }

    /// The number of permits in use.
    #[must_use]
    pub fn n_acquired(&self) -> usize {
        self.n_in_use() as usize
    }
}

impl Permit<'_> {
    /// Returns whether the semaphore was closed since.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Leaves the permit acquired. The consumer of the item that it stands for calls
    /// [`Semaphore::release`] or [`BatchRelease::release`].
    #[inline]
    #[expect(clippy::mem_forget, reason = "a reference, whose drop would release the permit")]
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPermits => "no permits are available",
            Self::Closed => "the semaphore is closed",
        })
    }
}

impl std::error::Error for TryAcquireError {}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore is closed")
    }
}

impl std::error::Error for AcquireError {}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("n_acquired", &self.n_acquired())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
