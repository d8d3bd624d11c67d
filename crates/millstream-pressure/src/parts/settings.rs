//! `Settings`: configurations that can be checked, and what is said about those that are not valid.

use std::{error, fmt, time::Duration};

/// A policy's configuration: a plain struct with defaults.
pub trait Settings: Clone + Send + Sync + 'static {
    /// Checks each setting, and those that depend on each other.
    ///
    /// # Errors
    ///
    /// The first setting that is not valid, and what to set instead.
    fn validate(&self) -> Result<(), InvalidSetting>;
}

/// A setting that is not valid.
///
/// ```
/// use millstream_pressure::InvalidSetting;
///
/// let rule = "less than high_watermark";
/// let result = InvalidSetting::unless(0.9 < 0.8, "queue", "low_watermark", 0.9, rule);
/// let text = "queue: low_watermark is 0.9, but has to be less than high_watermark";
/// assert_eq!(result.unwrap_err().to_string(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    policy: &'static str,
    setting: &'static str,
    value: String,
    rule: &'static str,
}

impl InvalidSetting {
    /// An error unless `is_valid`: `setting` of `policy` is `value`, but has to be `rule`.
    ///
    /// # Errors
    ///
    /// If not `is_valid`.
    pub fn unless(
        is_valid: bool,
        policy: &'static str,
        setting: &'static str,
        value: impl fmt::Debug,
        rule: &'static str,
    ) -> Result<(), Self> {
        if is_valid {
            return Ok(());
        }
        Err(Self { policy, setting, value: format!("{value:?}"), rule })
    }

    /// An error unless `value` is at least 1.
    ///
    /// # Errors
    ///
    /// If `value` is 0.
    pub fn unless_positive(
        policy: &'static str,
        setting: &'static str,
        value: u64,
    ) -> Result<(), Self> {
        Self::unless(value > 0, policy, setting, value, "at least 1")
    }

    /// An error unless `value` is a number from `min` to `max`; NaN is not.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn unless_within(
        policy: &'static str,
        setting: &'static str,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
        rule: &'static str,
    ) -> Result<(), Self> {
        Self::unless(range.contains(&value), policy, setting, value, rule)
    }

    /// An error unless `value` is more than no time.
    ///
    /// # Errors
    ///
    /// If it is [`Duration::ZERO`].
    pub fn unless_some_time(
        policy: &'static str,
        setting: &'static str,
        value: Duration,
    ) -> Result<(), Self> {
        Self::unless(!value.is_zero(), policy, setting, value, "longer than 0")
    }

    /// The setting's name.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, setting, value, rule } = self;
        write!(f, "{policy}: {setting} is {value}, but has to be {rule}")
    }
}

impl error::Error for InvalidSetting {}
