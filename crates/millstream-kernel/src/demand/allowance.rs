//! Demand that is counted here and not passed on.
//!
//! Where a source gets unbounded demand, the downstream's demand has to be met by the part that
//! lets items through: each uses one unit, and without a unit none passes (rule 1.1).
//!
//! # Invariants
//!
//! 1. The units that were taken and not given back are at most those that were requested: both are
//!    read-modify-writes of one word. `u64::MAX` is unbounded and is not used up.
//! 2. The upstream is asked once, after the first request was counted.

use std::{fmt, sync::Arc};

use reactive_streams::Subscription;

use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Counts requests, and asks the upstream for a fixed number with the first.
pub struct Allowance {
    upstream: Arc<dyn Subscription>,
    /// What the first request asks of the upstream.
    opening: u64,
    is_open: AtomicBool,
    units: AtomicU64,
}

impl Allowance {
    /// No units. The first request asks `upstream` for `opening` items.
    #[must_use]
    pub fn new(upstream: Arc<dyn Subscription>, opening: u64) -> Self {
        Self { upstream, opening, is_open: AtomicBool::new(false), units: AtomicU64::new(0) }
    }

    /// Uses a unit, if there is one.
    #[must_use = "without a unit no item may pass"]
    pub fn take(&self) -> bool {
        self.change(|units| match units {
            0 => None,
            u64::MAX => Some(u64::MAX),
            units => Some(units - 1),
        })
    }

    /// A unit that was taken was not used.
    pub fn give_back(&self) {
        let _added = self.change(|units| Some(units.saturating_add(1)));
    }

    fn change(&self, next: impl Fn(u64) -> Option<u64>) -> bool {
        // AcqRel: what was done before a request happens before the item it lets through.
        self.units.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok()
    }
}

impl Subscription for Allowance {
    fn request(&self, n: u64) {
        if n == 0 {
            // For the upstream to answer (rule 3.9).
            return self.upstream.request(0);
        }
        let _added = self.change(|units| Some(units.saturating_add(n)));
        // Relaxed: only whether it was done before matters.
        if !self.is_open.swap(true, Ordering::Relaxed) {
            self.upstream.request(self.opening);
        }
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}

impl fmt::Debug for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowance").field("units", &self.units).finish_non_exhaustive()
    }
}
