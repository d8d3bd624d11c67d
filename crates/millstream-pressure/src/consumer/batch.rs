//! `BatchSizer`: small batches while there is little to do, and large ones under pressure.

use std::{fmt, sync::Arc, time::Duration};

use millstream::{
    Publisher, Subscriber,
    parts::timed_groups::subscribe_in_groups,
    scheduler::{Scheduler, Worker},
};
use parking_lot::Mutex;

use crate::{Clock, InvalidSetting, Policy, PressureSource, Settings};

const POLICY: &str = "batch_sizer";

/// The most that a queue of the core has room for.
const LARGEST: usize = 1 << 24;

/// How a [`BatchSizer`] is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BatchSizerConfig {
    /// The items of a batch without pressure. Default: 100.
    pub min: usize,
    /// Those at full pressure. Default: 10,000.
    pub max: usize,
    /// Up to this pressure, batches are the smallest. Default: 0.2.
    pub low: f64,
    /// From this pressure on, they are the largest. Default: 0.8.
    pub high: f64,
    /// By which factor the size changes at most in a second; above 1. Default: 2.
    pub step: f64,
    /// A reading of the pressure that is older is none. Default: 15 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_age: Duration,
}

impl Default for BatchSizerConfig {
    fn default() -> Self {
        let max_age = Duration::from_secs(15);
        Self { min: 100, max: 10_000, low: 0.2, high: 0.8, step: 2.0, max_age }
    }
}

impl Settings for BatchSizerConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { min, max, low, high, step, max_age } = self;
        InvalidSetting::unless_positive(POLICY, "min", min as u64)?;
        let is_valid = (min..=LARGEST).contains(&max);
        InvalidSetting::unless(is_valid, POLICY, "max", max, "from min to 16777216")?;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(POLICY, "low", low, 0.0..=1.0, rule)?;
        let is_valid = high > low && high <= 1.0;
        InvalidSetting::unless(is_valid, POLICY, "high", high, "more than low and at most 1")?;
        let is_valid = step > 1.0 && step <= 1e6;
        InvalidSetting::unless(is_valid, POLICY, "step", step, "above 1 and at most 1000000")?;
        InvalidSetting::unless_some_time(POLICY, "max_age", max_age)
    }
}

/// Sizes batches by pressure, such as that of a [`Lag`](crate::Lag) or a queue: from
/// [`min`](BatchSizerConfig::min) evenly by factors to [`max`](BatchSizerConfig::max).
///
/// A batch costs a round trip, whatever its size: large ones carry more, and small ones are sooner
/// there. The size doubles or halves in a second at most, so that one reading decides nothing.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{BatchSizer, BatchSizerConfig, Lag, LagConfig, LagReading};
///
/// let time = VirtualTime::new();
/// let lag = Lag::new("orders", LagConfig::default(), &time)?;
/// let sizer = BatchSizer::new("inserts", BatchSizerConfig::default(), lag.clone(), &time)?;
/// assert_eq!(sizer.size(), 100);
/// lag.report("0", LagReading { produced: 1_000_000, ..LagReading::default() });
/// time.advance(Duration::from_secs(1));
/// assert_eq!(sizer.size(), 200);
/// time.advance(Duration::from_secs(9));
/// assert_eq!(sizer.size(), 10_000);
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A source without a reading, or with one that is
/// too old, is one without pressure.
#[derive(Clone)]
pub struct BatchSizer(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    source: Arc<dyn PressureSource>,
    state: Mutex<State>,
}

struct State {
    config: BatchSizerConfig,
    size: f64,
    read_at: Duration,
}

/// What [`BatchSizer`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSizerSnapshot {
    /// The items of a batch, when it was last asked for.
    pub size: usize,
}

impl BatchSizer {
    /// The smallest batches, until `source` is under pressure, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: BatchSizerConfig,
        source: impl PressureSource + 'static,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let state = State { config, size: config.min as f64, read_at: clock.now() };
        let (source, state) = (Arc::new(source), Mutex::new(state));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, source, state })))
    }

    /// How many items to put into the next batch. Reads the source.
    #[must_use]
    pub fn size(&self) -> usize {
        // The user's code: before the lock.
        let reading = self.0.source.pressure();
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        let max_age = state.config.max_age;
        let level = reading.and_then(|reading| reading.if_fresh(now, max_age));
        state.read(level.map_or(0.0, |reading| reading.level()), now)
    }
}

impl State {
    fn read(&mut self, level: f64, now: Duration) -> usize {
        let BatchSizerConfig { min, max, low, high, step, .. } = self.config;
        let (min, max) = (min as f64, max as f64);
        let share = ((level - low) / (high - low)).clamp(0.0, 1.0);
        let target = min * (max / min).powf(share);
        let factor = step.powf(now.saturating_sub(self.read_at).as_secs_f64());
        // A factor without bound bounds nothing.
        let most = if factor.is_finite() { self.size * factor } else { max };
        self.size = target.min(most).max(self.size / factor).clamp(min, max);
        self.read_at = self.read_at.max(now);
        self.size.round() as usize
    }
}

impl Policy for BatchSizer {
    type Config = BatchSizerConfig;
    type Snapshot = BatchSizerSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> BatchSizerConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> BatchSizerSnapshot {
        BatchSizerSnapshot { size: self.0.state.lock().size.round() as usize }
    }

    /// Replaces the configuration. Flows that group already keep to the largest size that they
    /// began with.
    fn reconfigure(&self, config: BatchSizerConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let mut state = self.0.state.lock();
        state.config = config;
        state.size = state.size.clamp(config.min as f64, config.max as f64);
        Ok(())
    }
}

impl fmt::Debug for BatchSizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSizer").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// Publisher returned by [`FlowExt::batch_sized`](crate::FlowExt::batch_sized).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BatchSized<P> {
    source: P,
    worker: Worker,
    sizer: BatchSizer,
    max: usize,
    limit: Duration,
}

impl<P> BatchSized<P> {
    pub(crate) fn new(
        source: P,
        scheduler: &impl Scheduler,
        sizer: &BatchSizer,
        limit: Duration,
    ) -> Self {
        let (sizer, max) = (sizer.clone(), sizer.config().max);
        Self { source, worker: scheduler.worker(), sizer, max, limit }
    }
}

impl<P> Publisher for BatchSized<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let Self { source, worker, sizer, max, limit } = self;
        subscribe_in_groups(source, worker, max, limit, move || sizer.size(), downstream);
    }
}

millstream::backpressure!(BatchSized<P>, Queue, |this| this.max.saturating_mul(2));
millstream::opaque_debug!(BatchSized<P>);
