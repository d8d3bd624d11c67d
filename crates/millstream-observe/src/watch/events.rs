//! What has happened between two looks.

use std::{cmp::Ordering, collections::HashMap};

use serde::{Deserialize, Serialize};

use super::FlowView;
use crate::{Place, PolicyReading, Severity, Snapshot, reading::Text};

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it was seen, in milliseconds by the inventory's clock.
    pub at_millis: u64,
    /// Where.
    pub place: Place,
    /// Whether somebody should look.
    pub severity: Severity,
    /// What.
    pub text: String,
}

/// What was said last about each place.
#[derive(Debug, Default)]
pub(super) struct Events {
    states: HashMap<String, State>,
    culprits: HashMap<String, (Option<String>, u32)>,
}

/// The state of a policy.
#[derive(Debug)]
struct State {
    /// As it was said last.
    said: Text,
    severity: Severity,
    /// For how many looks it was another one.
    n_others: u32,
}

/// A flow's culprit is said when as many looks in a row have seen it.
const LOOKS: u32 = 4;
/// What fills and empties comes and goes with every batch: that it is worse is said when as many
/// looks in a row have seen it, and that it is well again after more.
const LOOKS_UNTIL_WORSE: u32 = 2;
const LOOKS_UNTIL_WELL: u32 = 6;

impl Events {
    pub(super) fn between(
        &mut self,
        last: Option<&Snapshot>,
        now: &Snapshot,
        flows: &[FlowView],
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let at_millis = (now.at_seconds * 1e3) as u64;
        let mut push = |place, severity, text| {
            events.push(Event { at_millis, place, severity, text });
        };
        for policy in &now.policies {
            let place = || Place::Named(policy.name.clone());
            let before = last.and_then(|last| last.policy(&policy.name));
            if let Some((severity, text)) = self.change_of_state(policy) {
                push(place(), severity, text);
            }
            let Some(before) = before else { continue };
            if before.reading.settings != policy.reading.settings {
                push(place(), Severity::Normal, format!("reconfigured: {}", diff(before, policy)));
            }
        }
        for (flow, view) in now.flows.iter().zip(flows) {
            let place = || Place::Named(flow.name.clone());
            let before = last.and_then(|last| last.flow(&flow.name));
            let was_ended =
                before.and_then(|flow| flow.stages.last()).is_none_or(|stage| stage.is_ended());
            if let Some(end) = flow.stages.last()
                && end.is_ended()
                && !was_ended
            {
                let is_failure = end.last == "failed";
                let severity = if is_failure { Severity::Critical } else { Severity::Normal };
                push(place(), severity, format!("the flow has {}", end.last));
            }
            if let Some(text) = self.change_of_culprit(&flow.name, view) {
                push(place(), Severity::Normal, text);
            }
        }
        self.states.retain(|name, _| now.policy(name).is_some());
        self.culprits.retain(|name, _| now.flow(name).is_some());
        events
    }

    fn change_of_state(&mut self, policy: &PolicyReading) -> Option<(Severity, String)> {
        let condition = &policy.reading.condition;
        let now = |n_others| State {
            said: condition.state.clone(),
            severity: condition.severity,
            n_others,
        };
        let Some(state) = self.states.get_mut(&policy.name) else {
            self.states.insert(policy.name.clone(), now(0));
            // What is so from the beginning is no event, unless somebody should look.
            let is_bad = condition.severity > Severity::Normal;
            return is_bad.then(|| (condition.severity, in_words(policy)));
        };
        if state.said == condition.state {
            state.n_others = 0;
            return None;
        }
        state.n_others += 1;
        let needed = match (&policy.reading.usage, condition.severity.cmp(&state.severity)) {
            (None, _) => 1,
            (Some(_), Ordering::Greater) => LOOKS_UNTIL_WORSE,
            // Full and nearly full are one thing until it is well again.
            (Some(_), _) if condition.severity > Severity::Normal => return None,
            (Some(_), _) => LOOKS_UNTIL_WELL,
        };
        if state.n_others < needed {
            return None;
        }
        // From empty to flowing and back is nothing to be told.
        let was_well = state.severity == Severity::Normal;
        let is_quiet = was_well && condition.severity == Severity::Normal;
        *state = now(0);
        let is_said = !is_quiet || policy.reading.usage.is_none();
        is_said.then(|| (condition.severity, in_words(policy)))
    }

    fn change_of_culprit(&mut self, flow: &str, view: &FlowView) -> Option<String> {
        let verdict = view.verdict.as_ref()?;
        if view.consumer == super::Role::Ended {
            return None;
        }
        let entry = self.culprits.entry(flow.to_owned()).or_default();
        if entry.0 == verdict.culprit && entry.1 > 0 {
            entry.1 = entry.1.saturating_add(1);
        } else {
            *entry = (verdict.culprit.clone(), 1);
        }
        (entry.1 == LOOKS).then(|| match &verdict.culprit {
            Some(stage) => format!("`{stage}` sets the pace"),
            None => "the consumer sets the pace".to_owned(),
        })
    }
}

fn in_words(policy: &PolicyReading) -> String {
    let condition = &policy.reading.condition;
    match &condition.reason {
        Some(reason) => format!("{}: {reason}", condition.state),
        None => condition.state.clone().into_owned(),
    }
}

/// The settings that differ.
fn diff(before: &PolicyReading, now: &PolicyReading) -> String {
    let (old, new) = (&before.reading.settings, &now.reading.settings);
    let Some(settings) = new.as_object() else { return "other settings".to_owned() };
    let differ = settings.iter().filter(|(key, value)| old.get(key) != Some(value));
    let parts: Vec<String> = differ
        .map(|(key, value)| format!("{key} {} → {value}", old.get(key).unwrap_or_default()))
        .collect();
    parts.join(", ")
}
