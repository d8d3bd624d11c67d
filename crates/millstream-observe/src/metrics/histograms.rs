//! The histograms of a snapshot, for whatever exports them.

use std::{borrow::Cow, collections::BTreeMap};

use millstream_pressure::Histogram;

use super::families::{help_of, labels_of, name_of};
use crate::Snapshot;

/// How long something took, of each policy that says so.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramFamily<'a> {
    /// Its name by the conventions of Prometheus, with the unit, seconds.
    pub name: Cow<'static, str>,
    /// What it says.
    pub help: Cow<'static, str>,
    /// At least one: names and values of labels, and the times.
    pub samples: Vec<(Vec<(&'static str, &'a str)>, Histogram)>,
}

/// Returns all histograms of a snapshot: those that this program has read, since one that was read
/// from JSON has none.
#[must_use]
pub fn histograms(snapshot: &Snapshot) -> Vec<HistogramFamily<'_>> {
    let mut by_name: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for policy in &snapshot.policies {
        for (name, times) in &policy.reading.times {
            by_name.entry(name_of(name)).or_default().push((labels_of(policy), *times));
        }
    }
    let families = by_name.into_iter().map(|(name, samples)| {
        let help = help_of(&name);
        HistogramFamily { name: name.into(), help: help.into(), samples }
    });
    families.collect()
}
