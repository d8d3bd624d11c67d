//! `KeyedRate`: a rate limit for each client, address or tenant, in bounded memory.

use std::{
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::Arc,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::{KeyedRateConfig, RateLimit};
use crate::{Balance, Clock, InvalidSetting, Ledger, Policy, Rejected, Settings as _, parts::Keys};

/// A [`RateLimit`] for each key: a client, an address, a tenant.
///
/// A key whose burst is free again, and whose limit nobody holds, is forgotten: it would get the
/// same when it comes back. So memory is bounded by the keys that are active, and by `max_keys`:
/// while as many are, the others share one limit, so that a flood of new keys is slowed down as one
/// client is, and no key that is known suffers.
///
/// Keys are kept by a hash of 64 bits with a secret of each `KeyedRate`: two of a million keys
/// share a limit with a probability of about 3 in 10⁸.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{KeyedRate, KeyedRateConfig};
///
/// let time = VirtualTime::new();
/// let config = KeyedRateConfig { rate: 10.0, burst: 1, ..KeyedRateConfig::default() };
/// let clients = KeyedRate::new("clients", config, &time)?;
/// clients.try_acquire(&"alice", 1)?;
/// clients.try_acquire(&"bob", 1)?;
/// assert!(clients.try_acquire(&"alice", 1).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyedRate(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    hasher: RandomState,
    /// That of all keys.
    ledger: Arc<Ledger>,
    state: Mutex<State>,
}

struct State {
    config: KeyedRateConfig,
    limits: Keys<RateLimit>,
    /// For those that have no limit of their own.
    others: RateLimit,
    /// When idle keys were looked for last; not again before a burst that was used up then is free.
    swept: Option<Duration>,
}

/// What [`KeyedRate`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedRateSnapshot {
    /// What became of each cell that was asked for, of all keys.
    pub balance: Balance,
    /// Keys that have a limit of their own now.
    pub keys: usize,
    /// Idle keys that were forgotten so far.
    pub evicted: u64,
}

impl KeyedRate {
    /// No keys yet, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: KeyedRateConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (name, clock) = (name.into(), Clock::of(scheduler));
        let ledger = Arc::<Ledger>::default();
        let others =
            RateLimit::of(Arc::clone(&name), config.each(), clock.clone(), Arc::clone(&ledger));
        let state = State { config, limits: Keys::new(), others, swept: None };
        let hasher = RandomState::new();
        Ok(Self(Arc::new(Shared { name, clock, hasher, ledger, state: Mutex::new(state) })))
    }

    /// The limit of `key`, to wait for it, to put it on a flow, or to give back cells. As long as
    /// it is held, the key is not forgotten.
    #[must_use]
    pub fn limit(&self, key: &(impl Hash + ?Sized)) -> RateLimit {
        let shared = &*self.0;
        // The user's code: before the lock.
        let key = shared.hasher.hash_one(key);
        let mut state = shared.state.lock();
        if let Some(limit) = state.limits.get(key) {
            return limit.clone();
        }
        let idle = state.sweep(shared.clock.now());
        let (each, max_keys) = (state.config.each(), state.config.max_keys);
        let limit = state.limits.insert(key, max_keys, || {
            let (name, clock) = (Arc::clone(&shared.name), shared.clock.clone());
            RateLimit::of(name, each, clock, Arc::clone(&shared.ledger))
        });
        let limit = limit.unwrap_or_else(|| state.others.clone());
        drop(state);
        drop(idle);
        limit
    }

    /// [`RateLimit::try_acquire`] of the key's limit.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_acquire(&self, key: &(impl Hash + ?Sized), n: u64) -> Result<(), Rejected<()>> {
        self.limit(key).try_acquire(n)
    }

    /// [`RateLimit::acquire`] of the key's limit.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn acquire(&self, key: &(impl Hash + ?Sized), n: u64) -> Result<(), Rejected<()>> {
        let limit = self.limit(key);
        limit.acquire(n).await
    }
}

impl State {
    /// Takes out the keys that are idle, if it is time to.
    fn sweep(&mut self, now: Duration) -> Vec<RateLimit> {
        let fills_in = self.config.burst as f64 / self.config.rate;
        let fills_in = Duration::try_from_secs_f64(fills_in).unwrap_or(Duration::MAX);
        let is_soon = self.swept.is_some_and(|swept| now < swept.saturating_add(fills_in));
        if is_soon || !self.limits.is_due(self.config.max_keys) {
            return Vec::new();
        }
        self.swept = Some(now);
        self.limits.sweep(|limit| limit.is_idle(now))
    }
}

impl RateLimit {
    /// Whether one that is made anew would be the same. Asked under the lock that hands them out.
    fn is_idle(&self, now: Duration) -> bool {
        Arc::strong_count(&self.0) == 1 && {
            let burst = self.0.config.lock().burst;
            self.0.gcra.free(now) >= burst
        }
    }
}

impl Policy for KeyedRate {
    type Config = KeyedRateConfig;
    type Snapshot = KeyedRateSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> KeyedRateConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> KeyedRateSnapshot {
        let balance = self.0.ledger.balance();
        let state = self.0.state.lock();
        KeyedRateSnapshot { balance, keys: state.limits.len(), evicted: state.limits.evicted() }
    }

    /// Replaces the configuration, and that of each key's limit. While more keys have a limit than
    /// the new `max_keys`, no others get one.
    fn reconfigure(&self, config: KeyedRateConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let limits: Vec<_> = {
            let mut state = self.0.state.lock();
            state.config = config;
            state.swept = None;
            state.limits.values().chain([&state.others]).cloned().collect()
        };
        // They wake those who wait: after the lock.
        limits.iter().try_for_each(|limit| limit.reconfigure(config.each()))
    }
}

impl fmt::Debug for KeyedRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        f.debug_struct("KeyedRate")
            .field("name", &self.0.name)
            .field("config", &state.config)
            .field("keys", &state.limits.len())
            .finish_non_exhaustive()
    }
}
