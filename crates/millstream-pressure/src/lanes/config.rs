//! `LanesConfig`: which lanes there are, and what each gets.

use super::turns::MAX_LANES;
use crate::{InvalidSetting, QueueConfig, Settings};

const POLICY: &str = "lanes";

/// How lanes are set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct LanesConfig {
    /// The lanes. How many there are, and their names, cannot be changed later. Default:
    /// `interactive`, which is strict, and `batch`.
    pub lanes: Vec<LaneConfig>,
    /// The share that the lanes that are not strict get at least while strict ones have items
    /// waiting, from 0 to 1. Default: 0.05.
    pub floor: f64,
}

/// How one lane is set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct LaneConfig {
    /// Its name.
    pub name: String,
    /// What it gets, relative to the other lanes of its tier, while all have items waiting: of
    /// items, or of what they weigh if the queue weighs them. Default: 1.
    pub weight: u32,
    /// Whether it is served before those that are not strict. Default: no.
    pub is_strict: bool,
    /// Its queue.
    pub queue: QueueConfig,
}

impl Default for LaneConfig {
    fn default() -> Self {
        Self { name: String::new(), weight: 1, is_strict: false, queue: QueueConfig::default() }
    }
}

impl LaneConfig {
    /// A lane with this name, and this share of its tier.
    pub fn new(name: impl Into<String>, weight: u32) -> Self {
        Self { name: name.into(), weight, ..Self::default() }
    }

    /// A lane that is served before those that are not strict.
    pub fn strict(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_strict: true, ..Self::default() }
    }
}

impl Default for LanesConfig {
    fn default() -> Self {
        let lanes = vec![LaneConfig::strict("interactive"), LaneConfig::new("batch", 1)];
        Self { lanes, floor: 0.05 }
    }
}

impl Settings for LanesConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let n = self.lanes.len();
        InvalidSetting::unless((1..=MAX_LANES).contains(&n), POLICY, "lanes", n, "from 1 to 256")?;
        let (floor, rule) = (self.floor, "a number from 0 to 1");
        InvalidSetting::unless_within(POLICY, "floor", floor, 0.0..=1.0, rule)?;
        for (index, LaneConfig { name, weight, queue, .. }) in self.lanes.iter().enumerate() {
            let is_new = self.lanes[..index].iter().all(|other| other.name != *name);
            InvalidSetting::unless(is_new, POLICY, "lanes.name", name, "a name that no other has")?;
            InvalidSetting::unless_positive(POLICY, "lanes.weight", u64::from(*weight))?;
            queue.validate()?;
        }
        Ok(())
    }
}

impl LanesConfig {
    /// Checks that `next` does not change what cannot be changed.
    pub(super) fn check_change(&self, next: &Self) -> Result<(), InvalidSetting> {
        let names = |config: &Self| config.lanes.iter().map(|lane| lane.name.clone()).collect();
        let (before, after): (Vec<_>, Vec<_>) = (names(self), names(next));
        InvalidSetting::unless(before == after, POLICY, "lanes", after, "the lanes that there are")
    }
}
