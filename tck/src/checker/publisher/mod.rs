//! Judges traces of a publisher: no clocks, no threads, no input or output.
//!
//! [`check_publisher`] goes through a trace once, keeps a line for each subscription, and reports
//! every rule that the publisher broke, with the event that shows it.
//! Rules about what must happen in the end are judged only if [`Expectation::settled`] says that
//! nothing more can come, or the trace does.

mod line;
mod settle;
mod sharing;

use std::collections::BTreeMap;

use line::Line;

use super::Violation;
use crate::{
    capabilities::{AfterCancel, Numbering, Sharing},
    trace::{Call, Event},
};

/// What the trace's publisher should have done, beyond what every publisher must.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// How many items the publisher has, if it is known.
    pub length: Option<u64>,
    /// Whether it completes after the last item.
    pub completes: bool,
    /// Whether it fails in place of sending items.
    pub fails: bool,
    /// How deep `on_next` may be nested in itself (rule 3.3).
    pub depth: usize,
    /// Whether the trace ends when nothing more can come.
    pub settled: bool,
    /// What the subscriptions get of one publisher, if they share it (rule 1.11).
    pub sharing: Option<Sharing>,
    /// How its items are numbered.
    pub numbering: Numbering,
    /// What may still come once `cancel` was called (rule 1.8).
    pub after_cancel: AfterCancel,
    /// Whether the trace tells when a subscriber is dropped (rules 3.13, R.1 and R.8).
    pub retention: bool,
    /// Whether what a subscriber throws may come out of the call that led to the signal (rule
    /// 2.13).
    pub rethrows: bool,
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            length: None,
            completes: false,
            fails: false,
            depth: 1,
            settled: false,
            sharing: None,
            numbering: Numbering::Any,
            after_cancel: AfterCancel::OnItsWay,
            retention: true,
            rethrows: false,
        }
    }
}

/// Every rule that the publisher broke in this trace, in the order in which it did.
#[must_use]
pub fn check_publisher(trace: &[Event], expectation: &Expectation) -> Vec<Violation> {
    let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
    let mut found = Vec::new();
    let mut settled = expectation.settled;
    for (at, event) in trace.iter().enumerate() {
        match event.call {
            Call::Settled => settled = true,
            Call::Lost(n) => {
                let message = format!("{n} items were neither delivered nor dropped");
                found.push(Violation::new("R.3", at, message));
            }
            _ => lines.entry(event.subscription).or_default().step(at, event, expectation),
        }
    }
    if settled {
        for (id, line) in &mut lines {
            line.settle(trace.len(), &sharing::expectation_of(*id, line, expectation));
        }
        sharing::settle(trace.len(), &lines, expectation, &mut found);
    }
    sharing::compare(trace, expectation, &mut found);
    found.extend(lines.into_values().flat_map(|line| line.found.list));
    found.sort_by_key(|violation| violation.at);
    found
}
