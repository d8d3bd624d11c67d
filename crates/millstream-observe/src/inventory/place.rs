//! `Place`: where something stands in the inventory.

use std::{error, fmt};

use serde::{Deserialize, Serialize};

use super::Entries;

/// A flow, a policy, or a stage of a flow.
///
/// `"orders"` is the flow or policy of that name, and `("checkout", "price")` a stage of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The flow or policy of this name.
    Named(String),
    /// A stage.
    Stage {
        /// The flow's name.
        flow: String,
        /// Its own name in the flow.
        stage: String,
    },
}

/// A place that is not in the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlace(pub Place);

impl Place {
    /// The name of the flow or policy.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Stage { flow: name, .. } => name,
        }
    }

    /// The name of the stage, or of the flow or policy.
    pub(crate) fn short(&self) -> &str {
        match self {
            Self::Named(name) | Self::Stage { stage: name, .. } => name,
        }
    }

    /// A stage of this flow.
    #[must_use]
    pub fn stage(&self, stage: &str) -> Self {
        Self::Stage { flow: self.name().to_owned(), stage: stage.to_owned() }
    }
}

/// The name, or the first one with a number behind it that is not taken.
pub(super) fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 1;
    while is_taken(&free) {
        number += 1;
        free = format!("{name} ({number})");
    }
    free
}

/// The names of a flow's stages, each once.
#[expect(single_use_lifetimes, reason = "the iterator's items need a name for it")]
pub(crate) fn stage_names<'a>(stages: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut taken = std::collections::HashSet::new();
    for stage in stages {
        let name = free_name(stage, |name| taken.contains(name));
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

impl Entries {
    /// The names of the stages of this flow; none if there is no such flow.
    fn stages_of(&self, flow: &str) -> Option<Vec<String>> {
        let flow = self.flows.iter().find(|entry| entry.name == flow)?;
        Some(stage_names(flow.registry.stages().iter().map(|stage| &*stage.name)))
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        match place {
            Place::Named(name) => {
                self.policies.iter().any(|policy| policy.name == *name)
                    || self.flows.iter().any(|flow| flow.name == *name)
            }
            Place::Stage { flow, stage } => {
                self.stages_of(flow).is_some_and(|stages| stages.contains(stage))
            }
        }
    }

    /// Where items leave this place.
    pub(super) fn end_of(&self, place: &Place) -> Option<Place> {
        self.stage_at(place, |stages| stages.last())
    }

    /// Where items enter this place.
    pub(super) fn start_of(&self, place: &Place) -> Option<Place> {
        self.stage_at(place, |stages| stages.first())
    }

    fn stage_at(
        &self,
        place: &Place,
        choose: impl FnOnce(&[String]) -> Option<&String>,
    ) -> Option<Place> {
        match place {
            Place::Named(name) => match self.stages_of(name) {
                Some(stages) => choose(&stages).map(|stage| place.stage(stage)),
                None => self.has(place).then(|| place.clone()),
            },
            Place::Stage { .. } => self.has(place).then(|| place.clone()),
        }
    }
}

impl From<&str> for Place {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<(&str, &str)> for Place {
    fn from((flow, stage): (&str, &str)) -> Self {
        Self::Stage { flow: flow.to_owned(), stage: stage.to_owned() }
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Stage { flow, stage } => write!(f, "{flow}/{stage}"),
        }
    }
}

impl fmt::Display for UnknownPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Named(name) => {
                write!(f, "no flow with stages and no policy is named {name:?}: add it first")
            }
            Place::Stage { flow, stage } => write!(
                f,
                "no flow {flow:?} has a stage {stage:?}: add `inspect_demand` there, and the flow to \
                 the inventory"
            ),
        }
    }
}

impl error::Error for UnknownPlace {}
