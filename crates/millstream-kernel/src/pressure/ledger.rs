//! What became of every item, counted by many threads and read by any.
//!
//! # States of an item
//!
//! ```text
//!          offer                deliver
//!   (none) ─────▶ ┌────────┐ ──────────▶ DELIVERED
//!                 │ QUEUED │
//!                 └────────┘ ──────────▶ DROPPED, for one of N reasons
//!                              discard
//! ```
//!
//! # Invariants
//!
//! 1. Every count only grows. An item is offered before it is delivered or dropped, on the same
//!    thread or on one to which it was handed over.
//! 2. A reading takes the offered items last, so that it never shows more that left than came: what
//!    is left over is queued, and offered = delivered + dropped + queued in each reading.
//! 3. Each count publishes what its thread did before. So a second collection sees at least all
//!    that came before what the first one saw; if it sees no more, the first one shows a moment:
//!    nothing is in it without what came before.
//! 4. Where each collection sees more than the one before, the last one is the reading. What left
//!    was read first, so that it shows all that had left when the reading began, and too many as
//!    queued by no more than those that came since.
//!
//! A moment in each reading would take a word that all of them share, or have those who count wait
//! for those who read: both cost each item something, so that neither is done. Who needs a moment
//! always counts and reads under a lock.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicU64, Ordering};

/// How often a reading is taken anew while others count.
const ATTEMPTS: usize = 64;

/// Counts for items and `N` reasons to drop one. The file's header has the rest.
#[derive(Debug)]
pub struct Ledger<const N: usize> {
    /// Written by those who bring items, the others by those who take them.
    offered: CachePadded<AtomicU64>,
    delivered: CachePadded<AtomicU64>,
    dropped: [AtomicU64; N],
}

/// What a [`Ledger`] said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerReading<const N: usize> {
    /// Items that came.
    pub offered: u64,
    /// Items that were passed on.
    pub delivered: u64,
    /// Items that were dropped, by reason.
    pub dropped: [u64; N],
}

impl<const N: usize> Ledger<N> {
    /// No items yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            offered: CachePadded::new(AtomicU64::new(0)),
            delivered: CachePadded::new(AtomicU64::new(0)),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// `(none) → QUEUED`, for `n` items.
    #[inline]
    pub fn offer(&self, n: u64) {
        // Release: invariant 3; pairs with the acquire in `collect`.
        self.offered.fetch_add(n, Ordering::Release);
    }

    /// `QUEUED → DELIVERED`, for `n` items.
    #[inline]
    pub fn deliver(&self, n: u64) {
        // Release: whoever sees these leave sees them come (invariant 2); pairs with the acquire in
        // `collect`.
        self.delivered.fetch_add(n, Ordering::Release);
    }

    /// `QUEUED → DROPPED`, for `n` items, for the reason with this index.
    ///
    /// # Panics
    ///
    /// If there is no such reason.
    #[inline]
    pub fn discard(&self, reason: usize, n: u64) {
        // Release: as above.
        self.dropped[reason].fetch_add(n, Ordering::Release);
    }

    /// The counts at one moment. If others keep counting all the while, those of the time that
    /// reading took, with those that came read last (invariant 4).
    #[must_use]
    pub fn read(&self) -> LedgerReading<N> {
        let mut reading = self.collect();
        for _ in 0..ATTEMPTS {
            let again = self.collect();
            if again == reading {
                return reading;
            }
            reading = again;
        }
        reading
    }

    fn collect(&self) -> LedgerReading<N> {
        // Acquire: pairs with the releases of those who count. Invariant 2: the offered ones last.
        let delivered = self.delivered.load(Ordering::Acquire);
        let dropped = std::array::from_fn(|reason| self.dropped[reason].load(Ordering::Acquire));
        let offered = self.offered.load(Ordering::Acquire);
        LedgerReading { offered, delivered, dropped }
    }
}

impl<const N: usize> Default for Ledger<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> LedgerReading<N> {
    /// Items that are neither delivered nor dropped.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.offered - self.delivered - self.dropped.iter().sum::<u64>()
    }
}
