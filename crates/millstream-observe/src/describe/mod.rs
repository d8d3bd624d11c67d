//! `Description`: the topology of a program with all its bounds, as text, JSON or a diagram.

mod mermaid;
mod svg;
mod text;

pub(crate) use self::text::plain;

use serde::{Deserialize, Serialize};

use crate::{Bound, Inventory, Snapshot};

/// The topology of a program: what feeds what, which policy stands where, the most items and bytes
/// at each place, and the most memory of the whole.
///
/// Its `Display` is for people; `serde` writes it for programs, and
/// [`to_mermaid`](Self::to_mermaid) and [`to_svg`](Self::to_svg) as diagrams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// What it was made of.
    pub snapshot: Snapshot,
    /// The most that each flow and policy holds.
    pub bounds: Vec<NamedBound>,
    /// The most memory that all items take which are held at places whose bound is known, in bytes;
    /// none if something is without bound.
    pub worst_case_bytes: Option<u64>,
    /// The flows and policies whose bound in bytes is not known, and not in the sum.
    pub unknown: Vec<String>,
    /// Those that are without bound.
    pub unbounded: Vec<String>,
}

/// The most that a flow or policy holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedBound {
    /// The flow or policy.
    pub name: String,
    /// How much.
    pub bound: Bound,
}

impl Inventory {
    /// Describes the topology, with every bound and the worst-case memory.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description::of(self.snapshot())
    }
}

impl Description {
    /// Of a snapshot, which may come from elsewhere.
    #[must_use]
    pub fn of(snapshot: Snapshot) -> Self {
        let flows = snapshot.flows.iter().map(|flow| (&flow.name, flow.bound));
        let policies = snapshot.policies.iter().map(|policy| (&policy.name, policy.reading.bound));
        let bounds: Vec<NamedBound> = flows
            .chain(policies)
            .map(|(name, bound)| NamedBound { name: name.clone(), bound })
            .collect();
        let names = |is_it: fn(Option<u64>) -> bool| {
            let those = bounds.iter().filter(|named| is_it(named.bound.memory()));
            those.map(|named| named.name.clone()).collect::<Vec<_>>()
        };
        let unknown = names(|memory| memory.is_none());
        let unbounded = names(|memory| memory == Some(u64::MAX));
        let known = bounds.iter().filter_map(|named| named.bound.memory());
        let sum = known.fold(0_u64, u64::saturating_add);
        let worst_case_bytes = unbounded.is_empty().then_some(sum);
        Self { snapshot, bounds, worst_case_bytes, unknown, unbounded }
    }
}
