//! `ConcurrencyLimit`: how many calls may be in progress, found from how they end.

mod acquire;
mod algorithm;
mod config;
mod flow;
mod partitions;
mod snapshot;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use millstream::scheduler::Scheduler;
use millstream_kernel::{Permits, Wake};
use parking_lot::Mutex;

use self::partitions::Partitions;
pub use self::{
    algorithm::{
        Aimd, Algorithm, Gradient, Gradient2, Limiter, Little, Reno, Sample, Target, Vegas,
    },
    config::{LimitConfig, Share},
    flow::MapAsyncLimited,
    snapshot::{LimitSnapshot, PartitionSnapshot},
};
use crate::{
    Clock, Grant, Histogram, InvalidSetting, Ledger, Outcome, Policy, Pressure, PressureSource,
    Random, Settings as _, Settle,
};

/// A limit on how many calls are in progress, found by an [`Algorithm`] from how calls end and how
/// long they take.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{
///     Algorithm, ConcurrencyLimit, LimitConfig, Outcome, Policy as _, Reason,
/// };
///
/// let time = VirtualTime::new();
/// let config = LimitConfig { algorithm: Algorithm::Fixed(2), ..LimitConfig::default() };
/// let limit = ConcurrencyLimit::new("database", config, &time)?;
///
/// let first = limit.try_acquire()?;
/// let _second = limit.try_acquire()?;
/// assert_eq!(limit.try_acquire().unwrap_err().reason, Reason::Limit);
///
/// first.finish(Outcome::Success);
/// assert_eq!(limit.snapshot().in_flight, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Partitions
///
/// A handle of [`partition`](Self::partition) acquires for one part of the callers, and the limit
/// itself for all others. What a partition has used lately, up to its share, is kept free for it;
/// the rest is lent to whoever comes. The limit is never exceeded, so that one that was idle gets
/// its share back as the calls of others end.
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is dropped is given back and
/// says nothing about the other side; one that was acquired before another algorithm was set is
/// given back, and the new one does not hear of it; one that is forgotten stays in progress, as
/// the snapshot shows. A clock that is set back makes calls that took no time.
#[derive(Clone)]
pub struct ConcurrencyLimit(Arc<Handle>);

/// A limit, and for whom this handle acquires.
struct Handle {
    shared: Arc<Shared>,
    /// The index of a partition, if there are any.
    partition: Option<usize>,
}

struct Shared {
    name: Arc<str>,
    clock: Clock,
    total: Permits,
    /// One for each partition, and one for all others; none without partitions.
    parts: Vec<Permits>,
    ledger: Ledger,
    state: Mutex<State>,
    /// Flows that want to know when the limit grows.
    watchers: Mutex<Vec<Weak<dyn Wake>>>,
}

struct State {
    config: LimitConfig,
    limiter: Limiter,
    /// Of the algorithm.
    generation: u64,
    limit: u64,
    partitions: Partitions,
    /// Counts changes of the limit and of what partitions may have.
    version: u64,
    outcomes: [u64; 5],
    /// The mean latency of the last calls, in seconds.
    latency: f64,
    /// How long each call took that says something about the other side.
    processing: Histogram,
    random: Random,
}

impl ConcurrencyLimit {
    /// A limit that goes by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: LimitConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let limiter = config.algorithm.limiter();
        let limit = limiter.limit();
        let permits = if config.newest_first { Permits::newest_first } else { Permits::new };
        let n_parts = match config.partitions.len() {
            0 => 0,
            n => n + 1,
        };
        let partitions = Partitions::new(&config, limit);
        let state = State {
            config,
            limiter,
            generation: 0,
            limit,
            partitions,
            version: 0,
            outcomes: [0; 5],
            latency: 0.0,
            processing: Histogram::new(),
            random: Random::seeded(1),
        };
        let shared = Shared {
            name: name.into(),
            clock: Clock::of(scheduler),
            total: permits(limit),
            parts: (0..n_parts).map(|_| permits(limit)).collect(),
            ledger: Ledger::new(),
            state: Mutex::new(state),
            watchers: Mutex::default(),
        };
        let partition = n_parts.checked_sub(1);
        Ok(Self(Arc::new(Handle { shared: Arc::new(shared), partition })))
    }

    /// The same limit for the callers of a partition. A name that is not configured is `None`.
    #[must_use]
    pub fn partition(&self, name: &str) -> Option<Self> {
        let state = self.0.shared.state.lock();
        let index = state.config.partitions.iter().position(|share| share.name == name)?;
        drop(state);
        let shared = Arc::clone(&self.0.shared);
        Some(Self(Arc::new(Handle { shared, partition: Some(index) })))
    }

    /// How many may be in progress now.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.shared.total.limit()
    }

    /// The other side says for how many it has room: the limit is no more than that until it says
    /// otherwise. 0 stops everything; `None` is any number.
    pub fn advertise(&self, room: Option<u64>) {
        self.0.shared.change(|state| state.limiter.advertise(room));
    }

    /// Grants nothing more: those who wait are refused as [`Shutdown`](crate::Reason::Shutdown).
    /// What is in progress goes on. Returns whether it was open.
    pub fn close(&self) -> bool {
        let shared = &self.0.shared;
        let was_open = shared.total.close();
        shared.parts.iter().for_each(|part| {
            part.close();
        });
        shared.wake_watchers();
        was_open
    }
}

impl Shared {
    /// Changes the state, and then the permits to what it says.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let before = state.limit;
        let is_changed = state.settle_limit();
        let is_grown = state.limit > before;
        drop(state);
        if is_changed {
            self.apply();
        }
        if is_grown {
            self.wake_watchers();
        }
        result
    }

    /// Sets the permits to what the state says. That wakes those who wait, who run the user's
    /// code: not under the lock, but until nobody has changed the state meanwhile.
    #[cold]
    fn apply(&self) {
        loop {
            let (version, limit) = {
                let state = self.state.lock();
                (state.version, state.limit)
            };
            for (index, part) in self.parts.iter().enumerate() {
                part.set_limit(self.state.lock().partitions.cap(index));
            }
            self.total.set_limit(limit);
            if self.state.lock().version == version {
                return;
            }
        }
    }

    #[cold]
    fn wake_watchers(&self) {
        let watchers = self.watchers.lock().clone();
        watchers.iter().filter_map(Weak::upgrade).for_each(|watcher| watcher.wake());
    }

    /// Wakes `watcher` whenever the limit grows.
    fn watch(&self, watcher: Weak<dyn Wake>) {
        let mut watchers = self.watchers.lock();
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(watcher);
    }
}

impl State {
    /// Takes the limit over from the algorithm. Whether permits have to change.
    fn settle_limit(&mut self) -> bool {
        let limit = self.limiter.limit();
        let is_changed = limit != self.limit || self.partitions.is_changed();
        if is_changed {
            self.limit = limit;
            self.partitions.set_limit(limit);
            self.version += 1;
        }
        is_changed
    }
}

impl Settle for Handle {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        let shared = &self.shared;
        let now = shared.clock.now();
        let latency = now.saturating_sub(grant.started);
        shared.change(|state| {
            state.outcomes[outcome as usize] += 1;
            let in_flight = shared.total.held();
            let sample = Sample { now, latency, in_flight, outcome };
            if sample.is_measured() {
                state.latency += 0.1 * (latency.as_secs_f64() - state.latency);
                state.processing.add(latency);
            }
            if grant.generation == state.generation {
                state.limiter.record(sample);
            }
        });
        shared.ledger.deliver(1);
        // In this order, so that one who gets the part's place finds one in the total.
        shared.total.release(1);
        if let Some(part) = self.part() {
            part.release(1);
        }
    }
}

impl Policy for ConcurrencyLimit {
    type Config = LimitConfig;
    type Snapshot = LimitSnapshot;

    fn name(&self) -> &str {
        &self.0.shared.name
    }

    fn config(&self) -> LimitConfig {
        self.0.shared.state.lock().config.clone()
    }

    fn snapshot(&self) -> LimitSnapshot {
        self.0.shared.snapshot()
    }

    fn reconfigure(&self, config: LimitConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let now = self.0.shared.clock.now();
        self.0.shared.change(|state| {
            state.config.check_change(&config)?;
            if config.algorithm != state.config.algorithm {
                let room = state.limiter.room();
                state.limiter = config.algorithm.limiter();
                state.limiter.advertise(room);
                state.generation += 1;
            }
            state.partitions.set_shares(&config, now);
            state.config = config;
            Ok(())
        })
    }
}

impl PressureSource for ConcurrencyLimit {
    fn pressure(&self) -> Option<Pressure> {
        let Shared { total, parts, clock, .. } = &*self.0.shared;
        let (limit, held, n_waiting) = total.read();
        let n_waiting: usize = n_waiting + parts.iter().map(|part| part.read().2).sum::<usize>();
        Some(Pressure::of(held + n_waiting as u64, limit, clock.now()))
    }
}

impl fmt::Debug for ConcurrencyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrencyLimit")
            .field("name", &self.0.shared.name)
            .field("permits", &self.0.shared.total)
            .finish_non_exhaustive()
    }
}

/// How long one who was refused may have to wait: what is ahead of it, at the pace of the last
/// calls.
fn retry_after(state: &mut State, n_waiting: usize) -> Option<Duration> {
    if state.latency == 0.0 || state.limit == 0 {
        return None;
    }
    let wait = state.latency * (n_waiting as f64 + 1.0) / state.limit as f64;
    // So that those who were refused together do not come back together.
    Duration::try_from_secs_f64(wait * (0.5 + state.random.unit())).ok()
}
