//! `Latencies`: the latencies of an interval, for a quantile of them.

use std::time::Duration;

use crate::Random;

/// As many as are kept; of more, a fair sample.
const KEPT: usize = 1_024;

/// Latencies in seconds. Allocates once.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    kept: Vec<f64>,
    n: u64,
    random: Random,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { kept: Vec::new(), n: 0, random: Random::seeded(1) }
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        self.n += 1;
        if self.kept.len() < KEPT {
            if self.kept.capacity() == 0 {
                self.kept.reserve_exact(KEPT);
            }
            self.kept.push(latency.as_secs_f64());
            return;
        }
        // Vitter's algorithm R.
        let place = self.random.below(self.n) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = latency.as_secs_f64();
        }
    }

    pub(crate) fn n(&self) -> u64 {
        self.n
    }

    /// The smallest that is not less than a share `q` of them, and begins anew.
    pub(crate) fn take_quantile(&mut self, q: f64) -> Option<f64> {
        let n = self.kept.len();
        if n == 0 {
            return None;
        }
        let rank = ((n as f64 * q).ceil() as usize).clamp(1, n) - 1;
        let (_, quantile, _) = self.kept.select_nth_unstable_by(rank, f64::total_cmp);
        let quantile = *quantile;
        self.clear();
        Some(quantile)
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.n = 0;
    }
}
