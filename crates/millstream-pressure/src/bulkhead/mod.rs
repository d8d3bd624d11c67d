//! `Bulkhead`: so many calls in progress for each key, so that one that stalls sinks no other.

mod acquire;
mod config;

use std::{fmt, hash::Hash, sync::Arc};

use millstream::scheduler::Scheduler;
use millstream_kernel::Permits;
use parking_lot::Mutex;

pub use self::config::BulkheadConfig;
use crate::{
    Admit, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Policy, Pressure,
    PressureSource, Rejected, Settings as _, Settle, parts::Keys,
};

/// A compartment for each key, such as a tenant, a partition or a host: what is called for one key
/// takes no place from the others.
///
/// Without it, calls to a host that hangs take all places there are, and calls to the others wait
/// behind them. A key is the [`tenant`](Class::tenant) of a class, so that
/// [`acquire("acme")`](Self::acquire) and [`admit`](crate::FlowExt::admit_by) with
/// `Class::for_tenant("acme")` are the same.
///
/// A compartment with nothing in progress is forgotten when room is needed: it would be the same
/// when it comes back. While `max_keys` have one, the others share one, so that a flood of new
/// keys is held to what one of them gets, and no key that is known suffers.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Bulkhead, BulkheadConfig, Reason};
///
/// let config = BulkheadConfig { max_concurrent: 1, ..BulkheadConfig::default() };
/// let hosts = Bulkhead::new("hosts", config, &VirtualTime::new())?;
/// let _hangs = hosts.try_acquire("a.example")?;
/// assert_eq!(hosts.try_acquire("a.example").unwrap_err().reason, Reason::Limit);
/// assert!(hosts.try_acquire("b.example").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # On a flow
///
/// [`try_admit_by`](crate::FlowExt::try_admit_by) never holds the flow up: what a key may not do
/// now is passed on as a refusal. [`admit_by`](crate::FlowExt::admit_by) waits with the first item
/// that may not pass, and so has all keys wait for one: only for a flow of one key.
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is dropped gives its place back,
/// and one that is forgotten takes a place of its key alone.
#[derive(Clone)]
pub struct Bulkhead(Arc<Shared>);

struct Shared {
    core: Arc<Core>,
    state: Mutex<State>,
}

/// What compartments have in common.
struct Core {
    name: Arc<str>,
    clock: Clock,
    ledger: Ledger,
}

struct State {
    config: BulkheadConfig,
    keys: Keys<Arc<Compartment>>,
    /// For those that have none of their own.
    others: Arc<Compartment>,
}

struct Compartment {
    core: Arc<Core>,
    permits: Permits,
}

/// What [`Bulkhead`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadSnapshot {
    /// What became of each call that was asked for, of all keys; queued are those that wait or are
    /// in progress.
    pub balance: Balance,
    /// Keys that have a compartment of their own now.
    pub keys: usize,
    /// Compartments that were forgotten so far.
    pub evicted: u64,
    /// Calls in progress, of all keys.
    pub in_progress: u64,
    /// Calls that wait, of all keys.
    pub waiting: usize,
    /// Compartments with no free place.
    pub full: usize,
}

impl Bulkhead {
    /// No keys yet, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: BulkheadConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let core = Arc::new(Core { name: name.into(), clock, ledger: Ledger::new() });
        let others = Compartment::new(&core, &config);
        let state = Mutex::new(State { config, keys: Keys::new(), others });
        Ok(Self(Arc::new(Shared { core, state })))
    }

    /// The compartment of a tenant, and how many may wait in it, and how long.
    fn compartment(&self, tenant: u64) -> (Arc<Compartment>, BulkheadConfig) {
        let mut state = self.0.state.lock();
        let config = state.config;
        if let Some(compartment) = state.keys.get(tenant) {
            return (Arc::clone(compartment), config);
        }
        let mut idle = Vec::new();
        if state.keys.is_due(config.max_keys) {
            // Nobody holds a permit, or waits for one, or is about to: each of them holds it too.
            idle = state.keys.sweep(|compartment| Arc::strong_count(compartment) == 1);
        }
        let make = || Compartment::new(&self.0.core, &config);
        let compartment = state.keys.insert(tenant, config.max_keys, make);
        let compartment = compartment.unwrap_or_else(|| Arc::clone(&state.others));
        drop(state);
        drop(idle);
        (compartment, config)
    }
}

impl Compartment {
    fn new(core: &Arc<Core>, config: &BulkheadConfig) -> Arc<Self> {
        let permits = Permits::new(config.max_concurrent);
        Arc::new(Self { core: Arc::clone(core), permits })
    }

    fn permit(self: Arc<Self>) -> Permit {
        let grant = Grant { weight: 1, generation: 0, started: self.core.clock.now() };
        Permit::new(self, grant)
    }
}

impl Settle for Compartment {
    fn settle(&self, _: Grant, _: Outcome) {
        self.core.ledger.deliver(1);
        self.permits.release(1);
    }
}

impl Admit for Bulkhead {
    fn try_admit(&self, class: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire_for(class.tenant)
    }

    async fn admit(&self, class: Class) -> Result<Permit, Rejected<()>> {
        self.acquire_for(class.tenant).await
    }
}

/// A key's tenant, as in a class.
fn tenant(key: impl Hash) -> u64 {
    Class::for_tenant(key).tenant
}

impl Policy for Bulkhead {
    type Config = BulkheadConfig;
    type Snapshot = BulkheadSnapshot;

    fn name(&self) -> &str {
        &self.0.core.name
    }

    fn config(&self) -> BulkheadConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> BulkheadSnapshot {
        let state = self.0.state.lock();
        let (mut in_progress, mut waiting, mut full) = (0, 0, 0);
        for compartment in state.keys.values().chain([&state.others]) {
            let (limit, held, n_waiting) = compartment.permits.read();
            in_progress += held;
            waiting += n_waiting;
            full += usize::from(held >= limit);
        }
        let (keys, evicted) = (state.keys.len(), state.keys.evicted());
        let balance = self.0.core.ledger.balance();
        BulkheadSnapshot { balance, keys, evicted, in_progress, waiting, full }
    }

    /// Replaces the configuration, and the places of each compartment. What is in progress goes
    /// on; a compartment that shrinks grants nothing until it has ended.
    fn reconfigure(&self, config: BulkheadConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let all: Vec<_> = {
            let mut state = self.0.state.lock();
            state.config = config;
            state.keys.values().chain([&state.others]).cloned().collect()
        };
        // That wakes those who wait: after the lock.
        all.iter().for_each(|compartment| compartment.permits.set_limit(config.max_concurrent));
        Ok(())
    }
}

/// The share of compartments without a free place, of those that have anything in progress.
impl PressureSource for Bulkhead {
    fn pressure(&self) -> Option<Pressure> {
        let state = self.0.state.lock();
        let all = state.keys.values().chain([&state.others]);
        let busy =
            all.map(|compartment| compartment.permits.read()).filter(|(_, held, _)| *held > 0);
        let (n_full, n) = busy.fold((0, 0), |(n_full, n), (limit, held, _)| {
            (n_full + u64::from(held >= limit), n + 1)
        });
        Some(Pressure::of(n_full, n.max(1), self.0.core.clock.now()))
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("name", &self.0.core.name)
            .field("keys", &self.0.state.lock().keys.len())
            .finish_non_exhaustive()
    }
}
