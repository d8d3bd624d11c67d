//! Reno: TCP's windows on calls.

use std::time::Duration;

use super::{POLICY, Rule, Sample, check_bounds};
use crate::InvalidSetting;

/// The least threshold (RFC 5681).
const LEAST_THRESHOLD: f64 = 2.0;
/// The longest time-out (RFC 6298).
const LONGEST: f64 = 60.0;

/// TCP Reno (RFC 5681) with the estimator of RFC 6298: slow start, avoidance, and one reaction to
/// all losses of a window.
///
/// Right where losses are explicit. A failure is a loss; a call that takes longer than the
/// estimated time-out is one that also begins slow start again, and its latency teaches the
/// estimator nothing (Karn). The window grows only while it is used (RFC 7661).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Reno {
    /// The window at first.
    pub initial: u64,
    /// The most.
    pub max: u64,
    /// Where slow start ends.
    pub threshold: u64,
    /// The least time-out.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub min_timeout: Duration,
}

impl Default for Reno {
    fn default() -> Self {
        Self { initial: 1, max: 1_000, threshold: 64, min_timeout: Duration::from_secs(1) }
    }
}

impl Reno {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_bounds(self.initial, 1, self.max)?;
        let is_enough = self.threshold >= 2;
        InvalidSetting::unless(is_enough, POLICY, "threshold", self.threshold, "at least 2")?;
        InvalidSetting::unless_some_time(POLICY, "min_timeout", self.min_timeout)
    }
}

#[derive(Clone, Debug)]
pub(super) struct State {
    config: Reno,
    window: f64,
    threshold: f64,
    /// Smoothed latency and its deviation; `None` before the first.
    estimate: Option<(f64, f64)>,
    /// What a time-out has made of it.
    backoff: f64,
    /// Losses of calls that began before this are those that were answered already.
    recovered: Duration,
    n_timeouts: u64,
}

impl State {
    pub(super) fn new(config: Reno) -> Self {
        Self {
            config,
            window: config.initial as f64,
            threshold: config.threshold as f64,
            estimate: None,
            backoff: 1.0,
            recovered: Duration::ZERO,
            n_timeouts: 0,
        }
    }

    fn timeout(&self) -> f64 {
        let least = self.config.min_timeout.as_secs_f64();
        let estimated = self.estimate.map_or(least, |(mean, deviation)| mean + 4.0 * deviation);
        (estimated.max(least) * self.backoff).min(LONGEST.max(least))
    }

    fn lose(&mut self, sample: &Sample, is_timeout: bool) {
        if sample.started() < self.recovered {
            return;
        }
        self.recovered = sample.now;
        self.threshold = (sample.in_flight as f64 / 2.0).max(LEAST_THRESHOLD);
        self.window = self.threshold;
        if is_timeout {
            self.window = 1.0;
            self.backoff = (self.backoff * 2.0).min(64.0);
            self.n_timeouts += 1;
        }
    }

    fn learn(&mut self, latency: f64) {
        self.backoff = 1.0;
        self.estimate = Some(match self.estimate {
            None => (latency, latency / 2.0),
            Some((mean, deviation)) => {
                let error = latency - mean;
                (mean + error / 8.0, deviation + (error.abs() - deviation) / 4.0)
            }
        });
    }
}

impl Rule for State {
    fn limit(&self) -> f64 {
        self.window
    }

    fn record(&mut self, sample: &Sample) {
        if !sample.is_measured() {
            return;
        }
        let latency = sample.latency.as_secs_f64();
        let is_timeout = latency > self.timeout();
        if is_timeout || sample.is_lost() {
            self.lose(sample, is_timeout);
        } else {
            self.learn(latency);
            if sample.in_flight as f64 >= self.window.floor() {
                let is_slow_start = self.window < self.threshold;
                self.window += if is_slow_start { 1.0 } else { 1.0 / self.window };
            }
        }
        self.window = self.window.clamp(1.0, self.config.max as f64);
    }

    fn readings(&self) -> Vec<(&'static str, f64)> {
        let is_slow_start = f64::from(u8::from(self.window < self.threshold));
        vec![
            ("window", self.window),
            ("threshold", self.threshold),
            ("is_slow_start", is_slow_start),
            ("timeout", self.timeout()),
            ("n_timeouts", self.n_timeouts as f64),
        ]
    }
}
