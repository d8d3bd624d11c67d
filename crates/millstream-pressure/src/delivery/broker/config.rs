//! `BrokerConfig`: how long a delivery may take, and how often it is made.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "memory_broker";

/// How a [`MemoryBroker`](crate::MemoryBroker) is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BrokerConfig {
    /// After which time a delivery that is not settled is made again. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub visibility: Duration,
    /// The most deliveries of an item, after which it goes to the dead letters. Default: 5.
    pub max_attempts: u32,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self { visibility: Duration::from_secs(30), max_attempts: 5 }
    }
}

impl Settings for BrokerConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_some_time(POLICY, "visibility", self.visibility)?;
        InvalidSetting::unless_positive(POLICY, "max_attempts", u64::from(self.max_attempts))
    }
}
