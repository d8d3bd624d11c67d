//! Judges traces: no clocks, no threads, no input or output.
//!
//! A checker goes through a trace and reports every rule that was broken, with the event that shows
//! it. Rules about what must happen in the end are judged only if the expectation says that nothing
//! more can come.

mod downstream;
mod processor;
mod publisher;
mod subscriber;
mod subscription;

use std::{collections::BTreeMap, fmt};

pub use processor::{DOWNSTREAM, ProcessorExpectation, check_processor};
pub use publisher::{Expectation, check_publisher};
pub use reactive_streams::rules::Level;
pub use subscriber::{BESIDE, SubscriberExpectation, check_subscriber};

use crate::trace::{Event, Phase};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, such as `"1.1"`; `R.n` are this binding's own.
    pub rule: &'static str,
    /// How binding it is here: a rule that only recommends can be broken beyond excuse.
    pub level: Level,
    /// What happened, against what was expected.
    pub message: String,
    /// The index of the event that shows it; the trace's length for what did not happen.
    pub at: usize,
}

/// What was found, with a limit for each rule: a publisher that floods breaks the same rule at each
/// item.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Violation>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// So many violations of one rule are kept.
    const MOST: usize = 100;

    fn push(&mut self, violation: Violation) {
        let count = self.counts.entry(violation.rule).or_default();
        *count += 1;
        if *count <= Self::MOST {
            self.list.push(violation);
        }
    }
}

impl Violation {
    /// A violation of a rule, as binding as the rule is.
    /// This binding's own rules are binding, but for R.1.
    pub fn new(rule: &'static str, at: usize, message: impl Into<String>) -> Self {
        let level = reactive_streams::rule(rule).map_or(Level::Must, |rule| rule.level);
        Self { rule, level, message: message.into(), at }
    }

    /// Whether it is a matter of time, so that a machine that stood still may be the cause: that
    /// something did not happen, or took long.
    #[must_use]
    pub fn is_timing(&self, trace: &[Event]) -> bool {
        trace.get(self.at).is_none_or(|event| event.phase == Phase::Late)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}: {} (event {})", self.rule, self.message, self.at)
    }
}
