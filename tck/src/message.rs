//! What a failed check says to a person.

use std::fmt::Write as _;

use crate::{
    trace::{Call, Phase},
    verdict::Outcome,
};

/// How many events of a trace a message shows.
const SHOWN: usize = 40;

impl Outcome {
    /// Rules, timeline, and how to run it again.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { subject, check, violations, trace, .. } = self;
        let name = check.name;
        let mut text = format!("{subject}: {name} {}\n", self.verdict);
        for violation in violations.iter().take(5) {
            let _ok = writeln!(text, "  {violation}");
            if let Some(rule) = reactive_streams::rule(violation.rule) {
                let _ok = writeln!(text, "    {}", rule.statement);
            }
        }
        let _ok = writeln!(text, "  {:<36}subscriber", "publisher");
        for (index, event) in trace.iter().enumerate().skip(trace.len().saturating_sub(SHOWN)) {
            let upstream = matches!(event.call, Call::Request(_) | Call::Cancel | Call::Subscribe);
            let indent = if upstream == (event.phase == Phase::Made) { 36 } else { 0 };
            let _ok = writeln!(text, "  {:indent$}{index}: {event}", "");
        }
        let _ok = write!(text, "run it alone with: cargo test -- {subject}::{name}");
        text
    }
}
