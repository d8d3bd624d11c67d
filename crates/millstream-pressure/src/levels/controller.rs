//! `Controller`: from all that is known about pressure to what is let in.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::Curve;
use crate::{
    Clock, ConcurrencyLimit, InvalidSetting, Policy, Pressure, PressureSource, RateConfig,
    RateLimit, Settings,
};

const POLICY: &str = "controller";

/// How a controller is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ControllerConfig {
    /// How often it decides. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
    /// A reading that is older is none. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_age: Duration,
    /// What is let in at which pressure.
    pub curve: Curve,
    /// By how much the factor falls at most in an interval. Default: 0.3.
    pub fall: f64,
    /// By how much it rises at most in an interval. Default: 0.05.
    pub rise: f64,
    /// From this pressure on the level is elevated. Default: 0.6.
    pub elevated: f64,
    /// From this pressure on it is high. Default: 0.8.
    pub high: f64,
    /// From this pressure on it is critical. Default: 0.95.
    pub critical: f64,
    /// By how much the pressure has to be below a level's threshold to leave it. Default: 0.1.
    pub hysteresis: f64,
}

impl Default for ControllerConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            max_age: Duration::from_secs(5),
            curve: Curve::default(),
            fall: 0.3,
            rise: 0.05,
            elevated: 0.6,
            high: 0.8,
            critical: 0.95,
            hysteresis: 0.1,
        }
    }
}

impl Settings for ControllerConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { elevated, high, critical, hysteresis, .. } = self;
        let within = InvalidSetting::unless_within;
        InvalidSetting::unless_some_time(POLICY, "interval", self.interval)?;
        InvalidSetting::unless_some_time(POLICY, "max_age", self.max_age)?;
        self.curve.validate(POLICY)?;
        let (share, rule) = (f64::MIN_POSITIVE..=1.0, "more than 0 and at most 1");
        within(POLICY, "fall", self.fall, share.clone(), rule)?;
        within(POLICY, "rise", self.rise, share.clone(), rule)?;
        within(POLICY, "elevated", elevated, share, rule)?;
        within(POLICY, "high", high, elevated..=1.0, "from elevated to 1")?;
        within(POLICY, "critical", critical, high..=1.0, "from high to 1")?;
        let is_valid = hysteresis >= 0.0 && hysteresis < elevated;
        let rule = "from 0 to less than elevated";
        InvalidSetting::unless(is_valid, POLICY, "hysteresis", hysteresis, rule)
    }
}

/// How serious it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LoadLevel {
    /// All is well.
    #[default]
    Normal,
    /// Less important work may wait.
    Elevated,
    /// Less important work is refused.
    High,
    /// Only what has to be done is done.
    Critical,
}

impl LoadLevel {
    /// All levels.
    pub const ALL: [Self; 4] = [Self::Normal, Self::Elevated, Self::High, Self::Critical];
}

/// What a [`Controller`] has decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The share to be let in, from 1 to the curve's floor, smoothed.
    pub factor: f64,
    /// How serious it is.
    pub level: LoadLevel,
    /// The largest pressure; 0 where nothing has a reading.
    pub pressure: f64,
    /// What is under it; `None` where nothing has a reading.
    pub worst: Option<Arc<str>>,
}

/// Composes all inputs at a boundary, such as the depth of a queue, the latency, the credits that
/// are left, the health of a dependency and a forecast, and sets rates, limits and policies by it.
///
/// Each interval, the inputs are read; the one that is worst decides, since any of them may be what
/// will break. The factor is what the curve says of it, but falls and rises only so fast. The load
/// level has hysteresis, so that it does not flap. Inputs without a fresh reading are left out;
/// where none has one, nothing is held against anybody, and the factor rises again.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{
///     Controller, ControllerConfig, LoadLevel, Policy as _, Queue, QueueConfig, RateConfig,
///     RateLimit,
/// };
///
/// let time = VirtualTime::new();
/// let ten = QueueConfig { capacity: 10, ..QueueConfig::default() };
/// let queue = Queue::new("orders", ten, &time)?;
/// let rate = RateLimit::new("entrance", RateConfig { rate: 1_000.0, burst: 10 }, &time)?;
/// let controller = Controller::new("entrance", ControllerConfig::default(), &time)?;
/// controller.watch("depth", queue.clone());
/// controller.drive_rate(&rate);
/// (0..10).for_each(|n| queue.try_put(n).unwrap());
/// let decision = controller.decide();
/// assert_eq!(decision.level, LoadLevel::Critical);
/// assert_eq!(decision.worst.as_deref(), Some("depth"));
/// assert_eq!(rate.config().rate, 700.0); // by steps of 0.3
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. Inputs and actions run without a lock; one that
/// panics reaches whoever has the controller decide, and the next decision is made as any other.
#[derive(Clone)]
pub struct Controller(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

type Act = dyn Fn(&Decision) + Send + Sync;

struct State {
    config: ControllerConfig,
    inputs: Vec<(Arc<str>, Arc<dyn PressureSource>)>,
    actions: Vec<Arc<Act>>,
    last: Decision,
    n_decisions: u64,
    n_changes: u64,
    in_level: [Duration; 4],
    decided_at: Option<Duration>,
}

/// What [`Controller`] says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ControllerSnapshot {
    /// The last decision.
    pub last: Decision,
    /// Decisions so far.
    pub n_decisions: u64,
    /// Changes of the level so far.
    pub n_changes: u64,
    /// How long it was in each of [`LoadLevel::ALL`].
    pub in_level: [Duration; 4],
}

impl Controller {
    /// A controller without inputs, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ControllerConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let last = Decision { factor: 1.0, level: LoadLevel::Normal, pressure: 0.0, worst: None };
        let state = State {
            config,
            inputs: Vec::new(),
            actions: Vec::new(),
            last,
            n_decisions: 0,
            n_changes: 0,
            in_level: [Duration::ZERO; 4],
            decided_at: None,
        };
        let clock = Clock::of(scheduler);
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state: Mutex::new(state) })))
    }

    /// One more input, under the name by which decisions speak of it.
    pub fn watch(&self, name: impl Into<Arc<str>>, source: impl PressureSource + 'static) {
        self.0.state.lock().inputs.push((name.into(), Arc::new(source)));
    }

    /// Does `act` after each decision.
    pub fn on_decision(&self, act: impl Fn(&Decision) + Send + Sync + 'static) {
        self.0.state.lock().actions.push(Arc::new(act));
    }

    /// Sets the rate of `limit` to the factor's share of what it is now.
    pub fn drive_rate(&self, limit: &RateLimit) {
        let RateConfig { rate, burst } = limit.config();
        self.drive(limit, move |decision| RateConfig { rate: rate * decision.factor, burst });
    }

    /// Has no more in progress under `limit` than the factor's share of `most`, and always one.
    pub fn drive_limit(&self, limit: &ConcurrencyLimit, most: u64) {
        let limit = limit.clone();
        self.on_decision(move |decision| {
            let room = (most as f64 * decision.factor).round().max(1.0) as u64;
            limit.advertise((decision.factor < 1.0).then_some(room));
        });
    }

    /// Configures a policy after each decision, such as what a queue does when it is full by the
    /// load level. A configuration that is not valid is not taken over.
    pub fn drive<P: Policy>(
        &self,
        policy: &P,
        configure: impl Fn(&Decision) -> P::Config + Send + Sync + 'static,
    ) {
        let policy = policy.clone();
        self.on_decision(move |decision| drop(policy.reconfigure(configure(decision))));
    }

    /// Reads the inputs, decides, and acts. For those who drive it by themselves.
    pub fn decide(&self) -> Decision {
        let shared = &*self.0;
        let now = shared.clock.now();
        let (config, inputs, actions) = {
            let state = shared.state.lock();
            (state.config, state.inputs.clone(), state.actions.clone())
        };
        let readings = inputs.into_iter().filter_map(|(name, source)| {
            let reading = source.pressure()?.if_fresh(now, config.max_age)?;
            Some((name, reading.level()))
        });
        let worst = readings.max_by(|a, b| a.1.total_cmp(&b.1));
        let decision = {
            let mut state = shared.state.lock();
            state.decide(worst, now);
            state.last.clone()
        };
        actions.iter().for_each(|act| act(&decision));
        decision
    }

    /// Decides once an interval, until the scheduler stops or the future is dropped.
    pub async fn run(&self) {
        let clock = &self.0.clock;
        loop {
            self.decide();
            let interval = self.0.state.lock().config.interval;
            if !clock.sleep_until(clock.after(interval)).await {
                return;
            }
        }
    }
}

impl State {
    fn decide(&mut self, worst: Option<(Arc<str>, f64)>, now: Duration) {
        let ControllerConfig { curve, fall, rise, .. } = self.config;
        let pressure = worst.as_ref().map_or(0.0, |worst| worst.1);
        let before = &self.last;
        let target = curve.factor(pressure);
        let factor = target.max(before.factor - fall).min(before.factor + rise);
        let level = self.config.level(before.level, pressure);
        if let Some(decided_at) = self.decided_at {
            self.in_level[before.level as usize] += now.saturating_sub(decided_at);
        }
        self.decided_at = Some(now);
        self.n_decisions += 1;
        self.n_changes += u64::from(level != before.level);
        self.last = Decision { factor, level, pressure, worst: worst.map(|worst| worst.0) };
    }
}

impl ControllerConfig {
    /// The level at this pressure, after another one.
    fn level(&self, before: LoadLevel, pressure: f64) -> LoadLevel {
        let at = |pressure: f64| {
            let thresholds = [self.elevated, self.high, self.critical];
            LoadLevel::ALL[thresholds.iter().filter(|&&threshold| pressure >= threshold).count()]
        };
        let up = at(pressure);
        if up >= before { up } else { at(pressure + self.hysteresis).min(before) }
    }
}

/// The pressure of the last decision.
impl PressureSource for Controller {
    fn pressure(&self) -> Option<Pressure> {
        let state = self.0.state.lock();
        Pressure::new(state.last.pressure, state.decided_at?)
    }
}

impl Policy for Controller {
    type Config = ControllerConfig;
    type Snapshot = ControllerSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ControllerConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> ControllerSnapshot {
        let now = self.0.clock.now();
        let state = self.0.state.lock();
        let mut in_level = state.in_level;
        if let Some(decided_at) = state.decided_at {
            in_level[state.last.level as usize] += now.saturating_sub(decided_at);
        }
        let (last, n_decisions, n_changes) =
            (state.last.clone(), state.n_decisions, state.n_changes);
        ControllerSnapshot { last, n_decisions, n_changes, in_level }
    }

    fn reconfigure(&self, config: ControllerConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.0.name).finish_non_exhaustive()
    }
}
