//! `Queue`: a bounded queue between producers that cannot be slowed, or can, and a consumer.

mod admit;
mod config;
mod discipline;
mod flow;
mod link;
mod put;
mod state;
mod take;
mod tiers;

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_kernel::Served;
use parking_lot::Mutex;

use self::{
    admit::Put,
    state::{Dropped, State},
    tiers::Entry,
};
pub use self::{
    config::{Discipline, QueueConfig, WhenFull},
    flow::{FromQueue, Queued},
    put::Slot,
    take::Taken,
};
pub(crate) use self::{
    flow::{QueueSource, QueueSubscriber},
    link::Link,
};
use crate::{
    Balance, Class, Clock, InvalidSetting, Items, Policy, Pressure, PressureSource, Random, Reason,
    Rejected, Settings as _, Weigh,
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

type Classify<T> = dyn Fn(&T) -> Class + Send + Sync;
type OnDrop<T> = dyn Fn(T, Reason) + Send + Sync;
type OnWatermark = dyn Fn(bool) + Send + Sync;

/// Closures of a queue, and its seed. None is run under the queue's lock.
pub struct QueueHooks<T> {
    weigh: Box<dyn Weigh<T>>,
    classify: Option<Box<Classify<T>>>,
    on_drop: Option<Box<OnDrop<T>>>,
    on_watermark: Option<Box<OnWatermark>>,
    random: Random,
}

/// What [`Queue`] says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSnapshot {
    /// What became of each item.
    pub balance: Balance,
    /// Items that wait.
    pub items: usize,
    /// Places that are reserved and not filled.
    pub reserved: usize,
    /// What those that wait weigh.
    pub weight: u64,
    /// The room there is now.
    pub room: usize,
    /// For how long the item has waited that waits longest.
    pub oldest: Option<Duration>,
    /// Whether the high watermark was reached, and the low one not since.
    pub is_high: bool,
    /// Producers that wait for room.
    pub waiting_puts: usize,
    /// Consumers that wait for an item.
    pub waiting_takes: usize,
    /// How long producers have waited, all together.
    pub blocked: Duration,
    /// Whether it was closed.
    pub is_closed: bool,
}

impl<T> Default for QueueHooks<T> {
    fn default() -> Self {
        Self {
            weigh: Box::new(Items),
            classify: None,
            on_drop: None,
            on_watermark: None,
            random: Random::new(),
        }
    }
}

impl<T> QueueHooks<T> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What an item weighs, for [`QueueConfig::max_weight`].
    #[must_use]
    pub fn weigh(self, weigh: impl Weigh<T>) -> Self {
        Self { weigh: Box::new(weigh), ..self }
    }

    /// How critical an item is: less critical ones are dropped first.
    #[must_use]
    pub fn classify(self, classify: impl Fn(&T) -> Class + Send + Sync + 'static) -> Self {
        Self { classify: Some(Box::new(classify)), ..self }
    }

    /// Is given each item that is dropped, and why.
    #[must_use]
    pub fn on_drop(self, on_drop: impl Fn(T, Reason) + Send + Sync + 'static) -> Self {
        Self { on_drop: Some(Box::new(on_drop)), ..self }
    }

    /// Is told when the queue becomes high, and when it is no longer.
    #[must_use]
    pub fn on_watermark(self, on_watermark: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { on_watermark: Some(Box::new(on_watermark)), ..self }
    }

    /// Makes samples and jitter the same each time.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: Random::seeded(seed), ..self }
    }
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
        config.validate()?;
        let clock = Clock::of(scheduler);
        let state = Mutex::new(State::new(config, hooks.random.clone(), clock.now()));
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

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.state.lock().tiers.len()
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

    /// Offers an entry, and hands what was dropped for it to the callback.
    fn offer(&self, entry: Entry<T>) -> Put<T> {
        let now = self.clock.now();
        let mut dropped = Dropped::new();
        let put = self.change(|state, served| {
            let put = state.offer(entry, now, &mut dropped);
            if matches!(put, Put::Accepted) {
                state.serve_taker(served);
            }
            put
        });
        self.hand_out(dropped);
        put
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
        QueueSnapshot {
            balance: state.balance(),
            items: state.tiers.len(),
            reserved: state.reserved.0,
            weight: state.tiers.weight(),
            room: state.room,
            oldest: state.tiers.oldest().map(|entered| now.saturating_sub(entered)),
            is_high: state.is_high,
            waiting_puts: state.putters.len(),
            waiting_takes: state.takers.len(),
            blocked: state.blocked,
            is_closed: state.is_closed,
        }
    }

    fn reconfigure(&self, config: QueueConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
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

impl<T> fmt::Debug for QueueHooks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueHooks").finish_non_exhaustive()
    }
}

/// An item that comes back from under the lock.
fn back<T>(rejected: Rejected<Entry<T>>) -> Rejected<T> {
    rejected.map(|entry| entry.item)
}
