//! What each partition may have of a limit.
//!
//! A partition's use is remembered for between one and two [`MEMORY`]s. What it used, up to what
//! is guaranteed to it, is reserved: others may have the limit less what is reserved for the rest.
//! So a partition that keeps coming finds its share free, whatever others do; one that stays away
//! lends it to them. The total is kept by permits of its own, so that this decides who comes first
//! and never how many there are.

use std::time::Duration;

use super::LimitConfig;

/// How long a use is remembered, at least.
const MEMORY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Partitions {
    limit: u64,
    parts: Vec<Part>,
    period_ends: Duration,
    is_changed: bool,
}

#[derive(Debug, Default)]
struct Part {
    share: f64,
    guaranteed: u64,
    /// The most that it wanted in this period and the last.
    wanted: [u64; 2],
    cap: u64,
}

impl Part {
    fn reserved(&self) -> u64 {
        self.guaranteed.min(self.wanted[0].max(self.wanted[1]))
    }
}

impl Partitions {
    /// One for each share, and one for all others, to whom nothing is guaranteed.
    pub(super) fn new(config: &LimitConfig, limit: u64) -> Self {
        let n = if config.partitions.is_empty() { 0 } else { config.partitions.len() + 1 };
        let parts = (0..n).map(|_| Part::default()).collect();
        let mut partitions = Self { limit, parts, period_ends: Duration::ZERO, is_changed: false };
        partitions.set_shares(config, Duration::ZERO);
        partitions.set_limit(limit);
        partitions
    }

    pub(super) fn set_shares(&mut self, config: &LimitConfig, now: Duration) {
        for (part, share) in self.parts.iter_mut().zip(&config.partitions) {
            part.share = share.share;
        }
        self.period_ends = now.saturating_add(MEMORY);
        self.is_changed = !self.parts.is_empty();
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn cap(&self, index: usize) -> u64 {
        self.parts[index].cap
    }

    pub(super) fn guaranteed(&self, index: usize) -> u64 {
        self.parts[index].guaranteed
    }

    /// A partition has, or would have, `n` in progress.
    pub(super) fn want(&mut self, index: usize, n: u64, now: Duration) {
        if now >= self.period_ends {
            self.period_ends = now.saturating_add(MEMORY);
            for part in &mut self.parts {
                part.wanted = [0, part.wanted[0]];
            }
            self.is_changed = true;
        }
        let part = &mut self.parts[index];
        let before = part.reserved();
        part.wanted[0] = part.wanted[0].max(n);
        self.is_changed |= part.reserved() != before;
    }

    /// Decides anew what each may have.
    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
        self.is_changed = false;
        for part in &mut self.parts {
            // A share is of use from one on; the total sees to it that there are no more than
            // there are.
            let guaranteed = (limit as f64 * part.share + 1e-9).floor();
            let least = f64::from(u8::from(part.share > 0.0));
            part.guaranteed = (guaranteed.max(least) as u64).min(limit);
        }
        let reserved: u64 = self.parts.iter().map(Part::reserved).sum();
        for part in &mut self.parts {
            let of_others = reserved - part.reserved();
            part.cap = limit.saturating_sub(of_others).max(part.guaranteed);
        }
    }
}
