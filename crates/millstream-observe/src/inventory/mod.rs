//! `Inventory`: the flows and policies of a program by name, and which feeds which.

mod place;
mod read;
mod snapshot;

use std::{fmt, sync::Arc};

use millstream::{Backpressure, Publisher, Registry, scheduler::Scheduler};
use millstream_pressure::Clock;
use parking_lot::RwLock;

pub(crate) use self::{place::stage_names, read::is_reading};
pub use self::{
    place::{Place, UnknownPlace},
    snapshot::{Edge, EdgeKind, FlowReading, PolicyReading, Snapshot, StageReading},
};
use crate::{Bound, Observe};

/// The flows and policies of a program, by name, and which feeds which. A clone is the same one.
///
/// It holds handles, and counts nothing itself: what it costs is paid by those who read it. All
/// else of this crate reads it.
///
/// ```
/// use millstream::{Registry, range, scheduler::VirtualTime};
/// use millstream_observe::Inventory;
/// use millstream_pressure::{Queue, QueueConfig};
/// use millstream_testkit::Probe;
///
/// let time = VirtualTime::new();
/// let queue = Queue::new("orders", QueueConfig::default(), &time)?;
/// let registry = Registry::new();
/// let flow = queue
///     .flow()
///     .inspect_demand("orders", &registry)
///     .map(|order: u64| order + 1)
///     .inspect_demand("priced", &registry);
///
/// let inventory = Inventory::new("shop", &time);
/// inventory.policy(&queue);
/// inventory.bounded_flow("checkout", &registry, &flow);
/// inventory.connect("orders", "checkout")?;
///
/// let probe = Probe::subscribe_to(flow);
/// probe.request(2);
/// queue.try_put(7)?;
/// let snapshot = inventory.snapshot();
/// assert_eq!(snapshot.flows[0].stages[1].outstanding, Some(1));
/// println!("{}", inventory.describe());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Inventory(Arc<Shared>);

struct Shared {
    name: String,
    clock: Clock,
    /// Nothing of others is called under this lock.
    entries: RwLock<Entries>,
}

#[derive(Clone, Default)]
struct Entries {
    flows: Vec<FlowEntry>,
    policies: Vec<PolicyEntry>,
    edges: Vec<Edge>,
    /// Stated for single stages.
    stages: Vec<(Place, Stated)>,
}

#[derive(Clone)]
struct FlowEntry {
    name: String,
    registry: Registry,
    stated: Stated,
}

#[derive(Clone)]
struct PolicyEntry {
    name: String,
    policy: Arc<dyn Observe>,
    stated: Stated,
}

/// What a program says about a place that cannot be read there.
#[derive(Clone, Default)]
struct Stated {
    bound: Bound,
    note: Option<String>,
}

impl Inventory {
    /// Of a program of this name, by the clock of `scheduler`.
    #[must_use]
    pub fn new(name: &str, scheduler: &impl Scheduler) -> Self {
        let clock = Clock::of(scheduler);
        Self(Arc::new(Shared { name: name.to_owned(), clock, entries: RwLock::default() }))
    }

    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Adds a flow by the registry in which its places are counted. Each place feeds the next.
    ///
    /// If the name is taken, it gets a number; the place that is returned has it.
    pub fn flow(&self, name: &str, registry: &Registry) -> Place {
        let mut entries = self.0.entries.write();
        let name = entries.free_name(name);
        let registry = registry.clone();
        entries.flows.push(FlowEntry { name: name.clone(), registry, stated: Stated::default() });
        Place::Named(name)
    }

    /// As [`flow`](Self::flow), with the bound that `flow` states by its type: the most items that
    /// it holds at a time, each as large as what it sends.
    ///
    /// What items have on the heap is not in their size: state it with [`bound`](Self::bound).
    pub fn bounded_flow<P: Publisher + Backpressure>(
        &self,
        name: &str,
        registry: &Registry,
        flow: &P,
    ) -> Place {
        let place = self.flow(name, registry);
        let bound = Bound::items(flow.max_in_flight()).of_bytes_each(size_of::<P::Item>() as u64);
        self.state(&place, |stated| stated.bound = bound);
        place
    }

    /// Adds a policy, by the name that it was given.
    ///
    /// If the name is taken, it gets a number; the place that is returned has it.
    pub fn policy(&self, policy: &(impl Observe + Clone)) -> Place {
        let (name, policy) = (policy.name().to_owned(), Arc::new(policy.clone()));
        let mut entries = self.0.entries.write();
        let name = entries.free_name(&name);
        entries.policies.push(PolicyEntry {
            name: name.clone(),
            policy,
            stated: Stated::default(),
        });
        Place::Named(name)
    }

    /// States that what leaves `from` enters `to`. A flow's name stands for its last stage where it
    /// feeds, and for its first where it is fed.
    ///
    /// # Errors
    ///
    /// One of the two is not in the inventory.
    pub fn connect(
        &self,
        from: impl Into<Place>,
        to: impl Into<Place>,
    ) -> Result<(), UnknownPlace> {
        self.add_edge(EdgeKind::Stated, from.into(), to.into())
    }

    /// States that a policy stands in front of a stage, such as a breaker in front of the call that
    /// the stage makes. A flow's name stands for its first stage.
    ///
    /// # Errors
    ///
    /// One of the two is not in the inventory.
    pub fn guard(
        &self,
        policy: impl Into<Place>,
        stage: impl Into<Place>,
    ) -> Result<(), UnknownPlace> {
        self.add_edge(EdgeKind::Guard, policy.into(), stage.into())
    }

    fn add_edge(&self, kind: EdgeKind, from: Place, to: Place) -> Result<(), UnknownPlace> {
        let entries = self.entries();
        let edge = Edge {
            from: entries.end_of(&from).ok_or(UnknownPlace(from))?,
            to: entries.start_of(&to).ok_or(UnknownPlace(to))?,
            kind,
        };
        let mut entries = self.0.entries.write();
        if !entries.edges.contains(&edge) {
            entries.edges.push(edge);
        }
        Ok(())
    }

    /// States the most that is held at a place: of a stage, what is on its way between the place
    /// before and this one. It replaces what is known otherwise, as far as it says anything.
    ///
    /// # Errors
    ///
    /// The place is not in the inventory.
    pub fn bound(&self, at: impl Into<Place>, bound: Bound) -> Result<(), UnknownPlace> {
        let at = self.known(at.into())?;
        self.state(&at, |stated| stated.bound = stated.bound.overridden_by(bound));
        Ok(())
    }

    /// Says something about a place, for those who look at it: what it does, for which class of
    /// data, where its documentation is.
    ///
    /// # Errors
    ///
    /// The place is not in the inventory.
    pub fn note(&self, at: impl Into<Place>, text: &str) -> Result<(), UnknownPlace> {
        let at = self.known(at.into())?;
        self.state(&at, |stated| stated.note = Some(text.to_owned()));
        Ok(())
    }

    /// Takes out a flow or policy, with all that was stated about it. Returns whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        let is_of_it = |place: &Place| place.name() == name;
        let mut entries = self.0.entries.write();
        let n_before = entries.flows.len() + entries.policies.len();
        entries.flows.retain(|flow| flow.name != name);
        entries.policies.retain(|policy| policy.name != name);
        entries.edges.retain(|edge| !is_of_it(&edge.from) && !is_of_it(&edge.to));
        entries.stages.retain(|(place, _)| !is_of_it(place));
        entries.flows.len() + entries.policies.len() < n_before
    }

    /// The registries of the flows, by name.
    pub(crate) fn registries(&self) -> Vec<(String, Registry)> {
        let entries = self.0.entries.read();
        entries.flows.iter().map(|flow| (flow.name.clone(), flow.registry.clone())).collect()
    }

    /// Returns what it holds, so that nothing of others is called under the lock.
    fn entries(&self) -> Entries {
        self.0.entries.read().clone()
    }

    fn known(&self, place: Place) -> Result<Place, UnknownPlace> {
        if self.entries().has(&place) { Ok(place) } else { Err(UnknownPlace(place)) }
    }

    fn state(&self, at: &Place, change: impl FnOnce(&mut Stated)) {
        let mut entries = self.0.entries.write();
        let Entries { flows, policies, stages, .. } = &mut *entries;
        let stated = match at {
            Place::Named(name) => {
                let flow = flows.iter_mut().find(|flow| flow.name == *name);
                let policy = policies.iter_mut().find(|policy| policy.name == *name);
                flow.map(|flow| &mut flow.stated).or(policy.map(|policy| &mut policy.stated))
            }
            Place::Stage { .. } => {
                if !stages.iter().any(|(place, _)| place == at) {
                    stages.push((at.clone(), Stated::default()));
                }
                stages.iter_mut().find(|(place, _)| place == at).map(|(_, stated)| stated)
            }
        };
        if let Some(stated) = stated {
            change(stated);
        }
    }
}

impl Entries {
    /// The name, or the first one with a number behind it that is free.
    fn free_name(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            let flow = self.flows.iter().any(|flow| flow.name == name);
            flow || self.policies.iter().any(|policy| policy.name == name)
        };
        place::free_name(name, is_taken)
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.0.entries.read();
        f.debug_struct("Inventory")
            .field("name", &self.0.name)
            .field("flows", &entries.flows.len())
            .field("policies", &entries.policies.len())
            .finish()
    }
}
