//! `Shedder`: refuses what is least critical before answers come too late for all.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::{
    Admit, Balance, Class, Clock, Criticality, Grant, InvalidSetting, Ledger, Outcome, Permit,
    Policy, Pressure, PressureSource, Random, Reason, Rejected, Settings, Settle,
};

const POLICY: &str = "shedder";

/// The pace follows the last calls so fast.
const FOLLOW: f64 = 1.0 / 32.0;

/// When nothing has ended for so many times the usual gap, that is the pace.
const STALLED: f64 = 8.0;

/// How a shedder is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ShedConfig {
    /// How long a call may take at most, waiting included, to be worth anything. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_delay: Duration,
    /// From which share of `max_delay` on sheddable calls are refused. Default: 0.5.
    pub sheddable: f64,
    /// From which share of `max_delay` on default calls are refused; at least as much. Critical
    /// ones are from `max_delay` on. Default: 0.8.
    pub default: f64,
    /// Over which share of `max_delay` the refusals of a class grow from none to all, so that
    /// load comes and goes by degrees. Default: 0.1.
    pub ramp: f64,
}

impl Default for ShedConfig {
    fn default() -> Self {
        Self { max_delay: Duration::from_secs(1), sheddable: 0.5, default: 0.8, ramp: 0.1 }
    }
}

impl Settings for ShedConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { max_delay, sheddable, default, ramp } = self;
        InvalidSetting::unless_some_time(POLICY, "max_delay", max_delay)?;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(POLICY, "sheddable", sheddable, 0.0..=1.0, rule)?;
        let rule = "from sheddable to 1";
        InvalidSetting::unless_within(POLICY, "default", default, sheddable..=1.0, rule)?;
        InvalidSetting::unless_within(POLICY, "ramp", ramp, 0.0..=1.0, "a number from 0 to 1")
    }
}

/// Load shedding by class and predicted delay.
///
/// How long a call that is let in now will take is predicted by Little's law: as many as are in
/// progress, at the pace at which they end. Once that comes near to what callers accept, calls are
/// refused at once: those that are [`Sheddable`](Criticality::Sheddable) first, then the default
/// ones, and critical ones only where their own answer would come too late. Most calls are then
/// answered in time, where otherwise all would be late.
///
/// Stands where calls enter, before anything was done for them. The permit is held until the call
/// is answered, its time in queues included.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Class, Criticality, Outcome, Reason, ShedConfig, Shedder};
///
/// let time = VirtualTime::new();
/// let config = ShedConfig { max_delay: Duration::from_millis(100), ..ShedConfig::default() };
/// let shedder = Shedder::new("entrance", config, &time)?;
/// // One ends each 10 ms, and eight are in progress: 90 ms for one more.
/// let mut calls = Vec::new();
/// (0..9).for_each(|_| calls.extend(shedder.try_acquire(Class::default())));
/// time.advance(Duration::from_millis(10));
/// calls.pop().unwrap().finish(Outcome::Success);
/// let prefetch = Class { criticality: Criticality::Sheddable, ..Class::default() };
/// assert_eq!(shedder.try_acquire(prefetch).unwrap_err().reason, Reason::LowPriority);
/// let payment = Class { criticality: Criticality::Critical, ..Class::default() };
/// assert!(shedder.try_acquire(payment).is_ok());
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is forgotten counts as in
/// progress for ever. A clock that stands still predicts no delay.
#[derive(Clone)]
pub struct Shedder(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    ledger: Ledger,
    state: Mutex<State>,
}

struct State {
    config: ShedConfig,
    random: Random,
    in_progress: u64,
    /// When the last call ended, or the first of those in progress began, if that was later.
    last: Duration,
    /// The mean time between two ends while there is something in progress, in seconds.
    gap: Option<f64>,
}

/// What [`Shedder`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShedSnapshot {
    /// What became of each call that was asked for; queued are those in progress.
    pub balance: Balance,
    /// Calls in progress.
    pub in_progress: u64,
    /// How long one that is let in now will take; none while no call has ended.
    pub predicted: Option<Duration>,
}

impl Shedder {
    /// A shedder by the clock of `scheduler`, whose chance differs each time.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ShedConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_random(name, config, scheduler, Random::new())
    }

    /// The same, whose chance is `random`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_random(
        name: impl Into<Arc<str>>,
        config: ShedConfig,
        scheduler: &impl Scheduler,
        random: Random,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let state = State { config, random, in_progress: 0, last: clock.now(), gap: None };
        let (ledger, state) = (Ledger::new(), Mutex::new(state));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, ledger, state })))
    }

    /// Lets a call of `class` in, or not. Never waits: a call that would have to is late already.
    ///
    /// # Errors
    ///
    /// [`LowPriority`](Reason::LowPriority), or, of a critical call, [`Delay`](Reason::Delay);
    /// with the time by which the prediction has to fall.
    pub fn try_acquire(&self, class: Class) -> Result<Permit, Rejected<()>> {
        let shared = &self.0;
        shared.ledger.offer(1);
        let now = shared.clock.now();
        let refusal = {
            let mut state = shared.state.lock();
            let refusal = state.refuse(class.criticality, now);
            if refusal.is_none() {
                if state.in_progress == 0 {
                    state.last = now;
                }
                state.in_progress += 1;
            }
            refusal
        };
        let Some(excess) = refusal else {
            let grant = Grant { weight: 1, generation: 0, started: now };
            return Ok(Permit::new(Arc::<Shared>::clone(shared), grant));
        };
        let is_critical = class.criticality == Criticality::Critical;
        let reason = if is_critical { Reason::Delay } else { Reason::LowPriority };
        shared.ledger.discard(reason, 1);
        Err(Rejected::new((), reason).retry_after(excess))
    }
}

impl State {
    /// How long one more call will take, in seconds.
    fn predicted(&self, now: Duration) -> Option<f64> {
        let gap = self.gap?;
        let since = now.saturating_sub(self.last).as_secs_f64();
        let is_stalled = self.in_progress > 0 && since > STALLED * gap;
        let gap = if is_stalled { since } else { gap };
        Some(gap * (self.in_progress + 1) as f64)
    }

    /// By how much the prediction is beyond what a class allows, if the call is refused.
    fn refuse(&mut self, criticality: Criticality, now: Duration) -> Option<Duration> {
        let ShedConfig { max_delay, sheddable, default, ramp } = self.config;
        let allowed = match criticality {
            Criticality::Sheddable => sheddable,
            Criticality::Default => default,
            Criticality::Critical => 1.0,
        };
        // One that is alone delays nobody, and shows whether the other side is fast again.
        if self.in_progress == 0 {
            return None;
        }
        let max_delay = max_delay.as_secs_f64();
        let beyond = self.predicted(now)? / max_delay - allowed;
        let is_refused = beyond > 0.0 && (ramp == 0.0 || self.random.unit() < beyond / ramp);
        is_refused.then(|| {
            let excess = beyond * max_delay * (0.5 + self.random.unit());
            Duration::try_from_secs_f64(excess).unwrap_or(Duration::MAX)
        })
    }
}

impl Settle for Shared {
    fn settle(&self, _: Grant, outcome: Outcome) {
        let now = self.clock.now();
        self.ledger.deliver(1);
        let mut state = self.state.lock();
        state.in_progress -= 1;
        // One that was given up says nothing about the pace.
        if outcome == Outcome::Canceled {
            return;
        }
        let gap = now.saturating_sub(state.last).as_secs_f64();
        state.last = now;
        let before = state.gap.unwrap_or(gap);
        state.gap = Some(before + FOLLOW * (gap - before));
    }
}

impl Admit for Shedder {
    fn try_admit(&self, class: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire(class)
    }

    /// Does not wait: one that is refused is refused.
    async fn admit(&self, class: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire(class)
    }
}

impl Policy for Shedder {
    type Config = ShedConfig;
    type Snapshot = ShedSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ShedConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> ShedSnapshot {
        let now = self.0.clock.now();
        let state = self.0.state.lock();
        let predicted = state.predicted(now);
        let predicted =
            predicted.map(|delay| Duration::try_from_secs_f64(delay).unwrap_or(Duration::MAX));
        let balance = self.0.ledger.balance();
        ShedSnapshot { balance, in_progress: state.in_progress, predicted }
    }

    fn reconfigure(&self, config: ShedConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

/// The predicted delay, of the longest that is accepted.
impl PressureSource for Shedder {
    fn pressure(&self) -> Option<Pressure> {
        let now = self.0.clock.now();
        let state = self.0.state.lock();
        Pressure::new(state.predicted(now)? / state.config.max_delay.as_secs_f64(), now)
    }
}

impl fmt::Debug for Shedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shedder").field("name", &self.0.name).finish_non_exhaustive()
    }
}
