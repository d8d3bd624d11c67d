//! Demand that many threads add and one takes.
//!
//! # Invariants
//!
//! 1. Demand that was added is taken once: both are read-modify-writes of one word.
//! 2. Of the calls of `add`, one returns `true` for each `take` that is needed: the one that found
//!    nothing pending. While a `take` is promised, none does.

use super::packed::{Flags, PackedDemand};
use crate::sync::{AtomicU64, Ordering};

/// A `take` is on its way, without demand.
const PROMISED: u64 = 1 << 63;
const DEMAND: PackedDemand = PackedDemand::below(PROMISED);

/// A sum of requests on its way to its taker. From `2^63 - 1` on it is unbounded (rule 3.17):
/// `u64::MAX`.
#[derive(Debug)]
pub struct Pending(AtomicU64);

impl Default for Pending {
    fn default() -> Self {
        Self::new()
    }
}

impl Pending {
    /// Nothing is pending.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Nothing is pending, and the caller will `take`.
    #[must_use]
    pub fn promised() -> Self {
        Self(AtomicU64::new(PROMISED))
    }

    /// Adds `n`. Returns whether nothing was pending before, so that the caller has to see to a
    /// `take`.
    #[must_use = "the first to add has to see to a `take`"]
    pub fn add(&self, n: u64) -> bool {
        // Nothing is refused.
        DEMAND.add(&self.0, n, Flags { clear: PROMISED, ..Flags::default() }) == Ok(0)
    }

    /// Returns whether any demand is pending.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        // Acquire: pairs with `add`.
        DEMAND.is_any(self.0.load(Ordering::Acquire))
    }

    /// Takes all of it.
    pub fn take(&self) -> u64 {
        // AcqRel: pairs with `add`.
        DEMAND.get(self.0.swap(0, Ordering::AcqRel))
    }
}
