//! Gradient: the median latency beside the one at a low concurrency.

use std::time::Duration;

use super::{POLICY, Rule, Sample, check_bounds};
use crate::{InvalidSetting, Random, parts::Latencies};

/// A measurement of the lowest latency takes as many calls.
const N_MEASURED: u64 = 50;
/// After so many windows at the least limit, the lowest latency is measured again.
const N_AT_MIN: u32 = 5;
/// The measurement is this share later at most, so that nodes do not measure together.
const JITTER: f64 = 0.15;

/// Envoy's gradient controller.
///
/// It measures the latency without a queue by going down to `min` now and then, and is the best of
/// the public ones; while it measures, more is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Gradient {
    /// The least, at which it begins and measures.
    pub min: u64,
    /// The most.
    pub max: u64,
    /// How often the limit is set.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
    /// How often the lowest latency is measured.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub measure_every: Duration,
    /// How much more than the lowest latency is acceptable, as a share of it.
    pub buffer: f64,
}

impl Default for Gradient {
    fn default() -> Self {
        Self {
            min: 3,
            max: 1_000,
            interval: Duration::from_millis(100),
            measure_every: Duration::from_secs(60),
            buffer: 0.25,
        }
    }
}

impl Gradient {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.min, self.min, self.max)?;
        InvalidSetting::unless_some_time(POLICY, "interval", self.interval)?;
        let is_longer = self.measure_every > self.interval;
        let rule = "longer than interval";
        InvalidSetting::unless(is_longer, POLICY, "measure_every", self.measure_every, rule)?;
        InvalidSetting::unless_within(POLICY, "buffer", self.buffer, 0.0..=10.0, "from 0 to 10")
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Gradient,
    limit: f64,
    /// The latency without a queue; 0 before the first measurement.
    lowest: f64,
    /// What the limit was before the measurement that is going on.
    measuring: Option<f64>,
    /// Calls that began before this say nothing.
    epoch: Duration,
    next_interval: Duration,
    next_measurement: Duration,
    n_at_min: u32,
    latencies: Latencies,
    random: Random,
}

impl State {
    pub(super) fn new(config: Gradient) -> Self {
        Self {
            config,
            limit: config.min as f64,
            lowest: 0.0,
            measuring: Some(config.min as f64),
            epoch: Duration::ZERO,
            next_interval: Duration::ZERO,
            next_measurement: Duration::ZERO,
            n_at_min: 0,
            latencies: Latencies::new(),
            random: Random::seeded(1),
        }
    }

    fn measure(&mut self, now: Duration) {
        self.measuring = Some(self.limit);
        self.limit = self.config.min as f64;
        self.epoch = now;
        self.latencies.clear();
    }

    fn end_measurement(&mut self, before: f64, now: Duration) {
        let Some(lowest) = self.latencies.take_quantile(0.5) else { return };
        self.lowest = lowest;
        self.measuring = None;
        self.limit = before;
        self.n_at_min = 0;
        self.epoch = now;
        self.next_interval = now.saturating_add(self.config.interval);
        let jitter = 1.0 + JITTER * self.random.unit();
        self.next_measurement = now.saturating_add(self.config.measure_every.mul_f64(jitter));
    }

    fn update(&mut self) {
        let Some(latency) = self.latencies.take_quantile(0.5) else { return };
        let Gradient { min, max, buffer, .. } = self.config;
        let gradient = (self.lowest * (1.0 + buffer) / latency.max(1e-9)).clamp(0.5, 2.0);
        let limit = self.limit * gradient;
        self.limit = (limit + limit.sqrt()).max(min as f64).min(max as f64);
        self.n_at_min = if self.limit <= min as f64 { self.n_at_min + 1 } else { 0 };
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.limit
    }

    fn record(&mut self, sample: &Sample) {
        if !sample.is_measured() || sample.started() < self.epoch {
            return;
        }
        // A refusal comes sooner than an answer would have.
        if !sample.is_lost() {
            self.latencies.add(sample.latency);
        }
        let now = sample.now;
        if let Some(before) = self.measuring {
            if self.latencies.n() >= N_MEASURED {
                self.end_measurement(before, now);
            }
            return;
        }
        if now >= self.next_interval {
            self.next_interval = now.saturating_add(self.config.interval);
            self.update();
        }
        if now >= self.next_measurement || self.n_at_min >= N_AT_MIN {
            self.measure(now);
        }
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        let is_measuring = f64::from(u8::from(self.measuring.is_some()));
        vec![("lowest_latency", self.lowest), ("is_measuring", is_measuring)]
    }
}
