//! A subscription that arrives later than the requests and cancels for it.
//!
//! # States
//!
//! ```text
//!   request ⟲ ┌─────────┐    set     ┌─────────┐   set   ┌─────┐ ⟲ request, cancel: passed on
//!             │ WAITING │ ─────────▶ │ SETTING │ ──────▶ │ SET │
//!             └─────────┘  (claim)   └─────────┘         └─────┘
//!   cancel, finish: CANCELED is added in every state, and kept; `set` then cancels what arrives.
//! ```
//!
//! # Invariants
//!
//! 1. The thread that adds SETTING has exclusive access to `slot` until it adds SET. Both bits
//!    stay.
//! 2. Once SET, `slot` holds a subscription and is only read.
//! 3. Demand that was added before SET is taken by the swap to SET, once; afterwards no demand is
//!    added to the word.
//! 4. Once CANCELED, nothing is passed on but the one cancel that added it.

use std::{fmt, sync::Arc};

use reactive_streams::Subscription;

use super::packed::{Flags, PackedDemand};
use crate::sync::{AtomicU64, Ordering, UnsafeCell};

const SETTING: u64 = 1 << 63;
const SET: u64 = 1 << 62;
const CANCELED: u64 = 1 << 61;
/// `request(0)` was called (rule 3.9).
const ILLEGAL: u64 = 1 << 60;
const DEMAND: PackedDemand = PackedDemand::below(ILLEGAL);

/// Stands for a subscription that is not there yet. The file's header has the rest.
pub struct Deferred {
    word: AtomicU64,
    slot: UnsafeCell<Option<Arc<dyn Subscription>>>,
}

// SAFETY: by invariants 1 and 2 the slot is written by one thread before the word is SET with a
// release, and read after it was seen SET with an acquire. What it holds is `Send` and `Sync`.
unsafe impl Sync for Deferred {}

impl Default for Deferred {
    fn default() -> Self {
        Self::new()
    }
}

impl Deferred {
    /// Waiting.
    #[must_use]
    pub fn new() -> Self {
        Self { word: AtomicU64::new(0), slot: UnsafeCell::new(None) }
    }

    /// The subscription has arrived: it gets the requests so far, or the cancel. A second one is
    /// canceled (rule 2.5).
    pub fn set(&self, subscription: Arc<dyn Subscription>) {
        // Relaxed: a claim, nothing is read behind it.
        if self.word.fetch_or(SETTING, Ordering::Relaxed) & SETTING != 0 {
            return subscription.cancel();
        }
        self.slot.with_mut(|slot| {
            // SAFETY: this thread added SETTING, so by invariant 1 nobody else looks at the slot.
            unsafe { *slot = Some(subscription) };
        });
        let mut before = self.word.load(Ordering::Relaxed);
        loop {
            let next = SETTING | SET | (before & CANCELED);
            // AcqRel: publishes the slot; sees what was done before the requests.
            match self.word.compare_exchange_weak(before, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(current) => before = current,
            }
        }
        let Some(subscription) = self.get(SET) else { return };
        if before & CANCELED != 0 {
            return subscription.cancel();
        }
        if before & ILLEGAL != 0 {
            return subscription.request(0);
        }
        if DEMAND.is_any(before) {
            subscription.request(DEMAND.get(before));
        }
    }

    /// Returns whether the subscription has arrived.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Relaxed) & SET != 0
    }

    /// Returns whether nothing has happened: no request, not even `request(0)`, no cancel and no
    /// subscription.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.word.load(Ordering::Relaxed) == 0
    }

    /// Returns whether there was a cancel, or a `request(0)` that was not passed on.
    #[inline]
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.word.load(Ordering::Relaxed) & (CANCELED | ILLEGAL) != 0
    }

    /// Returns whether there was a cancel.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.word.load(Ordering::Relaxed) & CANCELED != 0
    }

    /// The stream has ended: requests and cancels are ignored from now on (rule 2.4).
    pub fn finish(&self) {
        // AcqRel: ordered with the other read-modify-writes of the word.
        self.word.fetch_or(CANCELED, Ordering::AcqRel);
    }

    /// The subscription, if it is there.
    #[inline]
    fn get(&self, word: u64) -> Option<&Arc<dyn Subscription>> {
        if word & SET == 0 {
            return None;
        }
        self.slot.with(|slot| {
            // SAFETY: the word was seen SET with an acquire, so by invariant 2 the slot was written
            // before, and is only read from then on.
            unsafe { &*slot }.as_ref()
        })
    }
}

impl Subscription for Deferred {
    #[inline]
    fn request(&self, n: u64) {
        let set = if n == 0 { ILLEGAL } else { 0 };
        let flags = Flags { refuse: CANCELED | SET, clear: 0, set };
        // A word that refuses was acquired, so the slot is visible.
        if let Err(word) = DEMAND.add(&self.word, n, flags)
            && word & CANCELED == 0
            && let Some(subscription) = self.get(word)
        {
            subscription.request(n);
        }
    }

    #[inline]
    fn request_from_within(&self, n: u64) -> bool {
        // Acquire: the slot is visible once the word is SET.
        let word = self.word.load(Ordering::Acquire);
        word & CANCELED == 0 && self.get(word).is_some_and(|it| it.request_from_within(n))
    }

    fn cancel(&self) {
        // AcqRel: as in `request`.
        let word = self.word.fetch_or(CANCELED, Ordering::AcqRel);
        if word & CANCELED != 0 {
            return;
        }
        if let Some(subscription) = self.get(word) {
            subscription.cancel();
        }
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.word.load(Ordering::Relaxed) & SET != 0;
        f.debug_struct("Deferred").field("is_set", &is_set).finish_non_exhaustive()
    }
}
