//! Reading an inventory.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

use millstream::{LastSignal, Stage};

use super::{
    Edge, EdgeKind, Entries, FlowEntry, FlowReading, Inventory, Place, PolicyReading, Snapshot,
    StageReading, Stated, place::stage_names,
};
use crate::{Bound, Condition, Observe, Reading, reading::Text};

/// The form of snapshots.
const VERSION: u32 = 1;

impl Inventory {
    /// Reads everything now. Nothing that runs waits longer than one policy's reading takes.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let entries = self.entries();
        let flows: Vec<FlowReading> =
            entries.flows.iter().map(|flow| entries.read_flow(flow)).collect();
        let policies = entries.policies.iter().map(|entry| {
            let mut reading = read(&*entry.policy);
            reading.bound = reading.bound.overridden_by(entry.stated.bound);
            PolicyReading { name: entry.name.clone(), note: entry.stated.note.clone(), reading }
        });
        let policies = policies.collect();
        let edges = flows.iter().flat_map(derived).chain(entries.edges).collect();
        Snapshot {
            version: VERSION,
            name: self.name().to_owned(),
            at_seconds: self.clock().now().as_secs_f64(),
            flows,
            policies,
            edges,
        }
    }
}

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread reads a policy: a panic is then one of who looks, not of who works.
pub(crate) fn is_reading() -> bool {
    IS_READING.try_with(Cell::get).unwrap_or(false)
}

/// What a policy says of itself. One that panics is shown as such, and the others are read.
fn read(policy: &dyn Observe) -> Reading {
    let before = IS_READING.replace(true);
    // Nothing of ours is changed in there.
    let reading = panic::catch_unwind(AssertUnwindSafe(|| policy.reading()));
    IS_READING.set(before);
    let panicked = || Condition::critical("unreadable").because("reading it has panicked");
    reading.unwrap_or_else(|_| Reading { condition: panicked(), ..Reading::default() })
}

/// Each stage feeds the next.
fn derived(flow: &FlowReading) -> impl Iterator<Item = Edge> {
    let place = |stage: &StageReading| Place::from((&*flow.name, &*stage.name));
    let pairs = flow.stages.iter().zip(flow.stages.iter().skip(1));
    pairs.map(move |(one, next)| Edge {
        from: place(one),
        to: place(next),
        kind: EdgeKind::Derived,
    })
}

impl Entries {
    fn read_flow(&self, flow: &FlowEntry) -> FlowReading {
        let stages = flow.registry.stages();
        let names = stage_names(stages.iter().map(|stage| &*stage.name));
        let stages: Vec<StageReading> = stages
            .iter()
            .zip(names)
            .map(|(stage, name)| {
                let is_it = |(place, _): &&(Place, Stated)| {
                    matches!(place, Place::Stage { flow: of, stage } if *of == flow.name && *stage == name)
                };
                let stated = self.stages.iter().find(is_it).map(|(_, stated)| stated);
                read_stage(stage, name, stated.cloned().unwrap_or_default())
            })
            .collect();
        let bound = sum_of(&stages).overridden_by(flow.stated.bound);
        let stages = stages.into_iter().map(|stage| {
            // More than there can be: the stage does not make one item of each.
            let most = stage.bound.items.or(bound.items).unwrap_or(u64::MAX);
            StageReading { buffered: stage.buffered.filter(|&n| n <= most), ..stage }
        });
        let stages = stages.collect();
        FlowReading { name: flow.name.clone(), stages, bound, note: flow.stated.note.clone() }
    }
}

fn read_stage(stage: &Stage, name: String, stated: Stated) -> StageReading {
    let bounded = |n: u64| (n != u64::MAX).then_some(n);
    StageReading {
        name,
        requested: bounded(stage.requested),
        delivered: stage.delivered,
        skipped: stage.skipped,
        outstanding: bounded(stage.outstanding),
        buffered: stage.buffered,
        last: Text::Borrowed(match stage.last {
            LastSignal::Request => "request",
            LastSignal::Next => "item",
            LastSignal::Complete => "completed",
            LastSignal::Error => "failed",
            LastSignal::Cancel => "canceled",
            _ => "none",
        }),
        bound: stated.bound,
        note: stated.note,
    }
}

/// What all stages hold together, where each says it.
fn sum_of(stages: &[StageReading]) -> Bound {
    let sum = |of: fn(&Bound) -> Option<u64>| {
        stages
            .iter()
            .map(|stage| of(&stage.bound))
            .reduce(|one, other| Some(one?.saturating_add(other?)))?
    };
    Bound { items: sum(|bound| bound.items), item_bytes: None, bytes: sum(Bound::memory) }
}
