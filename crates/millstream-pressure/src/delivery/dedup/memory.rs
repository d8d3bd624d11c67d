//! `MemoryDedup`: keys in memory, of a limited number and for a limited time.
//!
//! # Invariants
//!
//! 1. `by_expiry` has one entry for each key, at the moment when it is forgotten.
//! 2. A key's number is given once: a former holder's changes nothing of the present one's.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::{Begun, DedupStore};
use crate::{Clock, InvalidSetting, Policy, Settings};

const POLICY: &str = "memory_dedup";

/// How a [`MemoryDedup`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DedupConfig {
    /// The most keys. When there are as many, those that were done first are forgotten; if all are
    /// in progress, no other begins. Default: 100,000.
    pub capacity: usize,
    /// How long a key that is done is remembered: longer than the system delivers again.
    /// Default: 10 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub remember: Duration,
    /// How long work may take before another may begin on the same key. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub lease: Duration,
}

impl Default for DedupConfig {
    fn default() -> Self {
        Self {
            capacity: 100_000,
            remember: Duration::from_secs(600),
            lease: Duration::from_secs(30),
        }
    }
}

impl Settings for DedupConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(POLICY, "capacity", self.capacity as u64)?;
        InvalidSetting::unless_some_time(POLICY, "remember", self.remember)?;
        InvalidSetting::unless_some_time(POLICY, "lease", self.lease)
    }
}

/// What a [`MemoryDedup`] holds and has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DedupSnapshot {
    /// Keys that are remembered, in progress or done.
    pub keys: usize,
    /// Those of them in progress.
    pub in_progress: usize,
    /// Keys that work began on.
    pub begun: u64,
    /// Duplicates of keys that were done.
    pub duplicates: u64,
    /// Duplicates of keys that were in progress.
    pub waits: u64,
    /// Keys that were done, and forgotten before their time for want of room: of these a duplicate
    /// is worked on again.
    pub evicted: u64,
    /// Leases that ended before the work did.
    pub expired: u64,
    /// Keys that found no room.
    pub refused: u64,
}

/// Remembers keys in this process: a handle, whose clones are the same store.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Begun, DedupConfig, DedupStore as _, MemoryDedup};
///
/// let time = VirtualTime::new();
/// let store = MemoryDedup::new("orders", DedupConfig::default(), &time)?;
/// let Begun::New { lease } = store.begin(&17) else { panic!("it is new") };
/// assert!(matches!(store.begin(&17), Begun::InProgress { .. }));
/// store.complete(&17, lease);
/// assert_eq!(store.begin(&17), Begun::Done);
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
pub struct MemoryDedup<K>(Arc<Shared<K>>);

struct Shared<K> {
    name: Box<str>,
    clock: Clock,
    state: Mutex<State<K>>,
}

struct State<K> {
    config: DedupConfig,
    keys: HashMap<K, Known>,
    /// Moment and number of each key.
    by_expiry: BTreeMap<(Duration, u64), K>,
    /// The same of those that are done.
    done: BTreeSet<(Duration, u64)>,
    next: u64,
    counts: DedupSnapshot,
}

/// What is known of a key.
#[derive(Clone, Copy)]
struct Known {
    number: u64,
    expires: Duration,
    is_done: bool,
}

impl<K: Clone + Eq + Hash + Send + 'static> MemoryDedup<K> {
    /// A store that knows no key, and goes by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// A setting that is not valid.
    pub fn new(
        name: &str,
        config: DedupConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let state = State {
            config,
            keys: HashMap::new(),
            by_expiry: BTreeMap::new(),
            done: BTreeSet::new(),
            next: 0,
            counts: DedupSnapshot::default(),
        };
        let (name, clock) = (name.into(), Clock::of(scheduler));
        Ok(Self(Arc::new(Shared { name, clock, state: Mutex::new(state) })))
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn forget(&mut self, at: (Duration, u64)) {
        let Some(key) = self.by_expiry.remove(&at) else { return };
        self.keys.remove(&key);
        let was_done = self.done.remove(&at);
        self.counts.in_progress -= usize::from(!was_done);
    }

    fn set(&mut self, key: &K, known: Known) {
        let at = (known.expires, known.number);
        self.keys.insert(key.clone(), known);
        self.by_expiry.insert(at, key.clone());
        if known.is_done {
            self.done.insert(at);
        } else {
            self.counts.in_progress += 1;
        }
    }

    fn pass_time(&mut self, now: Duration) {
        while let Some((at, _)) = self.by_expiry.first_key_value()
            && at.0 <= now
        {
            let at = *at;
            self.counts.expired += u64::from(!self.done.contains(&at));
            self.forget(at);
        }
    }

    fn begin(&mut self, key: &K, now: Duration) -> Begun {
        self.pass_time(now);
        match self.keys.get(key) {
            Some(Known { is_done: true, .. }) => {
                self.counts.duplicates += 1;
                return Begun::Done;
            }
            Some(known) => {
                self.counts.waits += 1;
                return Begun::InProgress { left: known.expires.saturating_sub(now) };
            }
            None => {}
        }
        if !self.make_room() {
            self.counts.refused += 1;
            let first = self.by_expiry.first_key_value().map_or(now, |((at, _), _)| *at);
            return Begun::Full { retry_after: first.saturating_sub(now) };
        }
        self.counts.begun += 1;
        let number = self.number();
        let expires = now.saturating_add(self.config.lease);
        self.set(key, Known { number, expires, is_done: false });
        Begun::New { lease: number }
    }

    /// Forgets keys that were done until there is room for one more, if there are enough of them.
    fn make_room(&mut self) -> bool {
        while self.keys.len() >= self.config.capacity {
            let Some(oldest) = self.done.first().copied() else { return false };
            self.counts.evicted += 1;
            self.forget(oldest);
        }
        true
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn complete(&mut self, key: &K, now: Duration) {
        self.pass_time(now);
        if let Some(known) = self.keys.get(key) {
            let at = (known.expires, known.number);
            self.forget(at);
        }
        // Only a holder whose lease has ended can find no room.
        if !self.make_room() {
            self.counts.evicted += 1;
            return;
        }
        let number = self.number();
        let expires = now.saturating_add(self.config.remember);
        self.set(key, Known { number, expires, is_done: true });
    }

    /// The key's entry, if it is this holder's.
    fn held(&self, key: &K, lease: u64) -> Option<Known> {
        self.keys.get(key).copied().filter(|known| known.number == lease && !known.is_done)
    }
}

impl<K: Clone + Eq + Hash + Send + 'static> DedupStore<K> for MemoryDedup<K> {
    fn begin(&self, key: &K) -> Begun {
        let now = self.0.clock.now();
        self.0.state.lock().begin(key, now)
    }

    fn complete(&self, key: &K, _lease: u64) {
        let now = self.0.clock.now();
        self.0.state.lock().complete(key, now);
    }

    fn release(&self, key: &K, lease: u64) {
        let mut state = self.0.state.lock();
        if let Some(known) = state.held(key, lease) {
            state.forget((known.expires, known.number));
        }
    }

    fn extend(&self, key: &K, lease: u64) {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if let Some(known) = state.held(key, lease) {
            let expires = now.saturating_add(state.config.lease);
            state.forget((known.expires, known.number));
            state.set(key, Known { expires, ..known });
        }
    }
}

impl<K: Clone + Eq + Hash + Send + 'static> Policy for MemoryDedup<K> {
    type Config = DedupConfig;
    type Snapshot = DedupSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> DedupConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> DedupSnapshot {
        let state = self.0.state.lock();
        DedupSnapshot { keys: state.keys.len(), ..state.counts.clone() }
    }

    fn reconfigure(&self, config: DedupConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl<K> Clone for MemoryDedup<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for MemoryDedup<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDedup").field("name", &self.0.name).finish_non_exhaustive()
    }
}
