//! `Lag`: how far a consumer is behind, and whether it catches up.

mod config;
mod state;

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

pub use self::config::LagConfig;
use self::state::State;
use crate::{Clock, InvalidSetting, Policy, Pressure, PressureSource, Settings as _};

/// How often one who waits until the system is idle looks.
const LOOK: Duration = Duration::from_millis(250);

/// How far a consumer is behind its broker, whether that grows, and when it will have caught up.
///
/// A consumer that answers "200 OK" while its lag climbs is not healthy. What is reported of each
/// part, such as a partition, are counts that only grow: what was produced and what was consumed.
/// From two reports follow the rates at which items come and go, the trend, and the time to drain.
///
/// It is a [`PressureSource`]: the worst of the lag, continued by its trend for a
/// [`horizon`](LagConfig::horizon), and the age of the oldest item. A
/// [`Controller`](crate::Controller) that watches it throttles producers; a
/// [`Scaler`](crate::Scaler) says how many workers are needed; [`is_busy`](Self::is_busy) tells
/// batch jobs to wait.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Lag, LagConfig, LagReading, Policy as _, PressureSource as _};
///
/// let time = VirtualTime::new();
/// let lag = Lag::new("orders", LagConfig::default(), &time)?;
/// for second in 0..=10 {
///     let (produced, consumed) = (second * 100, second * 60);
///     lag.report("0", LagReading { produced, consumed, ..LagReading::default() });
///     time.advance(Duration::from_secs(1));
/// }
/// let snapshot = lag.snapshot();
/// assert_eq!((snapshot.lag, snapshot.arrival, snapshot.drain), (400, 100.0, 60.0));
/// assert_eq!((snapshot.trend(), snapshot.time_to_drain), (40.0, None)); // it grows
/// // 400 now, and 1600 in half a minute, of 10,000.
/// assert_eq!(lag.pressure().unwrap().level(), 0.16);
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. Counts that fall, as those of a queue that was
/// made anew, begin the rates anew, as does a part that is new. What was consumed further than it
/// was produced has no lag. Without a report for [`stale_after`](LagConfig::stale_after) there is
/// no pressure, and the system is not busy: one who died throttles nobody. A clock that is set back
/// makes time stand still.
#[derive(Clone)]
pub struct Lag(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

/// What is known of a part, such as a partition or a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LagReading {
    /// Items that were ever put in: the end offset.
    pub produced: u64,
    /// Items that are done with: the committed offset.
    pub consumed: u64,
    /// The age of the oldest item that is not; none where it is not known.
    pub oldest: Option<Duration>,
}

impl LagReading {
    /// Items that are not done with.
    #[must_use]
    pub const fn lag(&self) -> u64 {
        self.produced.saturating_sub(self.consumed)
    }
}

/// What [`Lag`] says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LagSnapshot {
    /// Items that are done with, of all parts.
    pub consumed: u64,
    /// Items that are not.
    pub lag: u64,
    /// The age of the oldest of them; none where it is not known.
    pub oldest: Option<Duration>,
    /// Items that come in a second.
    pub arrival: f64,
    /// Items that are done with in a second.
    pub drain: f64,
    /// Over how long the rates were measured: up to the window.
    pub over: Duration,
    /// When it will have caught up, if nothing changes; none if never.
    pub time_to_drain: Option<Duration>,
    /// The part that is farthest behind, and its lag.
    pub worst: Option<(String, u64)>,
    /// Parts that were reported.
    pub parts: usize,
    /// The pressure, also of a report that is too old.
    pub pressure: f64,
    /// Whether the system is busy.
    pub is_busy: bool,
    /// Whether nothing was reported for too long, or ever.
    pub is_stale: bool,
}

impl LagSnapshot {
    /// By how many items the lag grows in a second; below 0 where it shrinks.
    #[must_use]
    pub fn trend(&self) -> f64 {
        self.arrival - self.drain
    }
}

impl Lag {
    /// Nothing is known yet, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: LagConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (clock, state) = (Clock::of(scheduler), Mutex::new(State::new(config)));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state })))
    }

    /// Reports a part, such as a partition, as it is now. Several times in a window, and more often
    /// than [`stale_after`](LagConfig::stale_after).
    pub fn report(&self, part: &str, reading: LagReading) {
        let now = self.0.clock.now();
        self.0.state.lock().report(part, reading, now);
    }

    /// A part is another consumer's from now on, as after a rebalance.
    pub fn remove(&self, part: &str) {
        let now = self.0.clock.now();
        self.0.state.lock().remove(part, now);
    }

    /// Returns whether the system has more to do than it should, with hysteresis: for producers
    /// that can wait, and batch jobs that need not run now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.state.lock().is_busy(self.0.clock.now())
    }

    /// Waits until the system is not [busy](Self::is_busy), by looking every quarter of a second.
    /// Returns `false` if the scheduler has stopped or has no clock, so that it cannot be waited
    /// for.
    pub async fn until_idle(&self) -> bool {
        let clock = &self.0.clock;
        while self.is_busy() {
            if !clock.sleep_until(clock.after(LOOK)).await {
                return false;
            }
        }
        true
    }
}

impl PressureSource for Lag {
    fn pressure(&self) -> Option<Pressure> {
        let now = self.0.clock.now();
        let state = self.0.state.lock();
        let read_at = state.reported_at(now)?;
        Pressure::new(state.snapshot(now).pressure, read_at)
    }
}

impl Policy for Lag {
    type Config = LagConfig;
    type Snapshot = LagSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> LagConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> LagSnapshot {
        let now = self.0.clock.now();
        self.0.state.lock().snapshot(now)
    }

    fn reconfigure(&self, config: LagConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lag").field("name", &self.0.name).finish_non_exhaustive()
    }
}
