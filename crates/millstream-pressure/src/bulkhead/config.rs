//! `BulkheadConfig`: how much each key may have in progress.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "bulkhead";

/// How a bulkhead is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BulkheadConfig {
    /// The most calls of one key in progress. Default: 25.
    pub max_concurrent: u64,
    /// The most calls of one key that wait. Default: 25.
    pub max_waiting: usize,
    /// How long a call waits. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
    /// The most keys that have a compartment of their own; the others share one. Default: 100 000.
    pub max_keys: usize,
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        Self {
            max_concurrent: 25,
            max_waiting: 25,
            timeout: Duration::from_secs(1),
            max_keys: 100_000,
        }
    }
}

impl Settings for BulkheadConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let n = self.max_concurrent;
        let is_valid = (1..=1 << 32).contains(&n);
        InvalidSetting::unless(is_valid, POLICY, "max_concurrent", n, "from 1 to 2^32")?;
        InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)?;
        InvalidSetting::unless_positive(POLICY, "max_keys", self.max_keys as u64)
    }
}
