//! `StallReport`: who waits for whom, at one moment.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    EdgeKind, FlowReading, Place, PolicyReading, Severity, Snapshot, StageReading, describe::plain,
};

/// Who waits for whom: for each stage and store what keeps it from going on, from the cause to
/// those who suffer, and the circles in which everybody waits for the next.
///
/// It says what is so at one moment. In a flow that moves somebody always waits, so that it is
/// asked for once a flow stands still: see [`FlightDumps`](crate::FlightDumps).
///
/// ```
/// use millstream::{Registry, range, scheduler::VirtualTime};
/// use millstream_observe::{Inventory, StallReport};
/// use millstream_testkit::Probe;
///
/// let registry = Registry::new();
/// let flow = range(0..9).inspect_demand("read", &registry).inspect_demand("write", &registry);
/// let inventory = Inventory::new("program", &VirtualTime::new());
/// inventory.flow("main", &registry);
/// let probe = Probe::subscribe_to(flow);
/// probe.request(3);
///
/// let report = StallReport::of(&inventory.snapshot());
/// assert_eq!(report.to_string(), "\
/// what is below `write` asked for 0; so `write` waits for demand, `read` waits for demand
/// ");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StallReport {
    /// Everybody who waits, and those who are waited for.
    pub waits: Vec<Wait>,
    /// Circles: each waits for the next, and the last for the first.
    pub circles: Vec<Vec<Place>>,
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Who.
    pub place: Place,
    /// For whom; none if the cause is here.
    pub waits_for: Option<Place>,
    /// What it does, or why it waits.
    pub text: String,
}

impl StallReport {
    /// Of a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut waits = Vec::new();
        for flow in snapshot.flows.iter().filter(|flow| is_going(flow)) {
            for index in 0..flow.stages.len() {
                waits.push(wait_of_stage(snapshot, flow, index));
            }
        }
        for policy in &snapshot.policies {
            waits.extend(wait_of_store(snapshot, policy));
        }
        let circles = circles(&waits);
        Self { waits, circles }
    }
}

fn is_going(flow: &FlowReading) -> bool {
    let last = flow.stages.last();
    last.is_some_and(|stage| !stage.is_ended() && stage.requested != Some(0))
}

fn wait_of_stage(snapshot: &Snapshot, flow: &FlowReading, index: usize) -> Wait {
    let stage = &flow.stages[index];
    let place = place_of(flow, index);
    let wait =
        |waits_for: Option<Place>, text: String| Wait { place: place.clone(), waits_for, text };
    if !stage.is_asked() {
        // What it holds is held back by that which does not ask.
        let holds = stage.buffered.filter(|&n| n > 0).map(|n| format!(" and holds {n}"));
        let holds = holds.unwrap_or_default();
        if index + 1 < flow.stages.len() {
            return wait(Some(place_of(flow, index + 1)), format!("waits for demand{holds}"));
        }
        let next = snapshot
            .edges
            .iter()
            .find(|edge| edge.kind == EdgeKind::Stated && edge.from == place && edge.to != place);
        return match next {
            Some(edge) => wait(Some(edge.to.clone()), format!("waits for demand{holds}")),
            None => wait(None, format!("waits for demand{holds}")),
        };
    }
    let holds = holds(stage);
    let above = index.checked_sub(1).map(|above| &flow.stages[above]);
    match (above, holds) {
        // It has asked for more and it holds nothing.
        (Some(above), None) if above.is_asked() => {
            wait(Some(place_of(flow, index - 1)), "waits for items".to_owned())
        }
        (None, _) => {
            let source = snapshot
                .edges
                .iter()
                .find(|edge| edge.kind == EdgeKind::Stated && edge.to == place);
            match source {
                Some(edge) => wait(Some(edge.from.clone()), "waits for items".to_owned()),
                None => wait(None, "has asked its source, which sends none".to_owned()),
            }
        }
        (_, holds) => {
            let guard = guard(snapshot, &place);
            let what = holds.unwrap_or_else(|| "was asked for items and asks for none".to_owned());
            wait(None, what + &guard.unwrap_or_default())
        }
    }
}

/// What is in a stage, if there is something.
fn holds(stage: &StageReading) -> Option<String> {
    let n = stage.buffered.filter(|&n| n > 0)?;
    Some(match stage.bound.items {
        Some(most) if most < u64::MAX => format!("has {n} of {most} in flight, all waiting"),
        _ => format!("has {n} in flight, all waiting"),
    })
}

/// The policy in front of a stage that is not as it should be.
fn guard(snapshot: &Snapshot, place: &Place) -> Option<String> {
    let guards = snapshot.guards_of(place).filter_map(|name| snapshot.policy(name));
    let worst = guards.max_by_key(|policy| policy.reading.condition.severity)?;
    let (reading, name) = (&worst.reading, &worst.name);
    (reading.condition.severity > Severity::Normal)
        .then(|| format!(" behind {} `{name}`, which is {}", reading.kind, reading.condition.state))
}

/// A store that is full waits for whom it feeds, and one that is empty for who feeds it.
fn wait_of_store(snapshot: &Snapshot, policy: &PolicyReading) -> Option<Wait> {
    let usage = policy.reading.usage.as_ref()?;
    let place = Place::Named(policy.name.clone());
    let stated = |edge: &&crate::Edge| edge.kind == EdgeKind::Stated;
    let mut edges = snapshot.edges.iter().filter(stated);
    if usage.capacity > 0 && usage.used >= usage.capacity {
        let to = edges.find(|edge| edge.from == place).map(|edge| edge.to.clone());
        let text = format!("is full with {} {}", usage.used, usage.unit);
        return Some(Wait { place, waits_for: to, text });
    }
    if usage.used == 0 {
        let from = edges.find(|edge| edge.to == place)?.from.clone();
        return Some(Wait { place, waits_for: Some(from), text: "is empty".to_owned() });
    }
    None
}

fn place_of(flow: &FlowReading, index: usize) -> Place {
    Place::from((&*flow.name, &*flow.stages[index].name))
}

/// Each circle once, beginning with its first place by name.
fn circles(waits: &[Wait]) -> Vec<Vec<Place>> {
    let next: BTreeMap<&Place, &Place> =
        waits.iter().filter_map(|wait| Some((&wait.place, wait.waits_for.as_ref()?))).collect();
    let mut circles: Vec<Vec<Place>> = Vec::new();
    for start in next.keys() {
        let mut path: Vec<&Place> = vec![start];
        while let Some(place) = next.get(path[path.len() - 1]) {
            if let Some(at) = path.iter().position(|it| it == place) {
                let mut circle: Vec<Place> =
                    path[at..].iter().map(|&place| place.clone()).collect();
                let first = circle.iter().min().cloned();
                let first = circle.iter().position(|place| Some(place) == first.as_ref());
                circle.rotate_left(first.unwrap_or(0));
                if circle.len() > 1 && !circles.contains(&circle) {
                    circles.push(circle);
                }
                break;
            }
            path.push(place);
        }
    }
    circles
}

impl fmt::Display for StallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for circle in &self.circles {
            write!(f, "a circle: ")?;
            for place in circle {
                let wait = self.waits.iter().find(|wait| wait.place == *place);
                let text = wait.map_or("", |wait| &wait.text);
                write!(f, "`{}` {text} → ", plain(&place.to_string()))?;
            }
            let first = circle.first().map(ToString::to_string).unwrap_or_default();
            writeln!(f, "`{}`", plain(&first))?;
        }
        for cause in self.waits.iter().filter(|wait| wait.waits_for.is_none()) {
            let is_demand = cause.text.starts_with("waits for demand");
            let name = plain(cause.place.short());
            if is_demand {
                write!(f, "what is below `{name}` asked for 0; so `{name}` {}", cause.text)?;
            } else {
                write!(f, "`{name}` {}", cause.text)?;
            }
            let mut joint = if is_demand { ", " } else { "; so " };
            for wait in self.victims(&cause.place) {
                write!(f, "{joint}`{}` {}", plain(wait.place.short()), wait.text)?;
                joint = ", ";
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl StallReport {
    /// Those who wait for this place, and for those in turn.
    fn victims(&self, cause: &Place) -> Vec<&Wait> {
        let mut victims: Vec<&Wait> = Vec::new();
        let mut causes = vec![cause];
        while let Some(cause) = causes.pop() {
            for wait in self.waits.iter().filter(|wait| wait.waits_for.as_ref() == Some(cause)) {
                if !victims.contains(&wait) {
                    victims.push(wait);
                    causes.push(&wait.place);
                }
            }
        }
        victims
    }
}
