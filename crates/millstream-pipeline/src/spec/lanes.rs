//! Lanes: queues of which some come first.

use std::{collections::BTreeMap, num::NonZeroU32};

use millstream_pressure::{LaneConfig, LanesConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{BackpressureSpec, Expression, Share};

/// Items wait in the queue of their lane, and lanes are served by weight, strict ones first; what
/// follows runs on a thread of its own.
///
/// A lane whose queue is full and waits holds up the source, and with it the other lanes: where
/// that must not be, its queue drops.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct LanesSpec {
    /// Gives the name of an item's lane.
    pub by: Expression,
    /// The lanes, by the names of their queues in `backpressure.queues`.
    pub lanes: BTreeMap<String, LaneSpec>,
    /// The lane of items for which `by` names none. Default: a stage can do nothing with such an
    /// item, as `on_error` says.
    #[serde(default)]
    pub other: Option<String>,
    /// The share that lanes get at least that are not strict, while strict ones have items.
    /// Default: 0.05.
    #[serde(default = "floor")]
    pub floor: Share,
}

fn floor() -> Share {
    Share(LanesConfig::default().floor)
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LaneSpec {
    /// What it gets, relative to the other lanes and by what items weigh as JSON, while all have
    /// items. Default: 1.
    pub weight: NonZeroU32,
    /// Whether it is served before those that are not strict. Default: no.
    pub strict: bool,
}

impl Default for LaneSpec {
    fn default() -> Self {
        Self { weight: NonZeroU32::MIN, strict: false }
    }
}

impl<'de> Deserialize<'de> for LanesSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        if spec.lanes.is_empty() || spec.lanes.len() > 256 {
            return Err(D::Error::custom("`lanes` names from 1 to 256 lanes"));
        }
        if let Some(other) = &spec.other
            && !spec.lanes.contains_key(other)
        {
            return Err(D::Error::custom(format!("`other` is `{other}`, and no lane")));
        }
        Ok(spec)
    }
}

impl LanesSpec {
    /// Whether items go to the same lanes; weights may differ.
    pub(crate) fn sorts_as(&self, other: &Self) -> bool {
        self.by == other.by && self.other == other.other && self.lanes.keys().eq(other.lanes.keys())
    }

    /// The policy's configuration, with the queues of a checked file.
    pub(crate) fn config(&self, backpressure: &BackpressureSpec) -> LanesConfig {
        let lanes = self.lanes.iter().map(|(name, lane)| LaneConfig {
            name: name.clone(),
            weight: lane.weight.get(),
            is_strict: lane.strict,
            queue: backpressure.queues[name].config(),
        });
        LanesConfig { lanes: lanes.collect(), floor: self.floor.0 }
    }
}
