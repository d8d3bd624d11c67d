//! `Scaler`: how many workers a consumer needs, by its lag.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::{Lag, LagSnapshot};
use crate::{Clock, InvalidSetting, Policy, Settings};

const POLICY: &str = "scaler";

/// For how long all workers have to be busy before it is said what one of them does.
const MEASURE: Duration = Duration::from_secs(5);

/// How a [`Scaler`] is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScaleConfig {
    /// The fewest workers. Default: 1.
    pub min: u32,
    /// The most: no more than there are partitions to work on, or than what is behind them can
    /// take. Default: 10.
    pub max: u32,
    /// In which time a lag is to be worked off. Default: 1 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub drain_within: Duration,
    /// The share of the workers' capacity that is planned with, above 0 and at most 1.
    /// Default: 0.8.
    pub headroom: f64,
    /// How long more workers have to be needed before it says so. Default: 15 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub out_after: Duration,
    /// How long fewer have to be enough, which is then the most that were needed meanwhile.
    /// Default: 5 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub in_after: Duration,
}

impl Default for ScaleConfig {
    fn default() -> Self {
        Self {
            min: 1,
            max: 10,
            drain_within: Duration::from_secs(60),
            headroom: 0.8,
            out_after: Duration::from_secs(15),
            in_after: Duration::from_secs(300),
        }
    }
}

impl Settings for ScaleConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_positive(POLICY, "min", self.min.into())?;
        let is_valid = self.max >= self.min;
        InvalidSetting::unless(is_valid, POLICY, "max", self.max, "at least min")?;
        InvalidSetting::unless_some_time(POLICY, "drain_within", self.drain_within)?;
        let is_valid = self.headroom > 0.0 && self.headroom <= 1.0;
        let rule = "above 0 and at most 1";
        InvalidSetting::unless(is_valid, POLICY, "headroom", self.headroom, rule)
    }
}

/// What a [`Scaler`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As many as there are.
    Stay,
    /// More: to so many.
    Out(u32),
    /// Fewer: to so many.
    In(u32),
}

/// Says when a consumer needs more workers, by the lag and the rate at which items come, and when
/// fewer are enough.
///
/// What a worker does is measured while there is a lag, when all of them are busy. Needed are as
/// many as keep up with what comes, with a headroom, and work the lag off in
/// [`drain_within`](ScaleConfig::drain_within). More are called for when those that there are could
/// not do so, even without the headroom, for [`out_after`](ScaleConfig::out_after); fewer when they
/// were enough, with the headroom, for
/// [`in_after`](ScaleConfig::in_after), and then as many as were needed at most meanwhile, so that
/// a wave that comes every minute does not start and stop workers every minute. While nothing is
/// measured, a lag that grows doubles them.
///
/// It decides and does nothing: what starts workers, such as an orchestrator, reads it.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Lag, LagConfig, LagReading, Scale, ScaleConfig, Scaler};
///
/// let time = VirtualTime::new();
/// let lag = Lag::new("orders", LagConfig::default(), &time)?;
/// let scaler = Scaler::new("orders", ScaleConfig::default(), lag.clone(), &time)?;
/// let mut said = Scale::Stay;
/// for second in 0..=20 {
///     // 2 workers do 50 a second each, and 160 come.
///     let (produced, consumed) = (second * 160, second * 100);
///     lag.report("0", LagReading { produced, consumed, ..LagReading::default() });
///     said = scaler.decide(2);
///     if said != Scale::Stay {
///         break;
///     }
///     time.advance(Duration::from_secs(1));
/// }
/// // 160 / 0.8 = 200 a second to keep up, and some for the lag that is there.
/// assert_eq!(said, Scale::Out(5));
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. While the lag is not reported it says
/// [`Stay`](Scale::Stay). Where more workers do not work off more, because something behind them is
/// full, it goes up to [`max`](ScaleConfig::max): set that to what makes sense.
#[derive(Clone)]
pub struct Scaler(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    lag: Lag,
    state: Mutex<State>,
}

struct State {
    config: ScaleConfig,
    /// As many as there were when it was asked last.
    workers: u32,
    /// Since when as many workers as there are now have had more to do than they can, and what was
    /// consumed then.
    busy_since: Option<(Duration, u64)>,
    /// Items that a worker does in a second, where it is known.
    capacity: Option<f64>,
    needed: u32,
    /// Since when more are needed.
    above_since: Option<Duration>,
    /// Since when fewer are enough, and the most that were needed meanwhile.
    below_since: Option<(Duration, u32)>,
    n_out: u64,
    n_in: u64,
}

/// What [`Scaler`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleSnapshot {
    /// As many workers as there were when it was asked last.
    pub workers: u32,
    /// As many as were needed then.
    pub needed: u32,
    /// Items that a worker does in a second; none where it was not measured.
    pub capacity: Option<f64>,
    /// How often more were called for.
    pub outs: u64,
    /// How often fewer were enough.
    pub ins: u64,
}

impl Scaler {
    /// A scaler by `lag`, and by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ScaleConfig,
        lag: Lag,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (clock, state) = (Clock::of(scheduler), Mutex::new(State::new(config)));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, lag, state })))
    }

    /// What to do, given that there are so many workers. To be asked as often as the lag is
    /// reported.
    pub fn decide(&self, workers: u32) -> Scale {
        let lag = self.0.lag.snapshot();
        let now = self.0.clock.now();
        self.0.state.lock().decide(&lag, workers, now)
    }
}

impl State {
    const fn new(config: ScaleConfig) -> Self {
        let (workers, busy_since, capacity, needed) = (0, None, None, 0);
        let (above_since, below_since, n_out, n_in) = (None, None, 0, 0);
        Self {
            config,
            workers,
            busy_since,
            capacity,
            needed,
            above_since,
            below_since,
            n_out,
            n_in,
        }
    }

    fn decide(&mut self, lag: &LagSnapshot, workers: u32, now: Duration) -> Scale {
        if workers != self.workers {
            self.workers = workers;
            (self.busy_since, self.above_since, self.below_since) = (None, None, None);
        }
        if lag.is_stale {
            (self.busy_since, self.above_since, self.below_since) = (None, None, None);
            return Scale::Stay;
        }
        self.measure(lag, now);
        let ScaleConfig { headroom, out_after, in_after, .. } = self.config;
        self.needed = self.needed(lag, headroom);
        // More only where all of what there is does not do: between the two, nothing changes.
        if self.needed > workers && self.needed(lag, 1.0) > workers {
            self.below_since = None;
            let since = *self.above_since.get_or_insert(now);
            if now.saturating_sub(since) >= out_after {
                self.above_since = None;
                self.n_out += 1;
                return Scale::Out(self.needed);
            }
            return Scale::Stay;
        }
        self.above_since = None;
        if self.needed >= workers {
            self.below_since = None;
            return Scale::Stay;
        }
        let (since, most) = self.below_since.get_or_insert((now, self.needed));
        *most = self.needed.max(*most);
        if now.saturating_sub(*since) < in_after {
            return Scale::Stay;
        }
        let most = *most;
        self.below_since = None;
        self.n_in += 1;
        Scale::In(most)
    }

    /// What a worker does, while all of them are busy.
    fn measure(&mut self, lag: &LagSnapshot, now: Duration) {
        if lag.lag <= u64::from(self.workers) {
            self.busy_since = None;
            return;
        }
        let (since, before) = *self.busy_since.get_or_insert((now, lag.consumed));
        let time = now.saturating_sub(since);
        match lag.consumed.checked_sub(before) {
            Some(done) if done > 0 && time >= MEASURE && self.workers > 0 => {
                let capacity = done as f64 / time.as_secs_f64() / f64::from(self.workers);
                self.capacity = Some(capacity);
            }
            Some(_) => {}
            // Counts that began anew.
            None => self.busy_since = None,
        }
    }

    fn needed(&self, lag: &LagSnapshot, headroom: f64) -> u32 {
        let ScaleConfig { min, max, drain_within, .. } = self.config;
        let needed = match self.capacity {
            Some(capacity) => {
                let backlog = lag.lag as f64 / drain_within.as_secs_f64();
                let needed = (lag.arrival / headroom + backlog) / capacity;
                // What a float that is too large becomes is held to the most.
                needed.ceil() as u32
            }
            None if lag.lag > 0 && lag.trend() > 0.0 => self.workers.saturating_mul(2),
            // Nothing waits: one after the other may go.
            None if lag.lag == 0 => self.workers.saturating_sub(1),
            None => self.workers,
        };
        needed.clamp(min, max)
    }
}

impl Policy for Scaler {
    type Config = ScaleConfig;
    type Snapshot = ScaleSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ScaleConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> ScaleSnapshot {
        let &State { workers, needed, capacity, n_out, n_in, .. } = &*self.0.state.lock();
        ScaleSnapshot { workers, needed, capacity, outs: n_out, ins: n_in }
    }

    fn reconfigure(&self, config: ScaleConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for Scaler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scaler").field("name", &self.0.name).finish_non_exhaustive()
    }
}
