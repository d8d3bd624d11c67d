//! A description for people.

use std::fmt;

use super::Description;
use crate::{Bound, EdgeKind, FlowReading, Place, PolicyReading};

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", plain(&self.snapshot.name))?;
        for flow in &self.snapshot.flows {
            self.write_flow(f, flow)?;
        }
        if !self.snapshot.policies.is_empty() {
            writeln!(f, "\npolicies")?;
        }
        for policy in &self.snapshot.policies {
            self.write_policy(f, policy)?;
        }
        writeln!(f, "\n{}", self.memory_in_words())?;
        if !self.unknown.is_empty() {
            writeln!(f, "state the missing bounds with `Inventory::bound`")?;
        }
        Ok(())
    }
}

impl Description {
    pub(super) fn memory_in_words(&self) -> String {
        match self.worst_case_bytes {
            Some(bytes) if self.unknown.is_empty() => {
                format!("worst-case memory: {}", Bytes(bytes))
            }
            Some(bytes) => {
                let (bytes, unknown) = (Bytes(bytes), list(&self.unknown));
                format!("worst-case memory: {bytes} without {unknown}, whose bounds are not stated")
            }
            None => {
                let unbounded = list(&self.unbounded);
                format!("worst-case memory: without bound, because of {unbounded}")
            }
        }
    }

    fn write_flow(&self, f: &mut fmt::Formatter<'_>, flow: &FlowReading) -> fmt::Result {
        let (name, bound) = (plain(&flow.name), InWords(flow.bound));
        writeln!(f, "\nflow {name}: {bound}")?;
        if let Some(note) = &flow.note {
            writeln!(f, "  {}", plain(note))?;
        }
        for (index, stage) in flow.stages.iter().enumerate() {
            let place = Place::from((&*flow.name, &*stage.name));
            let arrow = if index == 0 { "  " } else { "→ " };
            write!(f, "  {arrow}{}", plain(&stage.name))?;
            if stage.bound != Bound::default() {
                write!(f, ": {}", InWords(stage.bound))?;
            }
            let guards: Vec<&str> = self.snapshot.guards_of(&place).collect();
            if !guards.is_empty() {
                write!(f, " [behind {}]", list(&guards))?;
            }
            for edge in &self.snapshot.edges {
                if edge.kind == EdgeKind::Stated && edge.to == place {
                    write!(f, " ← {}", plain(&edge.from.to_string()))?;
                }
                if edge.kind == EdgeKind::Stated && edge.from == place {
                    write!(f, " → {}", plain(&edge.to.to_string()))?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_policy(&self, f: &mut fmt::Formatter<'_>, policy: &PolicyReading) -> fmt::Result {
        let PolicyReading { name, note, reading } = policy;
        write!(f, "  {} {}: ", reading.kind, plain(name))?;
        match reading.bound {
            Bound::NOTHING => write!(f, "holds no items")?,
            bound => write!(f, "{}", InWords(bound))?,
        }
        if let Some(settings) = reading.settings.as_object() {
            let settings = settings.iter().filter(|(_, value)| !value.is_null());
            let settings: Vec<String> = settings.map(|(key, it)| format!("{key} {it}")).collect();
            write!(f, "; {}", settings.join(", "))?;
        }
        writeln!(f)?;
        note.as_ref().map_or(Ok(()), |note| writeln!(f, "    {}", plain(note)))
    }
}

/// A name without what would break the line, move the terminal's cursor, or turn around what comes
/// after it.
pub(crate) fn plain(name: &str) -> String {
    let is_plain = |char: char| {
        !char.is_control() && !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    name.chars().map(|char| if is_plain(char) { char } else { '\u{fffd}' }).collect()
}

fn list<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> =
        names.iter().map(|name| format!("`{}`", plain(name.as_ref()))).collect();
    quoted.join(", ")
}

/// A bound as a person reads it.
pub(super) struct InWords(pub(super) Bound);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.items {
            Some(u64::MAX) => return f.write_str("without bound"),
            Some(items) => write!(f, "at most {items} items")?,
            None => f.write_str("items not stated")?,
        }
        match (self.0.memory(), self.0.item_bytes) {
            (Some(0), _) => Ok(()),
            (Some(bytes), Some(each)) => write!(f, " of {}, {}", Bytes(each), Bytes(bytes)),
            (Some(bytes), None) => write!(f, ", {}", Bytes(bytes)),
            (None, _) => f.write_str(", bytes not stated"),
        }
    }
}

/// Bytes as a person reads them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        match bytes {
            0..1024 => write!(f, "{bytes} B"),
            1024..1_048_576 => write!(f, "{:.1} KiB", bytes as f64 / 1024.0),
            1_048_576..1_073_741_824 => write!(f, "{:.1} MiB", bytes as f64 / 1_048_576.0),
            _ => write!(f, "{:.1} GiB", bytes as f64 / 1_073_741_824.0),
        }
    }
}
