//! What several subscriptions of one publisher must have in common (rule 1.11).

use std::collections::BTreeMap;

use super::{
    Expectation,
    line::{Line, Terminal},
};
use crate::{
    capabilities::Sharing,
    checker::{Level, Violation},
    trace::{Call, Event, Phase},
};

/// A publisher may choose how it serves several subscribers, but what it declares has to hold.
fn violation(at: usize, message: String) -> Violation {
    Violation { level: Level::Must, ..Violation::new("1.11", at, message) }
}

/// What one subscription must have come to, if it shares its publisher with others.
pub(super) fn expectation_of(id: u32, line: &Line, expectation: &Expectation) -> Expectation {
    let alone = Expectation { sharing: None, ..*expectation };
    let rejected = matches!(line.terminal, Some(Terminal::Failed { illegal: false }))
        && line.delivered + line.skipped == 0;
    match expectation.sharing {
        None | Some(Sharing::Each | Sharing::Multicast) => alone,
        // Only all of them together have all the items.
        Some(Sharing::Split) => Expectation { length: None, ..alone },
        Some(Sharing::Single) if id > 1 && rejected => {
            Expectation { length: None, fails: true, ..alone }
        }
        Some(Sharing::Single) => alone,
    }
}

/// Judges all subscriptions together, when nothing more can come.
pub(super) fn settle(
    end: usize,
    lines: &BTreeMap<u32, Line>,
    expectation: &Expectation,
    found: &mut Vec<Violation>,
) {
    let (Some(Sharing::Split), Some(length)) = (expectation.sharing, expectation.length) else {
        return;
    };
    let came: u64 = lines.values().map(|line| line.delivered + line.skipped).sum();
    let demand = lines.values().fold(0_u64, |sum, line| sum.saturating_add(line.requested));
    let stopped = lines.values().any(|line| line.cancels_made > 0);
    if came > length {
        found.push(violation(end, format!("{came} items came from a publisher of {length}")));
    } else if came < length.min(demand) && !stopped {
        let message = format!("{came} of {length} items came to all subscribers together");
        found.push(violation(end, message));
    }
    for (id, line) in lines {
        let waits = line.requested > line.delivered && line.terminal.is_none() && !stopped;
        if expectation.completes && came == length && waits {
            let message = format!("`on_complete` never came to subscriber {id}");
            found.push(violation(end, message));
        }
    }
}

/// Subscribers that get all items get them in the same order, as far as items can be told apart.
pub(super) fn compare(trace: &[Event], expectation: &Expectation, found: &mut Vec<Violation>) {
    let Some(Sharing::Each | Sharing::Multicast) = expectation.sharing else { return };
    let mut first: Vec<u64> = Vec::new();
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    // Whoever is ahead sets the order; the others have to follow it.
    for (at, event) in trace.iter().enumerate() {
        let is_item = event.phase == Phase::Made && matches!(event.call, Call::OnNext(_));
        let (true, Some(item)) = (is_item, event.item) else { continue };
        let index = counts.entry(event.subscription).or_default();
        if let Some(expected) = first.get(*index) {
            if *expected != item {
                let (n, id) = (*index + 1, event.subscription);
                let message = format!(
                    "item {n} of subscriber {id} is #{item}, where another one got #{expected}"
                );
                found.push(violation(at, message));
                return;
            }
        } else {
            first.push(item);
        }
        *index += 1;
    }
}
