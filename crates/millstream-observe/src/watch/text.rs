//! A view for a terminal.

use std::fmt::Write as _;

use super::{FlowView, Role, View};
use crate::{FlowReading, PolicyReading, Severity, describe::plain, svg::shortened};

/// Events that are shown.
const N_EVENTS: usize = 8;
/// Columns of a name.
const NAME: usize = 24;

impl View {
    /// For a terminal of `width` columns: who sets the pace of each flow, its stages with their
    /// rates and demand, the policies with the worst first, and what has happened.
    ///
    /// It is plain text. Names that hold control characters, or turn the direction of writing, are
    /// shown without them.
    ///
    /// ```
    /// use millstream::{Registry, range, scheduler::VirtualTime};
    /// use millstream_observe::Inventory;
    ///
    /// let registry = Registry::new();
    /// let flow = range(0..9).inspect_demand("numbers", &registry);
    /// let inventory = Inventory::new("squares", &VirtualTime::new());
    /// inventory.flow("main", &registry);
    /// flow.count().wait()?;
    ///
    /// let text = inventory.watch().look().to_text(80);
    /// assert!(text.contains("main  0/s  The flow has completed"));
    /// assert!(text.lines().all(|line| line.chars().count() <= 80));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let mut lines: Vec<String> = Vec::new();
        let snapshot = &self.snapshot;
        let (n_flows, n_policies) = (snapshot.flows.len(), snapshot.policies.len());
        let name = plain(&snapshot.name);
        lines.push(format!("{name}  {n_flows} flows, {n_policies} policies"));
        for (flow, view) in snapshot.flows.iter().zip(&self.flows) {
            lines.push(String::new());
            flow_lines(&mut lines, flow, view);
        }
        if n_policies > 0 {
            lines.push(String::new());
            self.policy_lines(&mut lines);
        }
        if !self.events.is_empty() {
            lines.push(String::new());
        }
        for event in self.events.iter().rev().take(N_EVENTS) {
            let mark = mark(event.severity);
            lines.push(plain(&format!("{mark} {} {}", event.place, event.text)));
        }
        let mut text = String::new();
        for line in lines {
            // Writing to a string does not fail.
            let _written = writeln!(text, "{}", shortened(&line, width).trim_end());
        }
        text
    }

    fn policy_lines(&self, lines: &mut Vec<String>) {
        lines.push(format!(
            "  {:NAME$} {:18} {:>15} {:>8} {:>10}  state",
            "policy", "kind", "used", "in/s", "refused/s"
        ));
        let mut policies: Vec<_> = self.snapshot.policies.iter().zip(&self.policies).collect();
        policies.sort_by_key(|(policy, _)| std::cmp::Reverse(policy.reading.condition.severity));
        for (policy, view) in policies {
            let PolicyReading { name, reading, .. } = policy;
            let used =
                reading.usage.as_ref().map_or_else(String::new, |usage| match usage.capacity {
                    0 => compact(usage.used as f64),
                    capacity => {
                        format!("{}/{}", compact(usage.used as f64), compact(capacity as f64))
                    }
                });
            let rate = |rate: Option<f64>| rate.map_or_else(String::new, compact);
            let condition = &reading.condition;
            let reason = condition.reason.as_deref().map(|reason| format!(": {reason}"));
            lines.push(plain(&format!(
                "{} {:NAME$} {:18} {used:>15} {:>8} {:>10}  {}{}",
                mark(condition.severity),
                shortened(name, NAME),
                shortened(&reading.kind, 18),
                rate(view.offered_per_second),
                rate(view.dropped_per_second),
                condition.state,
                reason.unwrap_or_default()
            )));
        }
    }
}

fn flow_lines(lines: &mut Vec<String>, flow: &FlowReading, view: &FlowView) {
    let rate = view.stages.last().map_or(0.0, |stage| stage.per_second);
    let verdict = view.verdict.as_ref().map_or("nothing was asked for yet", |it| &*it.text);
    let mut chars = verdict.chars();
    let verdict: String =
        chars.next().iter().flat_map(|char| char.to_uppercase()).chain(chars).collect();
    let name = shortened(&flow.name, NAME);
    lines.push(plain(&format!("{name}  {}/s  {verdict}", compact(rate))));
    lines.push(format!(
        "  {:NAME$} {:>10} {:>10} {:>10}  role",
        "stage", "items/s", "asked for", "holds"
    ));
    for (stage, view) in flow.stages.iter().zip(&view.stages) {
        let number =
            |n: Option<u64>, none: &str| n.map_or_else(|| none.to_owned(), |n| compact(n as f64));
        let role = match view.role {
            Role::Ended => plain(&stage.last),
            role => in_words(role).to_owned(),
        };
        let mark = if view.role == Role::Bottleneck { '>' } else { ' ' };
        lines.push(plain(&format!(
            "{mark} {:NAME$} {:>10} {:>10} {:>10}  {role}",
            shortened(&stage.name, NAME),
            compact(view.per_second),
            number(stage.outstanding, "no bound"),
            number(stage.buffered, "-"),
        )));
    }
}

const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Idle => "idle",
        Role::Source => "source",
        Role::Bottleneck => "bottleneck",
        Role::HeldBack => "held back",
        Role::Starved => "starved",
        Role::Ended => "ended",
    }
}

const fn mark(severity: Severity) -> char {
    match severity {
        Severity::Normal => ' ',
        Severity::Warning => '*',
        Severity::Critical => '!',
    }
}

/// Three digits and a unit.
fn compact(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.1}G", n / 1e9),
        n if n >= 1e6 => format!("{:.1}M", n / 1e6),
        n if n >= 1e4 => format!("{:.1}k", n / 1e3),
        n if n.fract() == 0.0 || n >= 100.0 => format!("{n:.0}"),
        n => format!("{n:.1}"),
    }
}
