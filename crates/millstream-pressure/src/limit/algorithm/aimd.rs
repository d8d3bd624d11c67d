//! AIMD: one more while all goes well, a share less when a call fails or takes too long.

use std::time::Duration;

use super::{POLICY, Rule, Sample, check_bounds, check_share};
use crate::InvalidSetting;

/// Additive increase, multiplicative decrease, at each call (Netflix's `AIMDLimit`).
///
/// It protects only where the time-out is close to what is acceptable: below it, a queue grows
/// unseen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Aimd {
    /// The limit at first.
    pub initial: u64,
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// What is left of the limit after a loss.
    pub backoff: f64,
    /// A call that takes longer counts as lost.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
}

impl Default for Aimd {
    fn default() -> Self {
        Self { initial: 20, min: 20, max: 200, backoff: 0.9, timeout: Duration::from_secs(5) }
    }
}

impl Aimd {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, self.min, self.max)?;
        check_share("backoff", self.backoff)?;
        InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Aimd,
    limit: f64,
}

impl State {
    pub(super) fn new(config: Aimd) -> Self {
        Self { config, limit: config.initial as f64 }
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        if !sample.is_measured() {
            return;
        }
        let Aimd { min, max, backoff, timeout, .. } = self.config;
        if sample.is_lost() || sample.latency > timeout {
            self.limit = (self.limit * backoff).floor();
        } else if 2.0 * sample.in_flight as f64 >= self.limit {
            self.limit += 1.0;
        }
        self.limit = self.limit.max(min as f64).min(max as f64);
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
