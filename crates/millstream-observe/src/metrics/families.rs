//! The metrics of a snapshot, for whatever exports them.

use std::{borrow::Cow, collections::BTreeMap};

use super::table::{POLICIES, STAGES};
use crate::{PolicyReading, Snapshot, Value};

/// A metric with what it says of each stage or policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Family<'a> {
    /// Its name by the conventions of Prometheus, without `_total`.
    pub name: Cow<'static, str>,
    /// What it says.
    pub help: Cow<'static, str>,
    /// Whether it only grows; otherwise it goes up and down.
    pub is_counter: bool,
    /// At least one.
    pub samples: Vec<Sample<'a>>,
}

/// What a metric says of one stage or policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Names and values.
    pub labels: Vec<(&'static str, &'a str)>,
    /// Infinite for demand without bound.
    pub value: f64,
}

/// Returns all metrics of a snapshot. Those of which nothing is known are left out.
#[must_use]
pub fn families(snapshot: &Snapshot) -> Vec<Family<'_>> {
    let mut families: Vec<_> = stages(snapshot).chain(policies(snapshot)).collect();
    families.push(dropped(snapshot));
    families.extend(values(snapshot));
    families.retain(|family| !family.samples.is_empty());
    families
}

fn stages(snapshot: &Snapshot) -> impl Iterator<Item = Family<'_>> {
    STAGES.iter().map(|metric| {
        let samples = snapshot.flows.iter().flat_map(|flow| {
            flow.stages.iter().filter_map(|stage| {
                let labels = vec![("flow", &*flow.name), ("stage", &*stage.name)];
                Some(Sample { labels, value: (metric.read)(stage)? })
            })
        });
        family(metric.name, metric.help, metric.is_counter, samples.collect())
    })
}

fn policies(snapshot: &Snapshot) -> impl Iterator<Item = Family<'_>> {
    POLICIES.iter().map(|metric| {
        let samples = snapshot.policies.iter().filter_map(|policy| {
            let value = (metric.read)(&policy.reading)?;
            Some(Sample { labels: labels_of(policy), value })
        });
        family(metric.name, metric.help, metric.is_counter, samples.collect())
    })
}

fn dropped(snapshot: &Snapshot) -> Family<'_> {
    let samples = snapshot.policies.iter().flat_map(|policy| {
        let ledger = policy.reading.ledger.as_ref();
        ledger.into_iter().flat_map(|ledger| &ledger.dropped).map(|(reason, n)| {
            let mut labels = labels_of(policy);
            labels.push(("reason", &**reason));
            Sample { labels, value: *n as f64 }
        })
    });
    let help = "Items or calls that were refused or dropped";
    family("millstream_policy_dropped_items", help, true, samples.collect())
}

/// What single kinds of policies count besides. A name stands for one kind of metric: where it is
/// used for both, the first is taken.
fn values(snapshot: &Snapshot) -> impl Iterator<Item = Family<'_>> {
    let mut by_name: BTreeMap<String, Vec<(&PolicyReading, &Value)>> = BTreeMap::new();
    for policy in &snapshot.policies {
        for value in &policy.reading.values {
            let values = by_name.entry(name_of(&value.name)).or_default();
            if values.first().is_none_or(|(_, first)| first.is_counter == value.is_counter) {
                values.push((policy, value));
            }
        }
    }
    by_name.into_iter().map(|(name, values)| {
        let is_counter = values.first().is_some_and(|(_, value)| value.is_counter);
        let samples = values.into_iter().map(|(policy, value)| {
            let mut labels = labels_of(policy);
            if !value.part.is_empty() {
                labels.push(("part", &*value.part));
            }
            Sample { labels, value: value.value }
        });
        let help = help_of(&name);
        Family { name: name.into(), help: help.into(), is_counter, samples: samples.collect() }
    })
}

fn family<'a>(
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    samples: Vec<Sample<'a>>,
) -> Family<'a> {
    Family { name: name.into(), help: help.into(), is_counter, samples }
}

pub(super) fn labels_of(policy: &PolicyReading) -> Vec<(&'static str, &str)> {
    vec![("kind", &*policy.reading.kind), ("policy", &*policy.name)]
}

/// The name of a policy's value as a metric; what metrics may not have in their names is replaced.
pub(super) fn name_of(value: &str) -> String {
    let may = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name = value.chars().map(|char| if may(char) { char } else { '_' });
    "millstream_policy_".chars().chain(name).collect()
}

pub(super) fn help_of(name: &str) -> String {
    let words = name.trim_start_matches("millstream_policy_").replace('_', " ");
    format!("Of a policy: {words}")
}
