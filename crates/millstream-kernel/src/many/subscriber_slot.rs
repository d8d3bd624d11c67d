//! One of many subscribers that a single driver serves: its demand, its cancel, and its arrival.
//!
//! A gate serves one subscriber. Where one source of items feeds many, such as the groups of a
//! flow, the driver holds the subscribers itself and signals them one at a time; what they ask for
//! reaches it through a slot each. A call that changes a quiet slot returns `true`, and its caller
//! rings for the driver; the driver takes all changes at once.
//!
//! # States
//!
//! ```text
//!            request, attach: rings           take
//!   ┌───────┐ ──────────────────────▶ ┌─────┐ ──────▶ QUIET
//!   │ QUIET │                         │ NEW │ ⟲ request, attach: nobody rings
//!   └───────┘ ◀────────────────────── └─────┘
//!                      take
//!   cancel: CANCELED is added in every state, and kept; the first one rings.
//! ```
//!
//! # Invariants
//!
//! 1. Demand that was requested is taken once, or is still there: both are read-modify-writes of
//!    one word. Demand saturates, and all its bits set is unbounded (rule 3.17).
//! 2. Of the calls that race for a quiet slot, one rings, after its change; so the driver has taken
//!    what is in the slot, or a ring for it is on its way.
//! 3. Once CANCELED, nothing is requested any more.
//! 4. A subscriber that is attached is in `place` until one caller of `take` or `attach` has it:
//!    `place` is changed under a lock, under which no user code is run or dropped.
//! 5. What happened before a request happens before its `take`, by release and acquire of the word.

use std::fmt;

use crate::{
    demand::packed::{Flags, PackedDemand},
    sync::{AtomicU64, Mutex, Ordering},
};

/// The subscriber canceled, or has ended.
const CANCELED: u64 = 1 << 63;
/// `request(0)` was called (rule 3.9).
const ILLEGAL: u64 = 1 << 62;
/// A subscriber is in its place.
const ATTACHED: u64 = 1 << 61;
const DEMAND: PackedDemand = PackedDemand::below(ATTACHED);

/// Between a subscriber `S` and the driver that serves it. The file's header has the rest.
pub struct SubscriberSlot<S> {
    word: AtomicU64,
    place: Mutex<Option<S>>,
}

/// What is new in a slot.
#[derive(Debug)]
#[must_use = "what was taken is nowhere else"]
pub struct Changes<S> {
    /// Items that were asked for; `u64::MAX` is without bound.
    pub demand: u64,
    /// No items at all were asked for (rule 3.9).
    pub is_illegal: bool,
    /// The subscriber, when it has come.
    pub subscriber: Option<S>,
}

impl<S> Default for SubscriberSlot<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> SubscriberSlot<S> {
    /// A quiet slot, without a subscriber.
    #[must_use]
    pub fn new() -> Self {
        Self { word: AtomicU64::new(0), place: Mutex::new(None) }
    }

    /// Adds demand: `QUIET → NEW`, `NEW → NEW`. Returns whether the caller has to ring.
    #[must_use = "the caller rings for the driver if this is `true`"]
    pub fn request(&self, n: u64) -> bool {
        let set = if n == 0 { ILLEGAL } else { 0 };
        DEMAND.add(&self.word, n, Flags { refuse: CANCELED, clear: 0, set }) == Ok(0)
    }

    /// Leaves the subscriber for the driver: `QUIET → NEW`, `NEW → NEW`. Returns whether the caller
    /// has to ring. A subscriber that has canceled is dropped.
    #[must_use = "the caller rings for the driver if this is `true`"]
    pub fn attach(&self, subscriber: S) -> bool {
        let former = self.place.lock().replace(subscriber);
        drop(former);
        // AcqRel: a thread that sees the flag finds the subscriber.
        let before = self.word.fetch_or(ATTACHED, Ordering::AcqRel);
        if before & CANCELED != 0 {
            drop(self.detach());
            return false;
        }
        before == 0
    }

    /// The subscriber cancels, or has ended: adds CANCELED. Returns whether the caller is the
    /// first, and has to ring.
    pub fn cancel(&self) -> bool {
        // AcqRel: as in `request`.
        self.word.fetch_or(CANCELED, Ordering::AcqRel) & CANCELED == 0
    }

    /// Returns whether the subscriber has canceled or ended.
    #[inline]
    pub fn is_canceled(&self) -> bool {
        // Acquire: pairs with the release in `cancel`.
        self.word.load(Ordering::Acquire) & CANCELED != 0
    }

    /// Takes what is new: `NEW → QUIET`. For the driver.
    #[inline]
    pub fn take(&self) -> Changes<S> {
        // Relaxed: what is missed is followed by a ring (invariant 2).
        if self.word.load(Ordering::Relaxed) & !CANCELED == 0 {
            return Changes { demand: 0, is_illegal: false, subscriber: None };
        }
        // AcqRel: invariant 5.
        let word = self.word.fetch_and(CANCELED, Ordering::AcqRel);
        let subscriber = if word & ATTACHED == 0 { None } else { self.detach() };
        Changes { demand: DEMAND.get(word), is_illegal: word & ILLEGAL != 0, subscriber }
    }

    fn detach(&self) -> Option<S> {
        self.place.lock().take()
    }
}

impl<S> fmt::Debug for SubscriberSlot<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_canceled = self.word.load(Ordering::Relaxed) & CANCELED != 0;
        f.debug_struct("SubscriberSlot").field("is_canceled", &is_canceled).finish_non_exhaustive()
    }
}
