//! `RateConfig`, `KeyedRateConfig`: rate and burst, and how many keys have their own.

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
