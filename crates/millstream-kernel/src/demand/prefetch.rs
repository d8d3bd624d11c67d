//! Batches from upstream, replenished after a share of them was consumed.
//!
//! The rule is Reactor's and RxJava's: after three quarters of a batch were consumed, ask for as
//! many again, so that the upstream is asked once for many items and is not kept waiting. Our
//! deviation: nothing is asked for before the downstream's first request.

use crate::Capacity;

/// How a prefetching operator fills its queue, and how far the present batch is consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefetch {
    batch: u64,
    refill_at: u64,
    n_consumed: u64,
}

impl Prefetch {
    /// Batches of `batch` items, refilled when three quarters of them were consumed.
    #[must_use]
    pub const fn new(batch: Capacity) -> Self {
        let batch = batch.get() as u64;
        Self { batch, refill_at: batch - batch / 4, n_consumed: 0 }
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
