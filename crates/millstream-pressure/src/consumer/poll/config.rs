//! `PollConfig`: how much a consumer polls.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "poll_sizer";

/// How a [`PollSizer`](crate::PollSizer) is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct PollConfig {
    /// How many items are worked on at a time. Default: 1.
    pub workers: u32,
    /// The most items in one poll. Default: 500.
    pub max: u64,
    /// The time in which what was polled has to be done: the broker's poll interval, visibility
    /// time-out or ack wait. Default: 5 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
    /// For how long the workers are kept supplied; longer than a poll takes. What is polled beyond
    /// that only waits here, where no other consumer can have it. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub ahead: Duration,
    /// The share of a time that is planned with, above 0 and at most 1. Default: 0.8.
    pub headroom: f64,
    /// Over how many service times the mean is taken. Default: 100.
    pub history: usize,
}

impl Default for PollConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            max: 500,
            interval: Duration::from_secs(300),
            ahead: Duration::from_secs(1),
            headroom: 0.8,
            history: 100,
        }
    }
}

impl Settings for PollConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(POLICY, "workers", self.workers.into())?;
        InvalidSetting::unless_positive(POLICY, "max", self.max)?;
        InvalidSetting::unless_some_time(POLICY, "interval", self.interval)?;
        InvalidSetting::unless_some_time(POLICY, "ahead", self.ahead)?;
        let is_valid = self.headroom > 0.0 && self.headroom <= 1.0;
        let rule = "above 0 and at most 1";
        InvalidSetting::unless(is_valid, POLICY, "headroom", self.headroom, rule)?;
        let is_valid = (1..=100_000).contains(&self.history);
        InvalidSetting::unless(is_valid, POLICY, "history", self.history, "from 1 to 100000")
    }
}
