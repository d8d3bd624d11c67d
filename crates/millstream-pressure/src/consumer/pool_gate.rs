//! `PoolGate`: the line in front of a pool, such as one of connections to a database.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use millstream_kernel::{Acquired, Permits, Wait};
use parking_lot::Mutex;

use crate::{
    Admit, Balance, Class, Clock, Grant, Histogram, InvalidSetting, Ledger, Outcome, Permit,
    Policy, Pressure, PressureSource, Reason, Rejected, Settings, Settle,
    parts::{Offered, granted_until},
};

const POLICY: &str = "pool_gate";

/// Over how many of the last waits the quantiles are.
const WAITS: usize = 1_000;

/// How a [`PoolGate`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct PoolConfig {
    /// How many may be in use at a time. Default: 10.
    pub size: u64,
    /// How many may wait for one. Default: 100.
    pub max_waiting: usize,
    /// How long one waits. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { size: 10, max_waiting: 100, timeout: Duration::from_secs(5) }
    }
}

impl Settings for PoolConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let is_valid = (1..=1 << 32).contains(&self.size);
        InvalidSetting::unless(is_valid, POLICY, "size", self.size, "from 1 to 2^32")?;
        InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)
    }
}

/// Hands out the members of a pool, such as connections to a database, by number: so many at a
/// time, first come, first served, for a limited time, with how long that took.
///
/// How long callers wait for a connection is the first sign that a pool is too small, or that what
/// it leads to is slow, long before calls fail. A pool of one's own stays what it is; the gate
/// stands in front of it.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Outcome, Policy as _, PoolConfig, PoolGate, Reason};
///
/// let config = PoolConfig { size: 1, max_waiting: 0, ..PoolConfig::default() };
/// let gate = PoolGate::new("database", config, &VirtualTime::new())?;
/// let connection = gate.try_acquire()?;
/// assert_eq!(gate.try_acquire().unwrap_err().reason, Reason::Limit);
/// connection.finish(Outcome::Success); // or a drop
/// assert_eq!(gate.snapshot().in_use, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is dropped frees its place, and
/// one that is forgotten never does: [`oldest`](PoolSnapshot::oldest) says for how long one is
/// held. A caller that gives up leaves the line.
#[derive(Clone)]
pub struct PoolGate(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    permits: Permits,
    ledger: Ledger,
    state: Mutex<State>,
}

struct State {
    config: PoolConfig,
    /// The last waits of those who got a place, the latest last.
    waits: VecDeque<Duration>,
    queueing: Histogram,
    n_acquired: u64,
    /// Since when places are held.
    held: BTreeSet<(Duration, u64)>,
}

/// What [`PoolGate`] says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolSnapshot {
    /// What became of each call that asked for a place; queued are those that wait or hold one.
    pub balance: Balance,
    /// Places.
    pub size: u64,
    /// Places that are held.
    pub in_use: u64,
    /// Callers that wait.
    pub waiting: usize,
    /// Places that were handed out so far.
    pub acquired: u64,
    /// How long those who got them waited, in all.
    pub waited: Duration,
    /// How long each of them waited.
    pub queueing: Histogram,
    /// Half of the last thousand waited for less.
    pub median_wait: Duration,
    /// 99 of 100 of them waited for less.
    pub p99_wait: Duration,
    /// The longest of their waits.
    pub longest_wait: Duration,
    /// For how long the place that was handed out first of those in use is held; none where none
    /// is in use.
    pub oldest: Option<Duration>,
}

impl PoolGate {
    /// All places are free, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: PoolConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let state = State {
            config,
            waits: VecDeque::new(),
            queueing: Histogram::new(),
            n_acquired: 0,
            held: BTreeSet::new(),
        };
        Ok(Self(Arc::new(Shared {
            name: name.into(),
            clock: Clock::of(scheduler),
            permits: Permits::new(config.size),
            ledger: Ledger::new(),
            state: Mutex::new(state),
        })))
    }

    /// A place, if one is free and nobody waits for one. Never waits.
    ///
    /// # Errors
    ///
    /// [`Limit`](Reason::Limit).
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        let offered = Offered::new(&self.0.ledger);
        match self.0.permits.try_acquire(1) {
            Acquired::Granted => {
                offered.accept();
                Ok(self.permit(self.0.clock.now()))
            }
            _ => Err(offered.refuse(Reason::Limit)),
        }
    }

    /// Waits for a place, first come, first served, for the configured time at most. Dropping the
    /// future gives up.
    ///
    /// # Errors
    ///
    /// [`Limit`](Reason::Limit) where as many wait as may; [`Timeout`](Reason::Timeout), also at
    /// once if the scheduler has stopped or has no clock.
    pub async fn acquire(&self) -> Result<Permit, Rejected<()>> {
        let PoolConfig { max_waiting, timeout, .. } = self.config();
        let offered = Offered::new(&self.0.ledger);
        let clock = &self.0.clock;
        let came = clock.now();
        let wait = Wait::new(Line(Arc::clone(&self.0)), 1).at_most(max_waiting);
        match granted_until(wait, clock, came.saturating_add(timeout)).await {
            Ok(()) => {
                offered.accept();
                Ok(self.permit(came))
            }
            Err(reason) => Err(offered.refuse(reason)),
        }
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the scheduler runs its
    /// timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self) -> Result<Permit, Rejected<()>> {
        pollster::block_on(self.acquire())
    }

    /// The permit of one who came then and has a place now.
    fn permit(&self, came: Duration) -> Permit {
        let started = self.0.clock.now();
        let number = {
            let mut state = self.0.state.lock();
            let wait = started.saturating_sub(came);
            state.queueing.add(wait);
            state.waits.push_back(wait);
            if state.waits.len() > WAITS {
                state.waits.pop_front();
            }
            state.n_acquired += 1;
            let number = state.n_acquired;
            state.held.insert((started, number));
            number
        };
        let grant = Grant { weight: 1, generation: number, started };
        Permit::new(Arc::<Shared>::clone(&self.0), grant)
    }
}

impl Settle for Shared {
    fn settle(&self, grant: Grant, _: Outcome) {
        self.state.lock().held.remove(&(grant.started, grant.generation));
        self.ledger.deliver(1);
        self.permits.release(1);
    }
}

impl Admit for PoolGate {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire().await
    }
}

/// Those who wait.
struct Line(Arc<Shared>);

impl Deref for Line {
    type Target = Permits;

    fn deref(&self) -> &Permits {
        &self.0.permits
    }
}

impl Policy for PoolGate {
    type Config = PoolConfig;
    type Snapshot = PoolSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> PoolConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> PoolSnapshot {
        let now = self.0.clock.now();
        let (size, in_use, waiting) = self.0.permits.read();
        let balance = self.0.ledger.balance();
        let state = self.0.state.lock();
        let (acquired, queueing) = (state.n_acquired, state.queueing);
        let oldest = state.held.first().map(|(since, _)| now.saturating_sub(*since));
        let mut waits: Vec<Duration> = state.waits.iter().copied().collect();
        drop(state);
        waits.sort_unstable();
        let at = |percent: usize| {
            // The smallest that is not less than so many of 100 of them.
            let rank = (waits.len() * percent).div_ceil(100).saturating_sub(1);
            waits.get(rank).copied().unwrap_or_default()
        };
        PoolSnapshot {
            balance,
            size,
            in_use,
            waiting,
            acquired,
            waited: queueing.sum(),
            queueing,
            median_wait: at(50),
            p99_wait: at(99),
            longest_wait: at(100),
            oldest,
        }
    }

    /// Replaces the configuration. What is in use stays so; where there are fewer places, none is
    /// handed out until they are free. Those who wait keep their time.
    fn reconfigure(&self, config: PoolConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        // That wakes those who wait: after the lock.
        self.0.permits.set_limit(config.size);
        Ok(())
    }
}

/// The share of places that are in use.
impl PressureSource for PoolGate {
    fn pressure(&self) -> Option<Pressure> {
        let (size, in_use, _) = self.0.permits.read();
        Some(Pressure::of(in_use, size, self.0.clock.now()))
    }
}

impl fmt::Debug for PoolGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolGate").field("name", &self.0.name).finish_non_exhaustive()
    }
}
