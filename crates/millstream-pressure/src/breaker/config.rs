//! `BreakerConfig`: what a breaker looks at, when it opens, and how it closes again.

use std::time::Duration;

use millstream_kernel::BreakerWord;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "breaker";

/// The most results or buckets that a window has.
const MAX_WINDOW: usize = 1 << 20;

/// How a breaker is set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BreakerConfig {
    /// The results that count. Default: the last 100.
    pub window: BreakerWindow,
    /// It opens only after as many results in the window; a window of fewer needs to be full.
    /// Default: 100.
    pub min_calls: usize,
    /// It opens when this share of the results are failures; more than 0, at most 1. Default:
    /// 0.5.
    pub failure_rate: f64,
    /// It opens when this share of the results are slow; more than 0, at most 1. Default: 1.
    pub slow_rate: f64,
    /// A call that takes this long is slow. Default: 60 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub slow_call: Duration,
    /// How long it stays open the first time. Default: 60 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub open_for: Duration,
    /// How much longer it stays open each time that its probes failed. Default: 1, always as
    /// long.
    pub backoff: f64,
    /// The longest that it stays open. Default: 10 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_open_for: Duration,
    /// How many calls half-open lets pass, whose results decide. Default: 10.
    pub probes: u32,
    /// It opens again when the probes have not decided in this time. Default: 60 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub probe_timeout: Duration,
}

/// The results that a breaker looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BreakerWindow {
    /// The last ones, as many as this.
    Count(usize),
    /// Those of the present span of time and of the `buckets - 1` before it.
    Time {
        /// How many spans.
        buckets: usize,
        /// How long each is.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        bucket: Duration,
    },
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: BreakerWindow::Count(100),
            min_calls: 100,
            failure_rate: 0.5,
            slow_rate: 1.0,
            slow_call: Duration::from_secs(60),
            open_for: Duration::from_secs(60),
            backoff: 1.0,
            max_open_for: Duration::from_secs(600),
            probes: 10,
            probe_timeout: Duration::from_secs(60),
        }
    }
}

impl BreakerConfig {
    /// How long it stays open after its probes have failed `n_failed` times.
    pub(super) fn open_time(&self, n_failed: u32) -> Duration {
        let factor = self.backoff.powi(n_failed.min(1_000) as i32);
        let seconds = (self.open_for.as_secs_f64() * factor).min(self.max_open_for.as_secs_f64());
        // Exact where nothing is to be computed.
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(self.max_open_for);
        if factor == 1.0 { self.open_for } else { time.min(self.max_open_for) }
    }

    /// How many results it needs in the window.
    pub(super) fn enough(&self) -> usize {
        match self.window {
            BreakerWindow::Count(n) => self.min_calls.min(n),
            BreakerWindow::Time { .. } => self.min_calls,
        }
    }
}

impl Settings for BreakerConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let n = match self.window {
            BreakerWindow::Count(n) => n,
            BreakerWindow::Time { buckets, bucket } => {
                InvalidSetting::unless_some_time(POLICY, "window.bucket", bucket)?;
                buckets
            }
        };
        let is_valid = (1..=MAX_WINDOW).contains(&n);
        InvalidSetting::unless(is_valid, POLICY, "window", n, "from 1 to 2^20")?;
        InvalidSetting::unless_positive(POLICY, "min_calls", self.min_calls as u64)?;
        for (setting, rate) in [("failure_rate", self.failure_rate), ("slow_rate", self.slow_rate)]
        {
            let range = f64::MIN_POSITIVE..=1.0;
            let rule = "more than 0 and at most 1";
            InvalidSetting::unless_within(POLICY, setting, rate, range, rule)?;
        }
        InvalidSetting::unless_some_time(POLICY, "slow_call", self.slow_call)?;
        InvalidSetting::unless_some_time(POLICY, "open_for", self.open_for)?;
        let rule = "a number from 1 to 1000";
        InvalidSetting::unless_within(POLICY, "backoff", self.backoff, 1.0..=1_000.0, rule)?;
        let (longest, rule) = (self.max_open_for, "at least open_for");
        InvalidSetting::unless(longest >= self.open_for, POLICY, "max_open_for", longest, rule)?;
        let is_valid = (1..=BreakerWord::MAX_PROBES).contains(&u64::from(self.probes));
        InvalidSetting::unless(is_valid, POLICY, "probes", self.probes, "from 1 to 65535")?;
        InvalidSetting::unless_some_time(POLICY, "probe_timeout", self.probe_timeout)
    }
}
