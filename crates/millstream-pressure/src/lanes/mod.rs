//! `Lanes`: queues for what is more and less urgent, served by weight.

mod config;
mod flow;
mod take;
mod turns;

use std::{fmt, sync::Arc};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use self::turns::Turns;
pub use self::{
    config::{LaneConfig, LanesConfig},
    flow::{FromLanes, MergedLanes},
    take::FromLane,
};
use crate::{
    Clock, InvalidSetting, Policy, Pressure, PressureSource, Queue, QueueHooks, QueueSnapshot,
    Settings as _,
};

/// Lanes, such as interactive and batch: a bounded [`Queue`] each, and one consumer side that
/// serves them by weight.
///
/// Lanes that are strict come first, and the others keep a floor. Within a tier, deficit round
/// robin: each lane gets its share of items, or of what they weigh, however fast its producers
/// are, and what a lane does not use is for the others. A lane that is full holds up its own
/// producers and nobody else's.
///
/// No item of a less urgent lane is ever in front of one of a more urgent lane, as in a queue that
/// both share: what is urgent waits for what has begun, and for the floor.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Lanes, LanesConfig};
///
/// let lanes = Lanes::new("work", LanesConfig::default(), &VirtualTime::new())?;
/// let (interactive, batch) = (lanes.lane(0), lanes.lane(1));
/// batch.try_put("report")?;
/// batch.try_put("backup")?;
/// interactive.try_put("click")?;
/// assert_eq!(lanes.try_take().map(|from| from.item), Some("click"));
/// assert_eq!(lanes.try_take().map(|from| from.item), Some("report"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. What a lane does with an item that has no
/// room is up to the configuration of its queue.
pub struct Lanes<T>(Arc<Shared<T>>);

struct Shared<T> {
    name: Arc<str>,
    clock: Clock,
    queues: Vec<Queue<T>>,
    /// No queue is touched under this lock other than to see whether it is empty.
    state: Mutex<State>,
}

struct State {
    config: LanesConfig,
    turns: Turns,
    served: Vec<u64>,
}

/// What [`Lanes`] say of themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct LanesSnapshot {
    /// Each lane.
    pub lanes: Vec<LaneSnapshot>,
}

/// What one of [`Lanes`] says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneSnapshot {
    /// Its name.
    pub name: String,
    /// Items that were served.
    pub served: u64,
    /// Its queue.
    pub queue: QueueSnapshot,
}

impl<T: Send + 'static> Lanes<T> {
    /// Empty lanes that go by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: LanesConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_hooks(name, config, scheduler, |_| QueueHooks::new())
    }

    /// The same, with closures for the queue of each lane, by its index.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_hooks(
        name: impl Into<Arc<str>>,
        config: LanesConfig,
        scheduler: &impl Scheduler,
        mut hooks: impl FnMut(usize) -> QueueHooks<T>,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let queue = |(index, lane): (usize, &LaneConfig)| {
            Queue::with_hooks(lane.name.as_str(), lane.queue.clone(), scheduler, hooks(index))
        };
        let queues: Vec<_> =
            config.lanes.iter().enumerate().map(queue).collect::<Result<_, _>>()?;
        let (turns, served) = (Turns::new(&config), vec![0; queues.len()]);
        let state = Mutex::new(State { config, turns, served });
        let clock = Clock::of(scheduler);
        Ok(Self(Arc::new(Shared { name: name.into(), clock, queues, state })))
    }

    /// The queue of a lane, for its producers.
    ///
    /// # Panics
    ///
    /// If there is no such lane.
    #[must_use]
    #[track_caller]
    pub fn lane(&self, index: usize) -> &Queue<T> {
        &self.0.queues[index]
    }

    /// The queues of all lanes, in their order.
    pub fn queues(&self) -> impl Iterator<Item = &Queue<T>> {
        self.0.queues.iter()
    }

    /// The queue of the lane with this name.
    #[must_use]
    pub fn lane_named(&self, name: &str) -> Option<&Queue<T>> {
        self.0.queues.iter().find(|queue| queue.name() == name)
    }

    /// Closes all lanes, as [`Queue::close`] does. Returns whether any was open.
    pub fn close(&self) -> bool {
        self.0.queues.iter().fold(false, |was_open, queue| queue.close() | was_open)
    }
}

impl<T: Send + 'static> Policy for Lanes<T> {
    type Config = LanesConfig;
    type Snapshot = LanesSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> LanesConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> LanesSnapshot {
        let served = self.0.state.lock().served.clone();
        let lane = |(queue, served): (&Queue<T>, u64)| LaneSnapshot {
            name: queue.name().to_owned(),
            served,
            queue: queue.snapshot(),
        };
        LanesSnapshot { lanes: self.0.queues.iter().zip(served).map(lane).collect() }
    }

    fn reconfigure(&self, config: LanesConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let queues: Vec<_> = config.lanes.iter().map(|lane| lane.queue.clone()).collect();
        {
            let mut state = self.0.state.lock();
            state.config.check_change(&config)?;
            state.turns.set(&config);
            state.config = config;
        }
        // That wakes those who wait: after the lock.
        self.0.queues.iter().zip(queues).try_for_each(|(queue, config)| queue.reconfigure(config))
    }
}

/// The fullest lane.
impl<T: Send + 'static> PressureSource for Lanes<T> {
    fn pressure(&self) -> Option<Pressure> {
        let levels = self.0.queues.iter().filter_map(PressureSource::pressure);
        let level = levels.map(Pressure::level).fold(0.0, f64::max);
        Pressure::new(level, self.0.clock.now())
    }
}

impl<T> Clone for Lanes<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Lanes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes")
            .field("name", &self.0.name)
            .field("lanes", &self.0.queues)
            .finish_non_exhaustive()
    }
}
