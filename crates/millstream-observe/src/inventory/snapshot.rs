//! `Snapshot`: everything that the inventory knows, at one moment.

use serde::{Deserialize, Serialize};

use super::Place;
use crate::{Bound, Reading, reading::Text};

/// Everything that an inventory knows, at one moment. It can be written as JSON and read back.
///
/// Each reading is consistent in itself. Between two of them, the program may have gone on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The form of what follows. It grows by 1 when a reader of the old one would be misled.
    pub version: u32,
    /// The program's name.
    pub name: String,
    /// When it was taken, in seconds by the inventory's clock.
    pub at_seconds: f64,
    /// The flows.
    pub flows: Vec<FlowReading>,
    /// The policies.
    pub policies: Vec<PolicyReading>,
    /// What feeds what.
    pub edges: Vec<Edge>,
}

/// A flow at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowReading {
    /// Its name.
    pub name: String,
    /// Its stages, from the source to the end.
    pub stages: Vec<StageReading>,
    /// The most that it holds in all.
    pub bound: Bound,
    /// What was said about it.
    pub note: Option<String>,
}

/// A stage of a flow: what stands between the place before and its own, and what passed there.
///
/// A number that is none is without bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageReading {
    /// Its name; one that is there before has a number behind it.
    pub name: String,
    /// Items that were asked for here.
    pub requested: Option<u64>,
    /// Items that came by.
    pub delivered: u64,
    /// Those of them that the next operator dropped, and that used no demand.
    pub skipped: u64,
    /// Items that were asked for here and have not come: the credit that is missing.
    pub outstanding: Option<u64>,
    /// Items that the stage holds, if it makes one of each; none where that is not known.
    pub buffered: Option<u64>,
    /// What passed last: `none`, `request`, `item`, `completed`, `failed` or `canceled`.
    pub last: Text,
    /// The most that it holds.
    pub bound: Bound,
    /// What was said about it.
    pub note: Option<String>,
}

/// A policy at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyReading {
    /// Its name.
    pub name: String,
    /// What was said about it.
    pub note: Option<String>,
    /// What it says of itself.
    #[serde(flatten)]
    pub reading: Reading,
}

/// One place feeds or guards another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// From here.
    pub from: Place,
    /// To there.
    pub to: Place,
    /// How it is known.
    pub kind: EdgeKind,
}

/// How an edge is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// Two stages of a flow follow each other.
    Derived,
    /// The program has stated that items go from one to the other.
    Stated,
    /// The program has stated that one is a policy in front of the other.
    Guard,
}

impl StageReading {
    /// Returns whether nothing more will pass.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(&*self.last, "completed" | "failed" | "canceled")
    }

    /// Returns whether items are missing here that were asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.outstanding != Some(0)
    }
}

impl Snapshot {
    /// The policy of this name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&PolicyReading> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The flow of this name.
    #[must_use]
    pub fn flow(&self, name: &str) -> Option<&FlowReading> {
        self.flows.iter().find(|flow| flow.name == name)
    }

    /// The policies that stand in front of a place.
    pub fn guards_of(&self, place: &Place) -> impl Iterator<Item = &str> {
        let guards = self.edges.iter().filter(move |edge| edge.kind == EdgeKind::Guard);
        guards.filter(move |edge| edge.to == *place).map(|edge| edge.from.name())
    }
}
