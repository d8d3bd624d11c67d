//! `Spans`: counts of the last while, by spans of time that are left behind one after the other.

use std::time::Duration;

/// `N` counts over the present span of time and those before it, with their totals kept as they
/// come and go.
#[derive(Debug)]
pub(crate) struct Spans<const N: usize> {
    ring: Vec<[u64; N]>,
    /// The place of the present span.
    at: usize,
    length: Duration,
    /// The number of the present span.
    present: u128,
    total: [u64; N],
}

impl<const N: usize> Spans<N> {
    /// `n` spans, at least one, of `length` each, which is more than no time.
    pub(crate) fn new(n: usize, length: Duration, now: Duration) -> Self {
        let length = length.max(Duration::from_nanos(1));
        let present = number(now, length);
        Self { ring: vec![[0; N]; n.max(1)], at: 0, length, present, total: [0; N] }
    }

    /// Adds to the present span.
    pub(crate) fn add(&mut self, counts: [u64; N], now: Duration) {
        self.advance(now);
        for (i, n) in counts.into_iter().enumerate() {
            self.ring[self.at][i] += n;
            self.total[i] += n;
        }
    }

    /// What there is in all spans.
    pub(crate) fn total(&mut self, now: Duration) -> [u64; N] {
        self.advance(now);
        self.total
    }

    /// Leaves spans behind whose time has passed. A clock that was set back stays in the present
    /// one.
    fn advance(&mut self, now: Duration) {
        let next = number(now, self.length);
        let n_passed = next.saturating_sub(self.present).min(self.ring.len() as u128);
        self.present = self.present.max(next);
        for _ in 0..n_passed {
            self.at = (self.at + 1) % self.ring.len();
            let left = std::mem::replace(&mut self.ring[self.at], [0; N]);
            for (total, n) in self.total.iter_mut().zip(left) {
                *total -= n;
            }
        }
    }
}

fn number(now: Duration, length: Duration) -> u128 {
    now.as_nanos() / length.as_nanos()
}
