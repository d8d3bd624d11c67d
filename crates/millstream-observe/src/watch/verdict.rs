//! Who sets the pace of a flow, in a sentence.

use serde::{Deserialize, Serialize};

use super::{Role, StageView};
use crate::{FlowReading, Place, Severity, Snapshot, StageReading};

/// Who sets the pace of a flow, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The stage; none for the consumer below the last one.
    pub culprit: Option<String>,
    /// What it does.
    pub text: String,
    /// The policy in front of it that is not as it should be.
    pub policy: Option<String>,
}

/// The lowest stage that sets the pace: those above it wait for it.
pub(super) fn of(
    flow: &FlowReading,
    stages: &[StageView],
    consumer: Role,
    snapshot: &Snapshot,
) -> Option<Verdict> {
    let last = flow.stages.last()?;
    match consumer {
        Role::Idle => return None,
        Role::Ended => {
            let text = format!("the flow has {}", last.last);
            return Some(Verdict { culprit: None, text, policy: None });
        }
        Role::Bottleneck => {
            let text = format!("the consumer below `{}` asks for no more", last.name);
            let text = with_victims(text, flow, stages, flow.stages.len());
            return Some(Verdict { culprit: None, text, policy: None });
        }
        Role::Source | Role::HeldBack | Role::Starved => {}
    }
    let sets_pace = |role: Role| matches!(role, Role::Bottleneck | Role::Source);
    let index = stages.iter().rposition(|stage| sets_pace(stage.role))?;
    let stage = &flow.stages[index];
    let place = Place::from((&*flow.name, &*stage.name));
    let mut text = match stages[index].role {
        Role::Source => format!("`{}` sends as much as it has", stage.name),
        _ => format!("`{}` {}", stage.name, holds(stage)),
    };
    let guards = snapshot.guards_of(&place).filter_map(|name| snapshot.policy(name));
    let guard = guards
        .filter(|policy| policy.reading.condition.severity > Severity::Normal)
        .max_by_key(|policy| policy.reading.condition.severity);
    if let Some(guard) = guard {
        let condition = &guard.reading.condition;
        text += &format!(", behind {} `{}`: {}", guard.reading.kind, guard.name, condition.state);
        if let Some(reason) = &condition.reason {
            text += &format!(" ({reason})");
        }
    }
    let text = with_victims(text, flow, stages, index);
    let policy = guard.map(|guard| guard.name.clone());
    Some(Verdict { culprit: Some(stage.name.clone()), text, policy })
}

fn holds(stage: &StageReading) -> String {
    match (stage.buffered, stage.bound.items) {
        (Some(n), Some(most)) if n > 0 && most < u64::MAX => {
            format!("holds {n} of at most {most} items, and asks for no more")
        }
        (Some(n), _) if n > 0 => format!("holds {n} items, and asks for no more"),
        _ => "is asked for items, and asks for none".to_owned(),
    }
}

/// Those right above that are held back by it.
fn with_victims(text: String, flow: &FlowReading, stages: &[StageView], index: usize) -> String {
    let above = stages[..index].iter().rev();
    let n_held = above.take_while(|stage| stage.role == Role::HeldBack).count();
    if n_held == 0 {
        return text;
    }
    let victims = flow.stages[index - n_held..index].iter();
    let names: Vec<String> = victims.map(|stage| format!("`{}`", stage.name)).collect();
    match &names[..] {
        [only] => format!("{text}; so {only} waits for demand"),
        [first, .., last] if n_held > 3 => {
            format!("{text}; so {n_held} stages from {first} to {last} wait for demand")
        }
        _ => format!("{text}; so {} wait for demand", names.join(", ")),
    }
}
