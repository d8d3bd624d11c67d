//! A description as a diagram.

use std::{collections::BTreeMap, fmt::Write as _};

use super::Description;
use crate::{Bound, EdgeKind, Place};

/// Characters of a name that are shown.
const LONGEST: usize = 60;

impl Description {
    /// A flowchart for Mermaid, as Markdown on many sites shows it: stages as boxes, policies that
    /// hold items as cylinders, and others with a dotted line to what they guard.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut chart = String::from("flowchart LR\n");
        let mut ids: BTreeMap<Place, String> = BTreeMap::new();
        for (index, flow) in self.snapshot.flows.iter().enumerate() {
            put(&mut chart, format_args!("  subgraph f{index} [\"{}\"]\n", label(&flow.name)));
            for stage in &flow.stages {
                let id = format!("n{}", ids.len());
                put(&mut chart, format_args!("    {id}[\"{}\"]\n", label(&stage.name)));
                ids.insert(Place::from((&*flow.name, &*stage.name)), id);
            }
            chart.push_str("  end\n");
        }
        for policy in &self.snapshot.policies {
            let id = format!("n{}", ids.len());
            let (name, kind) = (label(&policy.name), label(&policy.reading.kind));
            match policy.reading.bound {
                Bound::NOTHING => put(&mut chart, format_args!("  {id}([\"{kind} {name}\"])\n")),
                Bound { items: Some(items), .. } => {
                    put(&mut chart, format_args!("  {id}[(\"{kind} {name}<br>≤ {items}\")]\n"));
                }
                _ => put(&mut chart, format_args!("  {id}[(\"{kind} {name}\")]\n")),
            }
            ids.insert(Place::Named(policy.name.clone()), id);
        }
        for edge in &self.snapshot.edges {
            if let (Some(from), Some(to)) = (ids.get(&edge.from), ids.get(&edge.to)) {
                let arrow = if edge.kind == EdgeKind::Guard { "-.-" } else { "-->" };
                put(&mut chart, format_args!("  {from} {arrow} {to}\n"));
            }
        }
        chart
    }
}

fn put(chart: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _written = chart.write_fmt(line);
}

/// A name as text: what Mermaid or HTML would take for more is written as a character reference.
fn label(name: &str) -> String {
    let mut label = String::new();
    let mut chars = name.chars();
    for char in chars.by_ref().take(LONGEST) {
        if char.is_alphanumeric() || matches!(char, ' ' | '-' | '_' | '.' | '/' | '(' | ')') {
            label.push(char);
        } else {
            put(&mut label, format_args!("#{};", u32::from(char)));
        }
    }
    if chars.next().is_some() {
        label.push('…');
    }
    label
}
