//! `RetryConfig`: how often, how long apart, and how many of all calls.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "retry_budget";

/// How retries are set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RetryConfig {
    /// The most attempts of one call, the first included. Default: 3.
    pub max_attempts: u32,
    /// The longest wait before the first retry; twice as long before each other. Default: 100 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub base: Duration,
    /// The longest wait before any. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_delay: Duration,
    /// The most retries for each call in the window. Default: 0.2.
    pub ratio: f64,
    /// Retries a second that are allowed whatever the ratio says, so that a client with few calls
    /// can retry at all. Default: 1.
    pub min_per_second: f64,
    /// The time over which calls and retries are counted. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(100),
            max_delay: Duration::from_secs(10),
            ratio: 0.2,
            min_per_second: 1.0,
            window: Duration::from_secs(10),
        }
    }
}

impl RetryConfig {
    /// The longest wait before the `n`th retry, counted from 1.
    pub(super) fn longest(&self, n: u32) -> Duration {
        let factor = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max_delay)
    }

    /// How many retries so many calls allow.
    pub(super) fn allowed(&self, n_calls: u64) -> f64 {
        self.ratio * n_calls as f64 + self.min_per_second * self.window.as_secs_f64()
    }
}

impl Settings for RetryConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(POLICY, "max_attempts", u64::from(self.max_attempts))?;
        let (longest, rule) = (self.max_delay, "at least base");
        InvalidSetting::unless(longest >= self.base, POLICY, "max_delay", longest, rule)?;
        let rule = "a number from 0 to 100";
        InvalidSetting::unless_within(POLICY, "ratio", self.ratio, 0.0..=100.0, rule)?;
        let rule = "a number from 0 to 1e9";
        let per_second = self.min_per_second;
        InvalidSetting::unless_within(POLICY, "min_per_second", per_second, 0.0..=1e9, rule)?;
        InvalidSetting::unless_some_time(POLICY, "window", self.window)
    }
}
