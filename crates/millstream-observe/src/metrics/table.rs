//! The metrics that all stages and all policies have.

use crate::{Reading, StageReading};

/// A metric, and where it is read.
pub(super) struct Metric<T> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) is_counter: bool,
    pub(super) read: fn(&T) -> Option<f64>,
}

pub(super) const STAGES: &[Metric<StageReading>] = &[
    Metric {
        name: "millstream_stage_delivered_items",
        help: "Items that came by",
        is_counter: true,
        read: |stage| Some(stage.delivered as f64),
    },
    Metric {
        name: "millstream_stage_skipped_items",
        help: "Items that the next operator dropped",
        is_counter: true,
        read: |stage| Some(stage.skipped as f64),
    },
    Metric {
        name: "millstream_stage_outstanding_demand_items",
        help: "Items that were asked for and have not come; +Inf is without bound",
        is_counter: false,
        read: |stage| Some(stage.outstanding.map_or(f64::INFINITY, |n| n as f64)),
    },
    Metric {
        name: "millstream_stage_held_items",
        help: "Items that the stage holds, where it makes one of each",
        is_counter: false,
        read: |stage| stage.buffered.map(|n| n as f64),
    },
    Metric {
        name: "millstream_stage_ended",
        help: "1 once nothing more will pass",
        is_counter: false,
        read: |stage| Some(f64::from(u8::from(stage.is_ended()))),
    },
    Metric {
        name: "millstream_stage_failed",
        help: "1 once the flow has failed here",
        is_counter: false,
        read: |stage| Some(f64::from(u8::from(stage.last == "failed"))),
    },
];

pub(super) const POLICIES: &[Metric<Reading>] = &[
    Metric {
        name: "millstream_policy_severity",
        help: "0 as it should be, 1 slows somebody down, 2 refuses or loses something",
        is_counter: false,
        read: |reading| Some(f64::from(reading.condition.severity as u8)),
    },
    Metric {
        name: "millstream_policy_used",
        help: "How much of it is used: items, calls, credits, cells, keys or bytes",
        is_counter: false,
        read: |reading| reading.usage.as_ref().map(|usage| usage.used as f64),
    },
    Metric {
        name: "millstream_policy_capacity",
        help: "How much of it there is",
        is_counter: false,
        read: |reading| reading.usage.as_ref().map(|usage| usage.capacity as f64),
    },
    Metric {
        name: "millstream_policy_utilization_ratio",
        help: "How much of it is used, from 0 to 1",
        is_counter: false,
        read: |reading| reading.usage.as_ref()?.share(),
    },
    Metric {
        name: "millstream_policy_waiting",
        help: "How many wait for it",
        is_counter: false,
        read: |reading| reading.usage.as_ref().map(|usage| usage.waiting as f64),
    },
    Metric {
        name: "millstream_policy_oldest_age_seconds",
        help: "How long the oldest item has waited; 0 where none waits",
        is_counter: false,
        read: |reading| {
            let usage = reading.usage.as_ref()?;
            let is_store = matches!(&*reading.kind, "queue" | "lanes" | "processor" | "spill");
            usage.oldest_seconds.or(is_store.then_some(0.0))
        },
    },
    Metric {
        name: "millstream_policy_offered_items",
        help: "Items or calls that came",
        is_counter: true,
        read: |reading| reading.ledger.as_ref().map(|ledger| ledger.offered as f64),
    },
    Metric {
        name: "millstream_policy_delivered_items",
        help: "Items or calls that were passed on",
        is_counter: true,
        read: |reading| reading.ledger.as_ref().map(|ledger| ledger.delivered as f64),
    },
    Metric {
        name: "millstream_policy_queued_items",
        help: "Items or calls that were neither passed on nor dropped yet",
        is_counter: false,
        read: |reading| reading.ledger.as_ref().map(|ledger| ledger.queued as f64),
    },
];
