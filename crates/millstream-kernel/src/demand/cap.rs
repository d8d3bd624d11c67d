//! An upper bound for the demand that passes.
//!
//! # Invariants
//!
//! 1. The sum of what was passed on and `left` is the bound, at all times.

use std::{fmt, sync::Arc};

use reactive_streams::Subscription;

use crate::sync::{AtomicU64, Ordering};

/// Passes requests on until `n` items were asked for in all.
pub struct Cap {
    upstream: Arc<dyn Subscription>,
    left: AtomicU64,
}

impl Cap {
    /// Lets requests for `n` items pass to `upstream`.
    #[must_use]
    pub fn new(upstream: Arc<dyn Subscription>, n: u64) -> Self {
        Self { upstream, left: AtomicU64::new(n) }
    }
}

impl Subscription for Cap {
    fn request(&self, n: u64) {
        if n == 0 {
            // For the upstream to answer (rule 3.9).
            return self.upstream.request(0);
        }
        // Relaxed: only the sum matters, nothing is published by it.
        let mut left = self.left.load(Ordering::Relaxed);
        while left != 0 {
            let taken = n.min(left);
            match self.left.compare_exchange_weak(
                left,
                left - taken,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return self.upstream.request(taken),
                Err(current) => left = current,
            }
        }
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}

impl fmt::Debug for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cap").field("left", &self.left).finish_non_exhaustive()
    }
}
