//! `Queue`: a bounded queue between producers that cannot be slowed, or can, and a consumer.

mod admit;
mod config;
mod discipline;
mod flow;
mod hooks;
mod link;
mod put;
mod spill;
mod state;
mod take;
mod tiers;

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_kernel::Served;
use parking_lot::Mutex;

use self::{
    admit::Put,
    spill::Spilled,
    state::{Dropped, State},
    tiers::Entry,
};
pub use self::{
    config::{Discipline, QueueConfig, WhenFull},
    flow::{FromQueue, Queued},
    hooks::QueueHooks,
    put::Slot,
    spill::{SpillStore, StoreError},
    take::Taken,
};
pub(crate) use self::{
    flow::{QueueSource, QueueSubscriber},
    link::Link,
};
use crate::{
    Balance, Clock, Histogram, InvalidSetting, Policy, Pressure, PressureSource, Reason, Rejected,
    Settings as _,
};

/// A bounded queue, with a policy for what happens when it is full and a discipline for what has
/// waited too long.
///
/// Producers put items from anywhere; consumers take them, or [`flow`](Self::flow) makes them a
/// flow. Each item that is refused comes back, and each one that is dropped goes to the callback of
/// [`QueueHooks::on_drop`], with the reason; the [ledger](QueueSnapshot::balance) accounts for all of them.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Policy as _, Queue, QueueConfig, Reason, WhenFull};
///
/// let time = VirtualTime::new();
/// let config = QueueConfig { capacity: 2, when_full: WhenFull::Reject, ..QueueConfig::default() };
/// let queue = Queue::new("orders", config, &time)?;
///
/// queue.try_put("first")?;
/// queue.try_put("second")?;
/// let rejected = queue.try_put("third").unwrap_err();
/// assert_eq!((rejected.item, rejected.reason), ("third", Reason::Full));
///
/// assert_eq!(queue.try_take().map(|taken| taken.item), Some("first"));
/// assert!(queue.snapshot().balance.is_whole());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. An item heavier than the queue is refused as
/// [`TooHeavy`](Reason::TooHeavy), and one that is put after [`close`](Self::close) as
/// [`Shutdown`](Reason::Shutdown). Closures of [`QueueHooks`] run without a lock: one that panics while an item
/// is weighed or classed has not put it, and a callback that panics has lost nothing else.
pub struct Queue<T>(Arc<Shared<T>>);

struct Shared<T> {
    name: Arc<str>,
    clock: Clock,
    hooks: QueueHooks<T>,
    state: Mutex<State<T>>,
}

/// What [`Queue`] says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSnapshot {
    /// What became of each item.
    pub balance: Balance,
    /// Items that wait in memory.
    pub items: usize,
    /// Items in the store, with those on their way to it and from it.
    pub spilled: u64,
    /// Places that are reserved and not filled.
    pub reserved: usize,
    /// What those that wait weigh.
    pub weight: u64,
    /// The room there is now.
    pub room: usize,
    /// For how long the item has waited that waits longest; of one in the store the most that it
    /// can be, since the times of 256 groups of these are kept.
    pub oldest: Option<Duration>,
    /// Whether the high watermark was reached, and the low one not since.
    pub is_high: bool,
    /// Producers that wait for room.
    pub waiting_puts: usize,
    /// Consumers that wait for an item.
    pub waiting_takes: usize,
    /// How long producers have waited, all together.
    pub blocked: Duration,
    /// How long each wait of a producer was that is over.
    pub blocking: Histogram,
    /// How long each item has waited that was passed on; of one from the store the most that it can
    /// have been.
    pub queueing: Histogram,
    /// How often the high watermark was reached.
    pub n_high: u64,
    /// Whether it was closed.
    pub is_closed: bool,
}

impl<T: Send + 'static> Queue<T> {
    /// An empty queue that goes by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: QueueConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_hooks(name, config, scheduler, QueueHooks::new())
    }

    /// The same, with closures.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_hooks(
        name: impl Into<Arc<str>>,
        config: QueueConfig,
        scheduler: &impl Scheduler,
        hooks: QueueHooks<T>,
    ) -> Result<Self, InvalidSetting> {
        check(&config, &hooks)?;
        let clock = Clock::of(scheduler);
        let now = clock.now();
        let mut state = State::new(config, hooks.random.clone(), now);
        let n_stored = hooks.store.as_ref().map_or(0, |store| store.len());
        state.ledger.offer(n_stored);
        state.spilled = Spilled::with(n_stored, now);
        state.update_watermark();
        let state = Mutex::new(state);
        Ok(Self(Arc::new(Shared { name: name.into(), clock, hooks, state })))
    }

    /// Takes no more items: those who wait to put one get it back. What waits can still be taken.
    /// Returns whether it was open.
    pub fn close(&self) -> bool {
        self.0.change(|state, served| {
            if std::mem::replace(&mut state.is_closed, true) {
                return false;
            }
            state.putters.wake_all(served);
            state.takers.wake_all(served);
            state.flows.wake_all(served);
            true
        })
    }

    /// Closes the queue, and takes all that waits.
    pub fn drain(&self) -> Vec<T> {
        self.close();
        std::iter::from_fn(|| self.try_take()).map(|taken| taken.item).collect()
    }

    /// How many items wait, in memory and in the store.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.0.state.lock();
        let spilled = usize::try_from(state.spilled.len()).unwrap_or(usize::MAX);
        state.tiers.len().saturating_add(spilled)
    }

    /// Returns whether no items wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Weighs and classes an item: the user's code, before anything is counted.
    fn entry(&self, item: T) -> Entry<T> {
        let weight = self.hooks.weigh.weigh(&item);
        let class = self.hooks.classify.as_ref().map(|classify| classify(&item));
        Entry::new(item, weight, class.unwrap_or_default())
    }
}

impl<T> Shared<T> {
    /// Changes the state, and after the lock wakes those who were served and tells of the
    /// watermark.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>, &mut Served) -> R) -> R {
        let mut served = Served::default();
        let (result, turned) = {
            let mut state = self.state.lock();
            let was_high = state.is_high;
            let result = change(&mut state, &mut served);
            (result, (state.is_high != was_high).then_some(state.is_high))
        };
        served.wake();
        if let (Some(is_high), Some(on_watermark)) = (turned, &self.hooks.on_watermark) {
            on_watermark(is_high);
        }
        result
    }

    fn hand_out(&self, dropped: Dropped<T>) {
        for (entry, reason) in dropped.first.into_iter().chain(dropped.others) {
            match &self.hooks.on_drop {
                Some(on_drop) => on_drop(entry.item, reason),
                None => drop(entry),
            }
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Offers an entry, and hands what was dropped for it to the callback.
    fn offer(&self, entry: Entry<T>) -> Put<T> {
        let now = self.clock.now();
        let mut dropped = Dropped::new();
        let put = self.change(|state, served| {
            if state.spills(&entry) {
                return Err(entry);
            }
            let put = state.offer(entry, now, &mut dropped);
            if matches!(put, Put::Accepted) {
                state.serve_taker(served);
            }
            Ok(put)
        });
        self.hand_out(dropped);
        put.unwrap_or_else(|entry| self.spill(entry))
    }
}

impl<T> State<T> {
    fn serve_taker(&mut self, served: &mut Served) {
        if let Some((index, _)) = self.takers.front() {
            self.takers.serve(index, served);
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let mut dropped = Dropped::new();
        self.state.get_mut().clear(Reason::Shutdown, &mut dropped);
        self.hand_out(dropped);
    }
}

impl<T: Send + 'static> Policy for Queue<T> {
    type Config = QueueConfig;
    type Snapshot = QueueSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> QueueConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> QueueSnapshot {
        let now = self.0.clock.now();
        let state = self.0.state.lock();
        let oldest = state.tiers.oldest().into_iter().chain(state.spilled.oldest()).min();
        QueueSnapshot {
            balance: state.balance(),
            items: state.tiers.len(),
            spilled: state.spilled.len(),
            reserved: state.reserved.0,
            weight: state.tiers.weight(),
            room: state.room,
            oldest: oldest.map(|entered| now.saturating_sub(entered)),
            is_high: state.is_high,
            waiting_puts: state.putters.len(),
            waiting_takes: state.takers.len(),
            blocked: state.blocking.sum(),
            blocking: state.blocking,
            queueing: state.queueing,
            n_high: state.n_high,
            is_closed: state.is_closed,
        }
    }

    fn reconfigure(&self, config: QueueConfig) -> Result<(), InvalidSetting> {
        check(&config, &self.0.hooks)?;
        self.0.change(|state, served| state.reconfigure(config, served));
        Ok(())
    }
}

impl<T: Send + 'static> PressureSource for Queue<T> {
    fn pressure(&self) -> Option<Pressure> {
        Pressure::new(self.0.state.lock().level(), self.0.clock.now())
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.0.state.lock().tiers.len();
        f.debug_struct("Queue")
            .field("name", &self.0.name)
            .field("items", &items)
            .finish_non_exhaustive()
    }
}

/// Checks a configuration, also against what the queue has.
fn check<T>(config: &QueueConfig, hooks: &QueueHooks<T>) -> Result<(), InvalidSetting> {
    config.validate()?;
    let has_store = config.when_full != WhenFull::Spill || hooks.store.is_some();
    let rule = "another, or with QueueHooks::store";
    InvalidSetting::unless(has_store, "queue", "when_full", config.when_full, rule)
}

/// An item that comes back from under the lock.
fn back<T>(rejected: Rejected<Entry<T>>) -> Rejected<T> {
    rejected.map(|entry| entry.item)
}
