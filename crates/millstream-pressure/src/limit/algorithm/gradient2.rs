//! Gradient2: a short mean latency beside a long one.

use std::time::Duration;

use super::{Rule, Sample, check_bounds, check_factor, check_share, window::Window};
use crate::InvalidSetting;

/// How many samples the long mean begins with, as a plain mean.
const WARMUP: u64 = 10;

/// Netflix's `Gradient2Limit`.
///
/// An overload that lasts becomes part of the long mean, so that the limit drifts up to its
/// ceiling; and it ignores failures. Here for those who know it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Gradient2 {
    /// The limit at first.
    pub initial: u64,
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// How much of a change is made at once.
    pub smoothing: f64,
    /// How many times the long mean is acceptable.
    pub tolerance: f64,
    /// How many samples the long mean goes over.
    pub long_window: u64,
    /// How many more than that are tried.
    pub queue: u64,
    /// The samples of so long count as one, by their mean; each by itself if 0.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
}

impl Default for Gradient2 {
    fn default() -> Self {
        Self {
            initial: 20,
            min: 20,
            max: 200,
            smoothing: 0.2,
            tolerance: 1.5,
            long_window: 600,
            queue: 4,
            window: Duration::from_secs(1),
        }
    }
}

impl Gradient2 {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, self.min, self.max)?;
        check_share("smoothing", self.smoothing)?;
        check_factor("tolerance", self.tolerance)?;
        InvalidSetting::unless_positive(super::POLICY, "long_window", self.long_window)
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Gradient2,
    limit: f64,
    /// The long mean.
    long: f64,
    n_samples: u64,
    window: Window,
}

impl State {
    pub(super) fn new(config: Gradient2) -> Self {
        let window = Window::new(config.window);
        Self { config, limit: config.initial as f64, long: 0.0, n_samples: 0, window }
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        let Some(seen) = self.window.add(sample) else { return };
        let Gradient2 { min, max, smoothing, tolerance, long_window, queue, .. } = self.config;
        let short = seen.latency.max(1e-9);
        self.n_samples += 1;
        let share = match self.n_samples {
            n if n <= WARMUP => 1.0 / n as f64,
            _ => 2.0 / (long_window as f64 + 1.0),
        };
        self.long += share * (short - self.long);
        // It recovers sooner from a long overload.
        if self.long / short > 2.0 {
            self.long *= 0.95;
        }
        if (seen.in_flight as f64) < self.limit / 2.0 {
            return;
        }
        let gradient = (tolerance * self.long / short).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + queue as f64;
        let limit = self.limit * (1.0 - smoothing) + wanted * smoothing;
        self.limit = limit.max(min as f64).min(max as f64);
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        vec![("long_latency", self.long)]
    }
}
