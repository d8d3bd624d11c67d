//! A subscription that is replaced midway, with outstanding demand carried over.
//!
//! An operator that continues with another source (`concat`, `retry`) shows its downstream one
//! subscription, the arbiter, and gives it the sources' subscriptions one after the other. Requests
//! from outside take a short lock. Requests that come back from inside a signal do not: the
//! operator signals [`inside`](Voice::inside) the arbiter's reentry, and passes on what was noted
//! itself.
//!
//! # Invariants
//!
//! 1. `outstanding` is what was requested from outside, less what sources reported as produced
//!    beyond the requests they passed on themselves: what the present source still owes. `u64::MAX`
//!    stays.
//! 2. `current` is the source that owes it; `None` before the first, between two and after the
//!    last.
//! 3. Subscriptions are called, cloned or dropped last, never under the lock.

use std::{fmt, sync::Arc};

use reactive_streams::Subscription;

use crate::{gate::reentry::Reentry, sync::Mutex};

/// The downstream's subscription. The file's header has the rest.
pub struct Arbiter {
    reentry: Reentry,
    state: Mutex<State>,
}

/// The right to signal the downstream; there is one to an arbiter.
#[derive(Debug)]
pub struct Voice(Arc<Arbiter>);

#[derive(Default)]
struct State {
    outstanding: u64,
    is_illegal: bool,
    is_canceled: bool,
    current: Option<Arc<dyn Subscription>>,
}

/// What the downstream did with its subscription while it was signaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the caller passes it on"]
pub struct Inside {
    /// Items asked for, to be asked of the present source.
    pub requested: u64,
    /// No items were asked for, which is an error (rule 3.9).
    pub is_illegal: bool,
    /// The stream was canceled.
    pub is_canceled: bool,
}

impl Arbiter {
    /// No source yet. The voice gives the [arbiter](Voice::arbiter) itself.
    #[must_use]
    #[expect(clippy::new_ret_no_self, reason = "an arbiter is reached through its one voice")]
    pub fn new() -> Voice {
        Voice(Arc::new(Self { reentry: Reentry::new(), state: Mutex::new(State::default()) }))
    }

    /// Returns whether the downstream has canceled.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.state.lock().is_canceled
    }

    /// Switches to the next source, which gets the outstanding demand or the cancel.
    pub fn set(&self, next: &Arc<dyn Subscription>) {
        let (outstanding, is_illegal) = {
            let mut state = self.state.lock();
            if state.is_canceled {
                drop(state);
                return next.cancel();
            }
            state.current = Some(Arc::clone(next));
            (state.outstanding, state.is_illegal)
        };
        if is_illegal {
            next.request(0);
        } else if outstanding > 0 {
            next.request(outstanding);
        }
    }

    /// The present source is at its end, after it was asked from inside for `requested` items and
    /// has delivered `produced`.
    pub fn unset(&self, requested: u64, produced: u64) {
        let current = {
            let mut state = self.state.lock();
            let sum = state.outstanding.saturating_add(requested);
            state.outstanding = if sum == u64::MAX { sum } else { sum.saturating_sub(produced) };
            state.current.take()
        };
        drop(current);
    }
}

impl Voice {
    /// The subscription for the downstream.
    #[must_use]
    pub fn arbiter(&self) -> &Arc<Arbiter> {
        &self.0
    }

    /// Signals the downstream, and tells what it did with its subscription meanwhile.
    #[inline]
    pub fn inside<R>(&mut self, signal: impl FnOnce() -> R) -> (R, Inside) {
        struct Leave<'a>(&'a Reentry);
        impl Drop for Leave<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.leave();
            }
        }
        let Arbiter { reentry, state } = &*self.0;
        reentry.enter();
        let leave = Leave(reentry);
        let result = signal();
        // SAFETY: this thread is inside, and no other one enters, because there is one voice to an
        // arbiter, and it is borrowed mutably here.
        let notes = unsafe { reentry.take() };
        drop(leave);
        if notes.canceled {
            state.lock().is_canceled = true;
        }
        let inside = Inside {
            requested: notes.requested,
            is_illegal: notes.illegal,
            is_canceled: notes.canceled,
        };
        (result, inside)
    }
}

impl Subscription for Arbiter {
    #[inline]
    fn request(&self, n: u64) {
        if self.reentry.request(n) {
            return;
        }
        let current = {
            let mut state = self.state.lock();
            if state.is_canceled {
                return;
            }
            state.outstanding = state.outstanding.saturating_add(n);
            state.is_illegal |= n == 0;
            state.current.clone()
        };
        if let Some(current) = current {
            current.request(n);
        }
    }

    fn cancel(&self) {
        if self.reentry.cancel() {
            return;
        }
        let current = {
            let mut state = self.state.lock();
            state.is_canceled = true;
            state.current.take()
        };
        if let Some(current) = current {
            current.cancel();
        }
    }
}

impl fmt::Debug for Arbiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arbiter").finish_non_exhaustive()
    }
}
