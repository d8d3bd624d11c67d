//! Demand in the low bits of a word, below its flags.
//!
//! Several parts keep what was requested and what happened to the stream in one atomic word, so
//! that one compare-exchange decides about both. The sum is the same in all of them and is written
//! here once.
//!
//! # Invariants
//!
//! 1. Demand saturates: a sum never carries into the flags, and all bits set is unbounded (rule
//!    3.17) and stays so.
//! 2. What a thread did before [`add`](PackedDemand::add) is seen by a thread that takes the demand
//!    with an acquire; a caller that is refused sees what was done before the flag was set.

use crate::sync::{AtomicU64, Ordering};

/// The bits of a word that hold demand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedDemand(u64);

/// What [`PackedDemand::add`] does to the flags.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// A word with one of these stays as it is.
    pub(crate) refuse: u64,
    pub(crate) clear: u64,
    pub(crate) set: u64,
}

impl PackedDemand {
    /// All bits below the lowest flag of a word.
    pub(crate) const fn below(lowest_flag: u64) -> Self {
        Self(lowest_flag - 1)
    }

    /// The demand in `word`, or `u64::MAX` if it is unbounded.
    #[inline(always)]
    pub(crate) const fn get(self, word: u64) -> u64 {
        let demand = word & self.0;
        if demand == self.0 { u64::MAX } else { demand }
    }

    /// Returns whether there is any demand in `word`.
    #[inline(always)]
    pub(crate) const fn is_any(self, word: u64) -> bool {
        word & self.0 != 0
    }

    /// `word` with `n` added to its demand.
    #[inline(always)]
    pub(crate) fn sum(self, word: u64, n: u64) -> u64 {
        (word & !self.0) | (word & self.0).saturating_add(n).min(self.0)
    }

    /// Adds `n` to the demand in `word` and changes its flags.
    ///
    /// # Errors
    ///
    /// The word, if it has a flag of `flags.refuse`. Otherwise returns what the word was before.
    #[inline]
    pub(crate) fn add(self, word: &AtomicU64, n: u64, flags: Flags) -> Result<u64, u64> {
        // Acquire, here and on failure: invariant 2, for a caller that is refused.
        let mut before = word.load(Ordering::Acquire);
        loop {
            if before & flags.refuse != 0 {
                return Err(before);
            }
            let next = (self.sum(before, n) & !flags.clear) | flags.set;
            // AcqRel: invariant 2, and the first caller sees what the last `take` left behind.
            match word.compare_exchange_weak(before, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(before),
                Err(current) => before = current,
            }
        }
    }
}
