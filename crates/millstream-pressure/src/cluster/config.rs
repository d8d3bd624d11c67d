//! `ClusterConfig`: who this node is, and how it speaks with others.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "cluster";

/// How a node takes part in a cluster.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ClusterConfig {
    /// The name of this node, which no other has. It may have any character.
    pub node: String,
    /// How much this node can do in relation to others. Default: 1.
    pub capacity: f64,
    /// How often it reports. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub beat: Duration,
    /// By which share of a beat it reports sooner or later, from 0 to 0.5, so that nodes that were
    /// started together do not report together. Default: 0.2.
    pub jitter: f64,
    /// After which time without a report a node is gone. Default: 3 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub expiry: Duration,
    /// The longest wait between two attempts to reach a store that does not answer. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_backoff: Duration,
    /// From which pressure of its own it accepts nothing, whatever the others have; up to 1.
    /// Default: 0.95.
    pub ceiling: f64,
    /// How much more than its part of what is accepted it accepts, from 1: above 1, small
    /// differences between nodes make none. Default: 1.1.
    pub headroom: f64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            node: String::new(),
            capacity: 1.0,
            beat: Duration::from_secs(1),
            jitter: 0.2,
            expiry: Duration::from_secs(3),
            max_backoff: Duration::from_secs(10),
            ceiling: 0.95,
            headroom: 1.1,
        }
    }
}

impl ClusterConfig {
    /// The defaults, for the node with this name.
    #[must_use]
    pub fn of(node: &str) -> Self {
        Self { node: node.to_owned(), ..Self::default() }
    }
}

impl Settings for ClusterConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let node = &self.node;
        InvalidSetting::unless(!node.is_empty(), POLICY, "node", node, "a name")?;
        let is_valid = self.capacity > 0.0 && self.capacity.is_finite();
        let rule = "a number above 0";
        InvalidSetting::unless(is_valid, POLICY, "capacity", self.capacity, rule)?;
        InvalidSetting::unless_some_time(POLICY, "beat", self.beat)?;
        let rule = "a number from 0 to 0.5";
        InvalidSetting::unless_within(POLICY, "jitter", self.jitter, 0.0..=0.5, rule)?;
        let rule = "at least 2 beats with their jitter";
        let least = self.beat.mul_f64(2.0 * (1.0 + self.jitter));
        InvalidSetting::unless(self.expiry >= least, POLICY, "expiry", self.expiry, rule)?;
        let rule = "at least a beat";
        let longest = self.max_backoff;
        InvalidSetting::unless(longest >= self.beat, POLICY, "max_backoff", longest, rule)?;
        let is_valid = self.ceiling > 0.0 && self.ceiling <= 1.0;
        let rule = "above 0 and at most 1";
        InvalidSetting::unless(is_valid, POLICY, "ceiling", self.ceiling, rule)?;
        let rule = "a number from 1 to 10";
        InvalidSetting::unless_within(POLICY, "headroom", self.headroom, 1.0..=10.0, rule)
    }
}
