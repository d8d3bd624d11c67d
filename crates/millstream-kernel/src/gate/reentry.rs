//! Catches the calls that come back from inside a signal.
//!
//! A subscriber that asks for one item at a time calls `request(1)` from inside `on_next`: the
//! thread that emits is the thread that asks. Such a call needs no shared memory. The emitter
//! enters the reentry before it signals; while it is inside, a call from the same thread is noted
//! in plain memory, which the emitter reads when the signal has returned; a call from another
//! thread is not, and has to take the shared way.
//!
//! # States
//!
//! ```text
//!              enter                       request, cancel, wake, ring (same thread)
//!   ┌───────┐ ─────────▶ ┌───────────────┐ ◀──┐
//!   │ EMPTY │            │ OWNED(thread) │ ───┘
//!   └───────┘ ◀───────── └───────────────┘
//!              leave
//! ```
//!
//! # Invariants
//!
//! 1. Between `enter` and `leave` one thread is the owner, and `owner` holds its token; otherwise
//!    it holds 0. The caller of `enter` has exclusive access to whatever the reentry guards.
//! 2. `notes` and `rung` are touched by the owner alone. A thread that reads its own token from
//!    `owner` is the owner: it stored the token itself, and had it left since, it would have stored
//!    0 later, which coherence does not let it miss. So `owner` needs no ordering.
//! 3. One owner's notes happen before the next owner's, because the exclusive access of invariant 1
//!    is handed on with a release and an acquire.

use std::{fmt, mem};

use crate::sync::{AtomicUsize, Ordering, UnsafeCell, thread_token};

/// A place for the notes of re-entrant calls. The file's header has the rest.
pub(crate) struct Reentry {
    /// The token of the thread inside, or 0.
    owner: AtomicUsize,
    notes: UnsafeCell<Notes>,
    /// What rang, a bit for each number; belongs to the notes, and is seldom looked at.
    rung: UnsafeCell<u64>,
}

/// What was noted since the last [`Reentry::take`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    /// Items asked for; saturates.
    pub(crate) requested: u64,
    /// Something of the following was noted.
    pub(crate) urgent: bool,
    /// The stream was canceled.
    pub(crate) canceled: bool,
    /// No items at all were asked for (rule 3.9).
    pub(crate) illegal: bool,
    /// There may be something to do.
    pub(crate) woken: bool,
}

impl Notes {
    /// Takes field by field: the processor hands a number that was just stored to a load of the
    /// same size at once, and lets a load of all of them wait until it is in the cache.
    #[inline(always)]
    fn take(&mut self) -> Self {
        let requested = mem::take(&mut self.requested);
        if !(self.urgent | self.woken) {
            return Self { requested, ..Self::default() };
        }
        let others = Self { requested, ..*self };
        *self = Self::default();
        others
    }

    #[inline(always)]
    fn is_empty(self) -> bool {
        self.requested == 0 && !(self.urgent | self.canceled | self.illegal | self.woken)
    }
}

// SAFETY: by invariant 2 `notes` is touched by one thread at a time, and it holds plain numbers.
unsafe impl Sync for Reentry {}

impl Reentry {
    /// An empty reentry.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            owner: AtomicUsize::new(0),
            notes: UnsafeCell::new(Notes::default()),
            rung: UnsafeCell::new(0),
        }
    }

    /// `EMPTY → OWNED`. The caller has exclusive access to what the reentry guards.
    #[inline(always)]
    pub(crate) fn enter(&self) {
        // Relaxed: invariant 2.
        self.owner.store(thread_token(), Ordering::Relaxed);
    }

    /// `OWNED → EMPTY`. Only the owner may call this.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        // Relaxed: invariant 2.
        self.owner.store(0, Ordering::Relaxed);
    }

    /// Whether the calling thread is inside.
    #[inline(always)]
    pub(crate) fn is_inside(&self) -> bool {
        // Relaxed: invariant 2.
        self.owner.load(Ordering::Relaxed) == thread_token()
    }

    /// Notes a request, if the caller is inside.
    #[inline(always)]
    #[must_use = "a request that was not noted has to go the shared way"]
    pub(crate) fn request(&self, n: u64) -> bool {
        self.note(|notes| {
            notes.requested = notes.requested.saturating_add(n);
            if n == 0 {
                notes.illegal = true;
                notes.urgent = true;
            }
        })
    }

    /// Notes a cancel, if the caller is inside.
    #[inline(always)]
    #[must_use = "a cancel that was not noted has to go the shared way"]
    pub(crate) fn cancel(&self) -> bool {
        self.note(|notes| {
            notes.canceled = true;
            notes.urgent = true;
        })
    }

    /// Notes that there may be something to do, if the caller is inside.
    #[inline(always)]
    #[must_use = "a wake-up that was not noted has to go the shared way"]
    pub(crate) fn wake(&self) -> bool {
        self.note(|notes| notes.woken = true)
    }

    /// Notes that `index` rang, if the caller is inside and the number is small.
    #[inline(always)]
    #[must_use = "a bell that was not noted has to go the shared way"]
    pub(crate) fn ring(&self, index: usize) -> bool {
        let is_noted = index < u64::BITS as usize && self.wake();
        if is_noted {
            // SAFETY: the caller is the owner, so by invariant 2 nobody else touches what rang.
            self.rung.with_mut(|rung| unsafe { *rung |= 1 << index });
        }
        is_noted
    }

    /// Notes that those of `indices` rang. The caller is inside.
    pub(crate) fn note_rung(&self, indices: u64) {
        if self.wake() {
            // SAFETY: the caller is the owner, so by invariant 2 nobody else touches what rang.
            self.rung.with_mut(|rung| unsafe { *rung |= indices });
        }
    }

    #[inline(always)]
    fn note(&self, write: impl FnOnce(&mut Notes)) -> bool {
        let is_inside = self.is_inside();
        if is_inside {
            // SAFETY: the caller is the owner, so by invariant 2 nobody else touches the notes, and
            // no reference into them outlives this closure.
            self.notes.with_mut(|notes| write(unsafe { &mut *notes }));
        }
        is_inside
    }

    /// Takes the notes. The caller is the owner, or holds the exclusive access of invariant 1.
    ///
    /// # Safety
    ///
    /// - No other thread is inside, or enters meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> Notes {
        self.notes.with_mut(|notes| {
            // SAFETY: by the caller's promise and invariant 2 nobody else touches the notes.
            unsafe { &mut *notes }.take()
        })
    }

    /// [`take`](Self::take) for a reentry that other threads look at all the time: stores only if
    /// something was noted, so that the cache line stays with those who read it.
    ///
    /// # Safety
    ///
    /// - No other thread is inside, or enters meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn take_noted(&self) -> Notes {
        self.notes.with_mut(|notes| {
            // SAFETY: by the caller's promise and invariant 2 nobody else touches the notes.
            let notes = unsafe { &mut *notes };
            if notes.is_empty() { Notes::default() } else { notes.take() }
        })
    }

    /// Takes what rang.
    ///
    /// # Safety
    ///
    /// - No other thread is inside, or enters meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn take_rung(&self) -> u64 {
        self.rung.with_mut(|rung| {
            // SAFETY: by the caller's promise and invariant 2 nobody else touches what rang.
            mem::take(unsafe { &mut *rung })
        })
    }

    /// Whether nothing was noted.
    ///
    /// # Safety
    ///
    /// - No other thread is inside, or enters meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn is_quiet(&self) -> bool {
        self.notes.with(|notes| {
            // SAFETY: by the caller's promise and invariant 2 nobody else touches the notes.
            unsafe { &*notes }.is_empty()
        })
    }

    /// Whether something urgent was noted.
    ///
    /// # Safety
    ///
    /// - No other thread is inside, or enters meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn is_urgent(&self) -> bool {
        self.notes.with(|notes| {
            // SAFETY: by the caller's promise and invariant 2 nobody else touches the notes.
            unsafe { &*notes }.urgent
        })
    }
}

impl fmt::Debug for Reentry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_owned = self.owner.load(Ordering::Relaxed) != 0;
        f.debug_struct("Reentry").field("is_owned", &is_owned).finish_non_exhaustive()
    }
}
