//! `RateConfig`, `KeyedRateConfig` and `AdaptiveRateConfig`.

use std::time::Duration;

use millstream_kernel::Gcra;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "rate_limit";

/// How a rate limit is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RateConfig {
    /// Cells a second, from 10⁻⁶ to 10⁹. Default: 100.
    pub rate: f64,
    /// The most cells at once. Default: 10.
    pub burst: u64,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self { rate: 100.0, burst: 10 }
    }
}

impl Settings for RateConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let range = Gcra::MIN_RATE..=Gcra::MAX_RATE;
        let rule = "a number of cells a second from 1e-6 to 1e9";
        InvalidSetting::unless_within(POLICY, "rate", self.rate, range, rule)?;
        let is_valid = (1..=Gcra::MAX_BURST).contains(&self.burst);
        InvalidSetting::unless(is_valid, POLICY, "burst", self.burst, "from 1 to 2^48")
    }
}

/// How a rate limit for each key is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct KeyedRateConfig {
    /// Cells a second for each key, from 10⁻⁶ to 10⁹. Default: 100.
    pub rate: f64,
    /// The most cells at once for each key. Default: 10.
    pub burst: u64,
    /// The most keys that have a limit of their own; the others share one. Default: 100 000.
    pub max_keys: usize,
}

impl KeyedRateConfig {
    /// The limit of each key.
    #[must_use]
    pub fn each(&self) -> RateConfig {
        RateConfig { rate: self.rate, burst: self.burst }
    }
}

impl Default for KeyedRateConfig {
    fn default() -> Self {
        let RateConfig { rate, burst } = RateConfig::default();
        Self { rate, burst, max_keys: 100_000 }
    }
}

impl Settings for KeyedRateConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        self.each().validate()?;
        InvalidSetting::unless_positive(POLICY, "max_keys", self.max_keys as u64)
    }
}

/// How an adaptive rate is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct AdaptiveRateConfig {
    /// The least, a second. Default: 10.
    pub min: f64,
    /// The most, a second. Default: 1000.
    pub max: f64,
    /// The rate at first. Default: halfway between.
    pub initial: Option<f64>,
    /// The most calls at once. Default: 10.
    pub burst: u64,
    /// The latency that is acceptable. Default: 100 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub target: Duration,
    /// Of which share of the calls. Default: 0.9.
    pub quantile: f64,
    /// What is added to the rate when calls are fast, a second. Default: 10.
    pub step: f64,
    /// What is left of the rate when they are slow. Default: 0.9.
    pub backoff: f64,
    /// How often the rate is set; at least twice the latency, or the rate goes by calls of the rate
    /// before. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
    /// Calls that a decision needs; an interval lasts until there are. Default: 5.
    pub min_calls: u64,
}

impl Default for AdaptiveRateConfig {
    fn default() -> Self {
        Self {
            min: 10.0,
            max: 1_000.0,
            initial: None,
            burst: 10,
            target: Duration::from_millis(100),
            quantile: 0.9,
            step: 10.0,
            backoff: 0.9,
            interval: Duration::from_secs(1),
            min_calls: 5,
        }
    }
}

impl AdaptiveRateConfig {
    /// The rate at first.
    pub(super) fn initial(&self) -> f64 {
        self.initial.unwrap_or(f64::midpoint(self.min, self.max))
    }
}

impl Settings for AdaptiveRateConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        const POLICY: &str = "adaptive_rate";
        let &Self { min, max, burst, quantile, step, backoff, .. } = self;
        let within = InvalidSetting::unless_within;
        let rule = "a number a second from 1e-6 to 1e9";
        within(POLICY, "min", min, Gcra::MIN_RATE..=Gcra::MAX_RATE, rule)?;
        within(POLICY, "max", max, min..=Gcra::MAX_RATE, "from min to 1e9 a second")?;
        within(POLICY, "initial", self.initial(), min..=max, "from min to max")?;
        let is_valid = (1..=Gcra::MAX_BURST).contains(&burst);
        InvalidSetting::unless(is_valid, POLICY, "burst", burst, "from 1 to 2^48")?;
        InvalidSetting::unless_some_time(POLICY, "target", self.target)?;
        within(POLICY, "quantile", quantile, 0.0..=1.0, "a number from 0 to 1")?;
        let rule = "more than 0, a second";
        within(POLICY, "step", step, f64::MIN_POSITIVE..=Gcra::MAX_RATE, rule)?;
        let is_share = backoff > 0.0 && backoff < 1.0;
        let rule = "more than 0 and less than 1";
        InvalidSetting::unless(is_share, POLICY, "backoff", backoff, rule)?;
        let interval = self.interval;
        let rule = "at least as long as the target";
        InvalidSetting::unless(interval >= self.target, POLICY, "interval", interval, rule)?;
        InvalidSetting::unless_positive(POLICY, "min_calls", self.min_calls)
    }
}
