//! Batches from upstream, replenished after a share of them was consumed.
//!
//! The rule is Reactor's and RxJava's: after three quarters of a batch were consumed, ask for as many
//! again, so that the upstream is asked once for many items and is not kept waiting. Our deviation:
//! nothing is asked for before the downstream's first request.

use std::{error, fmt};

/// How a prefetching operator fills its queue, and how far the present batch is consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefetch {
    batch: u64,
    refill_at: u64,
    n_consumed: u64,
}

/// A batch of no items was asked for, or a refill that a batch never reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidPrefetch {
    /// The batch's size.
    pub batch: usize,
    /// How many consumed items ask for more.
    pub refill_at: usize,
}

impl Prefetch {
    /// Batches of `batch` items, refilled when three quarters of them were consumed.
    ///
    /// # Errors
    ///
    /// A `batch` of 0.
    pub fn new(batch: usize) -> Result<Self, InvalidPrefetch> {
        Self::with_refill(batch, batch - batch / 4)
    }

    /// Batches of `batch` items, refilled when `refill_at` of them were consumed.
    ///
    /// # Errors
    ///
    /// Unless `refill_at` lies in `1..=batch`.
    pub fn with_refill(batch: usize, refill_at: usize) -> Result<Self, InvalidPrefetch> {
        if refill_at == 0 || refill_at > batch {
            return Err(InvalidPrefetch { batch, refill_at });
        }
        Ok(Self { batch: batch as u64, refill_at: refill_at as u64, n_consumed: 0 })
    }

    /// The size of a batch: what to ask for at first.
    #[must_use]
    pub fn batch(&self) -> u64 {
        self.batch
    }

    /// Begins anew: a whole batch is to be asked for.
    pub fn restart(&mut self) {
        self.n_consumed = 0;
    }

    /// Counts `n` consumed items; what is to be asked for now, if anything.
    #[inline]
    pub fn consume(&mut self, n: u64) -> Option<u64> {
        self.n_consumed += n;
        if self.n_consumed < self.refill_at {
            return None;
        }
        Some(std::mem::take(&mut self.n_consumed))
    }
}

impl fmt::Display for InvalidPrefetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, refill_at } = self;
        if *batch == 0 {
            return f.write_str("a capacity of 0 would never let an item through: use at least 1");
        }
        write!(f, "refill_at ({refill_at}) must lie in 1..={batch} (batch)")
    }
}

impl error::Error for InvalidPrefetch {}
