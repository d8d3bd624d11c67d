//! Who sets the pace of a flow, and who merely suffers from it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{FlowReading, Place};

/// What a stage does for the pace of its flow.
///
/// A stage is asked when items are missing below it, and it asks when items are missing above it.
/// Both are taken over the last seconds, since a flow changes between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// It is the source, and sends what it has: the flow is as fast as that.
    Source,
    /// It is asked and does not ask: it has the credit, and what it does takes the time.
    Bottleneck,
    /// It is not asked: what is below is slower.
    HeldBack,
    /// It is asked and asks: what is above is slower.
    Starved,
    /// Nothing more will pass.
    Ended,
}

/// From this share of the time on, something is so.
const MOSTLY: f64 = 0.5;

/// For what share of the last seconds places were asked.
#[derive(Debug, Default)]
pub(super) struct Shares(HashMap<Place, f64>);

impl Shares {
    pub(super) fn update(&mut self, place: Place, is_asked: bool, weight: f64) -> f64 {
        let now = f64::from(u8::from(is_asked));
        let share = self.0.entry(place).or_insert(now);
        *share += (now - *share) * weight;
        *share
    }

    pub(super) fn retain(&mut self, has_flow: impl Fn(&str) -> bool) {
        self.0.retain(|place, _| has_flow(place.name()));
    }
}

pub(super) fn role_of(flow: &FlowReading, shares: &[f64], index: usize) -> Role {
    let stage = &flow.stages[index];
    let is = |share: f64| share >= MOSTLY;
    if stage.is_ended() {
        Role::Ended
    } else if stage.requested == Some(0) {
        Role::Idle
    } else if !is(shares[index]) {
        Role::HeldBack
    } else if index == 0 {
        Role::Source
    } else if is(shares[index - 1]) {
        Role::Starved
    } else {
        Role::Bottleneck
    }
}

pub(super) fn role_of_consumer(flow: &FlowReading, shares: &[f64]) -> Role {
    match (flow.stages.last(), shares.last()) {
        (Some(last), _) if last.is_ended() => Role::Ended,
        (Some(last), _) if last.requested == Some(0) => Role::Idle,
        (Some(_), Some(share)) if *share >= MOSTLY => Role::Starved,
        (Some(_), Some(_)) => Role::Bottleneck,
        _ => Role::Idle,
    }
}
