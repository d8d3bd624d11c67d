//! Shared: samples of a while as one, so that one slow call is not a decision.

use std::time::Duration;

use super::Sample;

/// Windows with fewer samples say nothing.
const AT_LEAST: u64 = 10;

/// What a window has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The mean, in seconds.
    pub(super) latency: f64,
    /// The most at a time.
    pub(super) in_flight: u64,
    /// Whether one was lost.
    pub(super) is_lossy: bool,
}

/// Netflix's `WindowedLimit`, with the mean: a window of no time is each sample by itself.
#[derive(Clone, Debug)]
pub(super) struct Window {
    length: Duration,
    ends: Option<Duration>,
    sum: f64,
    n: u64,
    in_flight: u64,
    is_lossy: bool,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self { length, ends: None, sum: 0.0, n: 0, in_flight: 0, is_lossy: false }
    }

    /// Adds a sample; what the window has seen, if it ends with it.
    pub(super) fn add(&mut self, sample: &Sample) -> Option<Seen> {
        if !sample.is_measured() {
            return None;
        }
        let latency = sample.latency.as_secs_f64();
        if self.length.is_zero() {
            let in_flight = sample.in_flight;
            return Some(Seen { latency, in_flight, is_lossy: sample.is_lost() });
        }
        self.in_flight = self.in_flight.max(sample.in_flight);
        self.is_lossy |= sample.is_lost();
        // A refusal comes sooner than an answer would have.
        if !sample.is_lost() {
            self.sum += latency;
            self.n += 1;
        }
        let ends = *self.ends.get_or_insert(sample.now.saturating_add(self.length));
        if sample.now < ends {
            return None;
        }
        let seen = (self.n >= AT_LEAST || self.is_lossy).then(|| Seen {
            latency: if self.n > 0 { self.sum / self.n as f64 } else { latency },
            in_flight: self.in_flight,
            is_lossy: self.is_lossy,
        });
        let ends = Some(sample.now.saturating_add(self.length));
        *self = Self { ends, ..Self::new(self.length) };
        seen
    }
}
