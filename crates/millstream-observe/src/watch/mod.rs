//! `Watch`: what changes from look to look: rates, roles and events.

mod events;
mod roles;
mod text;
mod verdict;

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use self::{events::Event, roles::Role, verdict::Verdict};
use self::{events::Events, roles::Shares};
use crate::{FlowReading, Inventory, Place, PolicyReading, Snapshot};

/// For how many seconds a rate and a role remember, about: long enough that a batch does not show
/// as a change, and short enough that a change shows.
const MEMORY_SECONDS: f64 = 2.0;

/// Looks at an inventory again and again, and says what changes: items a second, who sets the pace
/// of a flow, and what has happened. Nothing is counted between looks.
///
/// ```
/// use std::time::Duration;
/// use millstream::{Registry, range, scheduler::VirtualTime};
/// use millstream_observe::{Inventory, Role};
/// use millstream_testkit::Probe;
///
/// let (time, registry) = (VirtualTime::new(), Registry::new());
/// let flow = range(0..1_000).inspect_demand("numbers", &registry);
/// let inventory = Inventory::new("program", &time);
/// inventory.flow("main", &registry);
/// let mut watch = inventory.watch();
///
/// let probe = Probe::subscribe_to(flow);
/// watch.look();
/// probe.request(100);
/// time.advance(Duration::from_secs(1));
/// let view = watch.look();
/// assert_eq!(view.flows[0].stages[0].per_second, 100.0);
/// assert_eq!(view.flows[0].consumer, Role::Bottleneck); // it asks for no more
/// ```
#[derive(Debug)]
pub struct Watch {
    inventory: Inventory,
    last: Option<Arc<Snapshot>>,
    rates: HashMap<RateKey, Rate>,
    shares: Shares,
    events: Events,
}

/// What a look has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// All readings.
    pub snapshot: Arc<Snapshot>,
    /// What else is known of each flow, in the order of the snapshot.
    pub flows: Vec<FlowView>,
    /// What else is known of each policy, in the order of the snapshot.
    pub policies: Vec<PolicyView>,
    /// What has happened since the look before.
    pub events: Vec<Event>,
}

/// What a watch knows of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowView {
    /// Its stages, in the order of the snapshot.
    pub stages: Vec<StageView>,
    /// What the consumer below the last stage does.
    pub consumer: Role,
    /// Who sets the pace, and why; none before anything has passed.
    pub verdict: Option<Verdict>,
}

/// What a watch knows of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageView {
    /// Items that come by, a second.
    pub per_second: f64,
    /// What it does for the pace of its flow.
    pub role: Role,
}

/// What a watch knows of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyView {
    /// Items or calls that are offered, a second; none if it does not count them.
    pub offered_per_second: Option<f64>,
    /// Those that are passed on.
    pub delivered_per_second: Option<f64>,
    /// Those that are refused or dropped.
    pub dropped_per_second: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum RateKey {
    Stage(Place),
    Offered(String),
    Delivered(String),
    Dropped(String),
}

impl Inventory {
    /// Watches it. Each watch remembers for itself.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch {
            inventory: self.clone(),
            last: None,
            rates: HashMap::new(),
            shares: Shares::default(),
            events: Events::default(),
        }
    }
}

impl Watch {
    /// Reads the inventory, and compares with what it has seen before.
    pub fn look(&mut self) -> View {
        let snapshot = Arc::new(self.inventory.snapshot());
        let last = self.last.replace(Arc::clone(&snapshot));
        let seconds = last.as_ref().map(|last| snapshot.at_seconds - last.at_seconds);
        let step = Step { seconds, last };
        let flows: Vec<FlowView> =
            snapshot.flows.iter().map(|flow| self.look_at_flow(flow, &snapshot, &step)).collect();
        let policies =
            snapshot.policies.iter().map(|policy| self.look_at_policy(policy, &snapshot)).collect();
        self.forget(&snapshot);
        let events = self.events.between(step.last.as_deref(), &snapshot, &flows);
        View { snapshot, flows, policies, events }
    }

    fn look_at_flow(&mut self, flow: &FlowReading, snapshot: &Snapshot, step: &Step) -> FlowView {
        let shares: Vec<f64> = flow
            .stages
            .iter()
            .map(|stage| {
                let place = Place::from((&*flow.name, &*stage.name));
                self.shares.update(place, stage.is_asked(), step.weight())
            })
            .collect();
        let stages = flow.stages.iter().enumerate().map(|(index, stage)| {
            let place = Place::from((&*flow.name, &*stage.name));
            let per_second = self.rate(RateKey::Stage(place), stage.delivered, snapshot);
            StageView { per_second, role: roles::role_of(flow, &shares, index) }
        });
        let stages: Vec<StageView> = stages.collect();
        let consumer = roles::role_of_consumer(flow, &shares);
        let verdict = verdict::of(flow, &stages, consumer, snapshot);
        FlowView { stages, consumer, verdict }
    }

    fn look_at_policy(&mut self, policy: &PolicyReading, snapshot: &Snapshot) -> PolicyView {
        let Some(ledger) = &policy.reading.ledger else { return PolicyView::default() };
        let name = || policy.name.clone();
        let mut rate = |key, count| Some(self.rate(key, count, snapshot));
        PolicyView {
            offered_per_second: rate(RateKey::Offered(name()), ledger.offered),
            delivered_per_second: rate(RateKey::Delivered(name()), ledger.delivered),
            dropped_per_second: rate(RateKey::Dropped(name()), ledger.total_dropped()),
        }
    }

    /// The smoothed rate of a counter; 0 before there are two readings at two times.
    fn rate(&mut self, key: RateKey, count: u64, snapshot: &Snapshot) -> f64 {
        let at_seconds = snapshot.at_seconds;
        let first = Rate { count, at_seconds, smoothed: None };
        self.rates.entry(key).or_insert(first).update(count, at_seconds)
    }

    /// Forgets those that were removed.
    fn forget(&mut self, snapshot: &Snapshot) {
        let has_flow = |name: &str| snapshot.flow(name).is_some();
        self.rates.retain(|key, _| match key {
            RateKey::Stage(place) => has_flow(place.name()),
            RateKey::Offered(name) | RateKey::Delivered(name) | RateKey::Dropped(name) => {
                snapshot.policy(name).is_some()
            }
        });
        self.shares.retain(has_flow);
    }
}

/// The rate of a counter, and when it was read last.
#[derive(Debug)]
struct Rate {
    count: u64,
    at_seconds: f64,
    smoothed: Option<f64>,
}

impl Rate {
    fn update(&mut self, count: u64, at_seconds: f64) -> f64 {
        let seconds = at_seconds - self.at_seconds;
        // Where no time has passed, what came counts for the next look.
        if seconds <= 0.0 {
            return self.smoothed.unwrap_or(0.0);
        }
        // A counter that has fallen has begun anew.
        let grown = count.checked_sub(self.count).unwrap_or(count);
        let rate = grown as f64 / seconds;
        let smoothed = self.smoothed.map_or(rate, |old| old + (rate - old) * weight_of(seconds));
        // An exponential never gets to 0 by itself.
        let smoothed = if grown == 0 && smoothed < 0.05 { 0.0 } else { smoothed };
        *self = Self { count, at_seconds, smoothed: Some(smoothed) };
        smoothed
    }
}

/// How much of what is seen after so many seconds counts, against what is remembered.
fn weight_of(seconds: f64) -> f64 {
    1.0 - (-seconds.max(0.0) / MEMORY_SECONDS).exp()
}

/// From one look to the next.
struct Step {
    seconds: Option<f64>,
    last: Option<Arc<Snapshot>>,
}

impl Step {
    fn weight(&self) -> f64 {
        self.seconds.map_or(1.0, weight_of)
    }
}
