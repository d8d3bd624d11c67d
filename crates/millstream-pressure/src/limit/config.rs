//! The configuration of a concurrency limit.

use std::time::Duration;

use super::Algorithm;
use crate::{InvalidSetting, Settings};

const POLICY: &str = "limit";

/// What can be set of a [`ConcurrencyLimit`](super::ConcurrencyLimit).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct LimitConfig {
    /// How the limit is found.
    pub algorithm: Algorithm,
    /// How long [`acquire`](super::ConcurrencyLimit::acquire) waits.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
    /// How many may wait, in each partition; of 0, nobody waits.
    pub backlog: usize,
    /// Whether those who came last are served first: under overload they are the ones who still
    /// have time. Cannot be changed later.
    pub newest_first: bool,
    /// Who has a guaranteed share. Their names cannot be changed later.
    pub partitions: Vec<Share>,
}

/// A partition's share of a limit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Share {
    /// Its name.
    pub name: String,
    /// What is guaranteed to it, from 0 to 1; all together, at most 1.
    pub share: f64,
}

impl Share {
    /// The share of the partition with this name.
    pub fn new(name: impl Into<String>, share: f64) -> Self {
        Self { name: name.into(), share }
    }
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            timeout: Duration::from_secs(1),
            backlog: 100,
            newest_first: false,
            partitions: Vec::new(),
        }
    }
}

impl Settings for LimitConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        self.algorithm.validate()?;
        InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)?;
        let mut total = 0.0;
        for (index, Share { name, share }) in self.partitions.iter().enumerate() {
            let rule = "from 0 to 1";
            InvalidSetting::unless_within(POLICY, "partitions.share", *share, 0.0..=1.0, rule)?;
            let is_new = self.partitions[..index].iter().all(|other| other.name != *name);
            let rule = "a name that no other has";
            InvalidSetting::unless(is_new, POLICY, "partitions.name", name, rule)?;
            total += share;
        }
        // Shares such as 0.7, 0.2 and 0.1 are not exact.
        let rule = "at most 1 together";
        InvalidSetting::unless(total <= 1.0 + 1e-9, POLICY, "partitions.share", total, rule)
    }
}

impl LimitConfig {
    /// Checks that `next` does not change what cannot be changed.
    pub(super) fn check_change(&self, next: &Self) -> Result<(), InvalidSetting> {
        let is_same = self.newest_first == next.newest_first;
        let rule = "what it was at first";
        InvalidSetting::unless(is_same, POLICY, "newest_first", next.newest_first, rule)?;
        let names = |config: &Self| {
            config.partitions.iter().map(|share| share.name.clone()).collect::<Vec<_>>()
        };
        let (before, after) = (names(self), names(next));
        InvalidSetting::unless(before == after, POLICY, "partitions", after, rule)
    }
}
