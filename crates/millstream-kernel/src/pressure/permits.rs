//! Permits whose number can change while they are held, and tasks that wait for them in order.
//!
//! A limit that shrinks takes nothing back: what is free becomes negative, and nothing is granted
//! until enough was released. A task that finds too little free waits in a line; what is released
//! while tasks wait goes to the first of them, so that none is overtaken, and wakes it alone.
//! Acquiring and releasing are one read-modify-write each while nobody waits; the lock is for
//! waiting, and for changing the limit.
//!
//! # States
//!
//! ```text
//!                 acquire n                           wait
//!   ┌───────────┐ ─────────▶ ┌───────────┐ ──────▶ ┌───────────┐ ⟲ release: to the first
//!   │ free >= n │            │ free < n  │         │ WAITING   │ ⟲ set_limit, wait
//!   └───────────┘ ◀───────── └───────────┘ ◀────── └───────────┘
//!                  release,                the last leaves
//!                  set_limit
//!
//!   CLOSED is added in every state, and kept: nothing is granted afterwards.
//! ```
//!
//! # Invariants
//!
//! 1. The word's number is the limit less what is held; it is negative while more is held than a
//!    new limit allows. Nothing is granted that it does not cover, so that what is held never grows
//!    beyond the limit.
//! 2. WAITING is set exactly when a task is in the line, except under the lock, under which alone
//!    it changes. While it is set, the number changes under the lock alone, and does not cover the
//!    first task.
//! 3. A task that was served holds what it waited for; one that goes away without having taken it
//!    releases it.
//! 4. What was done before a release is seen by the one to whom it is granted next: by the word's
//!    release and acquire, or by the lock.
//! 5. A task enters the line by a compare-exchange that fails if the word has changed since it
//!    looked, under the lock that serving and closing take as well: it misses nothing.
//! 6. Wakers are the user's code: under the lock they are moved, and not cloned, woken or dropped.

use std::{
    fmt,
    ops::Deref,
    task::{Context, Poll},
};

use super::waiters::{Served, Waiters};
use crate::sync::{AtomicU64, Mutex, Ordering};

/// Nothing more is granted.
const CLOSED: u64 = 1 << 63;
/// Tasks are in the line.
const WAITING: u64 = 1 << 62;
/// The bits of the number.
const NUMBER: u64 = WAITING - 1;
/// What the number is when nothing is free.
const NONE_FREE: u64 = 1 << 61;

/// A number of permits. The file's header has the rest.
pub struct Permits {
    word: AtomicU64,
    /// Changed under the lock.
    limit: AtomicU64,
    newest_first: bool,
    waiters: Mutex<Waiters>,
}

/// What became of an attempt to acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "what was granted has to be released"]
pub enum Acquired {
    /// The caller holds what it asked for.
    Granted,
    /// Too little is free, or others wait, or too many do.
    Refused,
    /// Nothing will be granted.
    Closed,
}

/// A task's stay in the line, which it leaves by the drop of this. Returned by [`Permits::wait`].
#[must_use = "nothing waits unless polled"]
pub struct Wait<P: Deref<Target = Permits>> {
    permits: P,
    weight: u64,
    at_most: usize,
    entry: Option<usize>,
}

impl Permits {
    /// The largest limit.
    pub const MAX: u64 = NONE_FREE / 2;

    /// `limit` permits, all free; those who wait longest are served first. More than
    /// [`MAX`](Self::MAX) is as much as that.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let limit = limit.min(Self::MAX);
        Self {
            word: AtomicU64::new(NONE_FREE + limit),
            limit: AtomicU64::new(limit),
            newest_first: false,
            waiters: Mutex::new(Waiters::default()),
        }
    }

    /// The same, but those who came last are served first.
    #[must_use]
    pub fn newest_first(limit: u64) -> Self {
        Self { newest_first: true, ..Self::new(limit) }
    }

    /// Acquires `weight`, if as much is free and nobody waits.
    #[inline]
    pub fn try_acquire(&self, weight: u64) -> Acquired {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            // By invariant 2, what is free while tasks wait is too little for the first of them.
            if word & (CLOSED | WAITING) != 0 || free(word) < weight as i64 {
                return if word & CLOSED != 0 { Acquired::Closed } else { Acquired::Refused };
            }
            // Acquire: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word - weight,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Acquired::Granted,
                Err(current) => word = current,
            }
        }
    }

    /// Gives back `weight` that was granted: it is free, or goes to those who wait.
    #[inline]
    pub fn release(&self, weight: u64) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITING == 0 {
            // Release: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word + weight,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(current) => word = current,
            }
        }
        self.change(|_| weight);
    }

    /// Changes how many permits there are. Nothing is taken back: after less was set, nothing is
    /// granted until enough was released. More than [`MAX`](Self::MAX) is as much as that.
    pub fn set_limit(&self, limit: u64) {
        let limit = limit.min(Self::MAX);
        self.change(|permits| {
            // Relaxed: written under the lock alone.
            let before = permits.limit.swap(limit, Ordering::Relaxed);
            limit.wrapping_sub(before)
        });
    }

    /// Adds to the number what `difference` says, and serves those whom it covers.
    #[cold]
    fn change(&self, difference: impl FnOnce(&Self) -> u64) {
        let mut served = Served::default();
        {
            let mut waiters = self.waiters.lock();
            // Release: invariant 4. The number has room for both signs, so that no flag changes.
            self.word.fetch_add(difference(self), Ordering::Release);
            self.serve(&mut waiters, &mut served);
        }
        served.wake();
    }

    /// Serves those at the front who are covered, and takes WAITING back after the last. The caller
    /// has the lock.
    fn serve(&self, waiters: &mut Waiters, served: &mut Served) {
        while let Some((index, weight)) = waiters.front() {
            // Acquire: invariant 4. By invariant 2 the number stays as it is.
            let word = self.word.load(Ordering::Acquire);
            if word & CLOSED != 0 || !self.covers(word, weight) {
                break;
            }
            self.word.fetch_sub(weight, Ordering::Relaxed);
            waiters.serve(index, served);
        }
        if waiters.is_empty() {
            // Relaxed: the lock orders the line, and the number is not touched.
            self.word.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// Whether a task at the front gets what it waits for. If that is more than the limit, which
    /// may have shrunk meanwhile, it gets it when it is alone, instead of never. The caller has the
    /// lock.
    fn covers(&self, word: u64, weight: u64) -> bool {
        let (free, limit) = (free(word), self.limit());
        free >= weight as i64 || (free > 0 && free == limit as i64)
    }

    /// Grants nothing more, and wakes everybody who waits. Returns whether it was open.
    pub fn close(&self) -> bool {
        // AcqRel: what was done before is seen by whoever finds it closed.
        if self.word.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED != 0 {
            return false;
        }
        let mut served = Served::default();
        self.waiters.lock().wake_all(&mut served);
        served.wake();
        true
    }

    /// Returns whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release in `close`.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// How many permits there are.
    #[inline]
    #[must_use]
    pub fn limit(&self) -> u64 {
        // Relaxed: a number by itself.
        self.limit.load(Ordering::Relaxed)
    }

    /// How much can be acquired now, if nobody waits.
    #[inline]
    #[must_use]
    pub fn available(&self) -> u64 {
        // Relaxed: a number by itself.
        u64::try_from(free(self.word.load(Ordering::Relaxed))).unwrap_or(0)
    }

    /// How much is held; while the limit is being changed, by as much more or less.
    #[inline]
    #[must_use]
    pub fn held(&self) -> u64 {
        // Relaxed: numbers by themselves.
        let free = free(self.word.load(Ordering::Relaxed));
        u64::try_from(self.limit() as i64 - free).unwrap_or(0)
    }

    /// The limit, what is held, and how many wait, at one moment.
    #[must_use]
    pub fn read(&self) -> (u64, u64, usize) {
        let waiters = self.waiters.lock();
        // Under the lock the limit stays; what is held may change, one way or the other.
        let limit = self.limit();
        let held = limit as i64 - free(self.word.load(Ordering::Acquire));
        (limit, u64::try_from(held).unwrap_or(0), waiters.len())
    }

    /// A task that waits for `weight`; for more than the limit, until it is alone.
    pub fn wait(&self, weight: u64) -> Wait<&Self> {
        Wait::new(self, weight)
    }

    /// Enters the line unless the word allows an answer. The caller has the lock.
    fn queue_up(&self, weight: u64, may_wait: bool) -> Acquired {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Acquired::Closed;
            }
            // The newest need not care for those who wait.
            let is_first = word & WAITING == 0 || self.newest_first;
            let is_covered = is_first && self.covers(word, weight);
            let (answer, next) = match is_covered {
                true => (Acquired::Granted, word - weight),
                false if !may_wait => return Acquired::Refused,
                false => (Acquired::Refused, word | WAITING),
            };
            // Acquire: invariant 4.
            match self.word.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return answer,
                Err(current) => word = current,
            }
        }
    }
}

#[inline]
fn free(word: u64) -> i64 {
    (word & NUMBER) as i64 - NONE_FREE as i64
}

impl<P: Deref<Target = Permits>> Wait<P> {
    /// A task that waits for `weight` of `permits`.
    pub fn new(permits: P, weight: u64) -> Self {
        Self { permits, weight, at_most: usize::MAX, entry: None }
    }

    /// Does not wait, but is refused, where as many as `n_waiting` wait already.
    pub fn at_most(mut self, n_waiting: usize) -> Self {
        self.at_most = n_waiting;
        self
    }

    /// Waits until it is granted or refused. Not to be polled after that.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Acquired> {
        if self.entry.is_none() {
            match self.permits.try_acquire(self.weight) {
                Acquired::Refused => {}
                answer => return Poll::Ready(answer),
            }
        }
        let mut waker = Some(cx.waker().clone());
        let mut removed = None;
        let mut waiters = self.permits.waiters.lock();
        let answer = match self.entry {
            None => {
                let may_wait = waiters.len() < self.at_most;
                match self.permits.queue_up(self.weight, may_wait) {
                    Acquired::Refused if may_wait => {
                        let at_front = self.permits.newest_first;
                        self.entry = Some(waiters.enter(waker.take(), self.weight, at_front));
                        Poll::Pending
                    }
                    answer => Poll::Ready(answer),
                }
            }
            Some(index) if waiters.is_served(index) => {
                removed = waiters.remove(index);
                self.entry = None;
                Poll::Ready(Acquired::Granted)
            }
            // Invariant 5: whoever closes wakes this task under the lock, after it has closed.
            Some(_) if self.permits.is_closed() => Poll::Ready(Acquired::Closed),
            Some(index) => {
                waiters.renew(index, &mut waker);
                Poll::Pending
            }
        };
        // Invariant 6: dropped after the lock.
        drop(waiters);
        drop((waker, removed));
        answer
    }
}

impl<P: Deref<Target = Permits>> Drop for Wait<P> {
    fn drop(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let mut served = Served::default();
        let removed = {
            let mut waiters = self.permits.waiters.lock();
            let was_served = waiters.is_served(index);
            let removed = waiters.remove(index);
            if was_served {
                // Invariant 3. Release: invariant 4.
                self.permits.word.fetch_add(self.weight, Ordering::Release);
            }
            // Those behind it may need less than it did.
            self.permits.serve(&mut waiters, &mut served);
            removed
        };
        drop(removed);
        served.wake();
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, held, n_waiting) = self.read();
        f.debug_struct("Permits")
            .field("limit", &limit)
            .field("held", &held)
            .field("n_waiting", &n_waiting)
            .finish_non_exhaustive()
    }
}

impl<P: Deref<Target = Permits>> fmt::Debug for Wait<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("weight", &self.weight).finish_non_exhaustive()
    }
}
