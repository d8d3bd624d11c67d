//! `LagConfig`: how far behind is too far.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "lag";

/// How a [`Lag`](crate::Lag) is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct LagConfig {
    /// The lag that is full pressure, in items. Default: 10,000.
    pub max_lag: u64,
    /// The age of the oldest item that is full pressure. Default: 1 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_age: Duration,
    /// Over how long rates and the trend are measured. Default: 1 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
    /// For how long a lag that grows is continued: the pressure is that of the lag there will be.
    /// Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub horizon: Duration,
    /// After how long without a report nothing is known any more. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub stale_after: Duration,
    /// From this pressure on the system is busy. Default: 0.8.
    pub busy_above: f64,
    /// It is busy until the pressure has fallen to this. Default: 0.5.
    pub busy_below: f64,
}

impl Default for LagConfig {
    fn default() -> Self {
        Self {
            max_lag: 10_000,
            max_age: Duration::from_secs(60),
            window: Duration::from_secs(60),
            horizon: Duration::from_secs(30),
            stale_after: Duration::from_secs(30),
            busy_above: 0.8,
            busy_below: 0.5,
        }
    }
}

impl Settings for LagConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { busy_above, busy_below, .. } = self;
        InvalidSetting::unless_positive(POLICY, "max_lag", self.max_lag)?;
        InvalidSetting::unless_some_time(POLICY, "max_age", self.max_age)?;
        InvalidSetting::unless_some_time(POLICY, "window", self.window)?;
        InvalidSetting::unless_some_time(POLICY, "stale_after", self.stale_after)?;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(POLICY, "busy_above", busy_above, 0.0..=1.0, rule)?;
        let is_valid = (0.0..busy_above).contains(&busy_below);
        let rule = "from 0 to less than busy_above";
        InvalidSetting::unless(is_valid, POLICY, "busy_below", busy_below, rule)
    }
}
