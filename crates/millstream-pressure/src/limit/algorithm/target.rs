//! Target: AIMD on a latency that is acceptable.

use std::time::Duration;

use super::{POLICY, Rule, Sample, check_bounds, check_share};
use crate::{InvalidSetting, parts::Latencies};

/// An interval needs as many calls, and lasts until there are.
const AT_LEAST: u64 = 5;

/// Additive increase, multiplicative decrease, by a quantile of the latency, once an interval.
///
/// Failures count as calls that took too long. The limit does not grow while it is not used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Target {
    /// The limit at first.
    pub initial: u64,
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// What is left of the limit when the latency is above the target.
    pub backoff: f64,
    /// The latency that is acceptable.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub latency: Duration,
    /// Of which share of the calls.
    pub quantile: f64,
    /// How often the limit is set.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            initial: 20,
            min: 1,
            max: 1_000,
            backoff: 0.9,
            latency: Duration::from_millis(100),
            quantile: 0.9,
            interval: Duration::from_millis(200),
        }
    }
}

impl Target {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, self.min, self.max)?;
        check_share("backoff", self.backoff)?;
        check_share("quantile", self.quantile)?;
        InvalidSetting::unless_some_time(POLICY, "latency", self.latency)?;
        InvalidSetting::unless_some_time(POLICY, "interval", self.interval)
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Target,
    limit: f64,
    ends: Option<Duration>,
    /// Calls that began before this were under another limit.
    since: Duration,
    in_flight: u64,
    latencies: Latencies,
    /// The last quantile.
    latency: f64,
}

impl State {
    pub(super) fn new(config: Target) -> Self {
        Self {
            config,
            limit: config.initial as f64,
            ends: None,
            since: Duration::ZERO,
            in_flight: 0,
            latencies: Latencies::new(),
            latency: 0.0,
        }
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        if !sample.is_measured() || sample.started() < self.since {
            return;
        }
        let Target { min, max, backoff, latency, quantile, interval, .. } = self.config;
        let is_lost = sample.is_lost();
        self.latencies.add(if is_lost { Duration::MAX } else { sample.latency });
        self.in_flight = self.in_flight.max(sample.in_flight);
        let now = sample.now;
        let ends = *self.ends.get_or_insert(now.saturating_add(interval));
        if now < ends || self.latencies.n() < AT_LEAST {
            return;
        }
        self.ends = Some(now.saturating_add(interval));
        let Some(measured) = self.latencies.take_quantile(quantile) else { return };
        self.latency = measured;
        if measured > latency.as_secs_f64() {
            self.limit *= backoff;
            // What is in progress was let in by the limit before: it is no reason to go down again.
            self.since = now;
        } else if self.in_flight as f64 >= 0.75 * self.limit.floor() {
            self.limit += 1.0;
        }
        self.in_flight = 0;
        self.limit = self.limit.max(min as f64).min(max as f64);
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        vec![("latency", self.latency)]
    }
}
