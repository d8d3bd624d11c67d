//! `CreditsConfig`: how many credits there are, and how long one may be held.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "credits";

/// The most credits there can be.
pub(super) const MOST: u64 = 1 << 40;

/// How credits are set up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct CreditsConfig {
    /// The window at the beginning: how many credits there are, free and held. Default: 1000.
    pub credits: u64,
    /// What the window shrinks to at the least. Default: 100.
    pub min_credits: u64,
    /// What the window grows to at the most, however much is granted. Default: 10 000.
    pub max_credits: u64,
    /// How long a credit may be held; after that it counts as lost, and another one is granted in
    /// its place. Longer than the longest processing, or more is in flight than the window.
    /// Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub credit_timeout: Duration,
    /// Once no credit is free, none is given out until as many are: stop and resume. Default: 1, as
    /// soon as there is one.
    pub resume_at: u64,
}

impl Default for CreditsConfig {
    fn default() -> Self {
        Self {
            credits: 1_000,
            min_credits: 100,
            max_credits: 10_000,
            credit_timeout: Duration::from_secs(30),
            resume_at: 1,
        }
    }
}

impl CreditsConfig {
    /// A window of `credits` that does not change.
    #[must_use]
    pub fn fixed(credits: u64) -> Self {
        Self { credits, min_credits: credits, max_credits: credits, ..Self::default() }
    }
}

impl Settings for CreditsConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { credits, min_credits, max_credits, credit_timeout, resume_at } = self;
        let is_valid = (1..=credits).contains(&min_credits);
        let rule = "from 1 to credits";
        InvalidSetting::unless(is_valid, POLICY, "min_credits", min_credits, rule)?;
        let is_valid = (credits..=MOST).contains(&max_credits);
        let rule = "from credits to 2^40";
        InvalidSetting::unless(is_valid, POLICY, "max_credits", max_credits, rule)?;
        InvalidSetting::unless_some_time(POLICY, "credit_timeout", credit_timeout)?;
        let is_valid = (1..=min_credits).contains(&resume_at);
        // So that as many can be free whatever the window is.
        InvalidSetting::unless(is_valid, POLICY, "resume_at", resume_at, "from 1 to min_credits")
    }
}
