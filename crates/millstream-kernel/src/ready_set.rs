//! Which of many tasks were woken.
//!
//! A bit for each task: waking sets it, the driver takes all of them. Waking allocates nothing, needs
//! no queue, and waking twice is waking once.
//!
//! # Invariants
//!
//! 1. A bit that was set is taken once or is still set: both are read-modify-writes.
//! 2. What was done before `set` is seen after the `take` that got the bit.

use crate::sync::{AtomicU64, Ordering};

/// A set of numbers below a bound. Set from anywhere, taken by one.
#[derive(Debug)]
pub struct ReadySet(Box<[AtomicU64]>);

impl ReadySet {
    /// An empty set for the numbers below `bound`.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self((0..bound.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Adds `index`.
    ///
    /// # Panics
    ///
    /// If `index` is not below the bound, rounded up to a multiple of 64.
    pub fn set(&self, index: usize) {
        // AcqRel: invariant 2.
        self.0[index / 64].fetch_or(1 << (index % 64), Ordering::AcqRel);
    }

    /// Takes everything out, in ascending order.
    pub fn take(&self, mut f: impl FnMut(usize)) {
        for (block, word) in self.0.iter().enumerate() {
            // Relaxed: a bit that is missed is followed by a wake-up of whoever takes.
            if word.load(Ordering::Relaxed) == 0 {
                continue;
            }
            // AcqRel: invariant 2.
            let mut bits = word.swap(0, Ordering::AcqRel);
            while bits != 0 {
                f(block * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
        }
    }
}
