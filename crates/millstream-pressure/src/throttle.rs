//! `Throttler`: asks less of what refuses much, by chance and by degrees.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::{
    Admit, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Policy, Random,
    Reason, Rejected, Settings, Settle, parts::Spans,
};

const POLICY: &str = "throttler";

/// Into how many spans the window is divided.
const SPANS: usize = 40;

/// How a throttler is set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ThrottleConfig {
    /// How many times as many requests are made as are accepted before any is refused;
    /// above 1. Default: 2.
    pub multiplier: f64,
    /// The time over which requests and accepts are counted. Longer than the time-out of the
    /// calls, or those that are out look refused. Default: 2 min.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
    /// The largest share that is refused, from 0 to 1, so that it is noticed when the other side
    /// accepts again. Default: 0.95.
    pub max_refused: f64,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self { multiplier: 2.0, window: Duration::from_secs(120), max_refused: 0.95 }
    }
}

impl Settings for ThrottleConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let is_valid = self.multiplier > 1.0 && self.multiplier <= 1_000.0;
        let rule = "more than 1 and at most 1000";
        InvalidSetting::unless(is_valid, POLICY, "multiplier", self.multiplier, rule)?;
        InvalidSetting::unless_some_time(POLICY, "window", self.window)?;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(POLICY, "max_refused", self.max_refused, 0.0..=1.0, rule)
    }
}

/// Adaptive throttling: a client that is refused refuses calls by itself, before they cost the
/// other side anything ("Site Reliability Engineering", chapter 21).
///
/// A call is refused with the probability `max(0, (requests - K * accepts) / (requests + 1))`,
/// over the last while. A request counts when it is asked for, and an accept when its call has
/// ended without a failure; what is refused here is a request too. A permit that is dropped is
/// not an accept, since that is how a time-out ends a call.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Outcome, Random, ThrottleConfig, Throttler};
///
/// let throttler = Throttler::with_random(
///     "search",
///     ThrottleConfig::default(),
///     &VirtualTime::new(),
///     Random::seeded(1),
/// )?;
/// let n_let_pass = (0..1_000)
///     .filter_map(|_| throttler.try_acquire().ok())
///     .map(|permit| permit.finish(Outcome::Failure))
///     .count();
/// assert!(n_let_pass < 100, "the other side is asked less: {n_let_pass} times");
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is leaked is as a call that
/// never ends. A clock that is set back makes time stand still.
#[derive(Clone)]
pub struct Throttler(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    ledger: Ledger,
    state: Mutex<State>,
}

struct State {
    config: ThrottleConfig,
    random: Random,
    /// Requests, and accepts.
    window: Spans<2>,
    /// Of calls that began in an earlier window nothing is counted.
    generation: u64,
}

/// What [`Throttler`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThrottleSnapshot {
    /// What became of each call that was asked for.
    pub balance: Balance,
    /// Requests in the window.
    pub requests: u64,
    /// Accepts in the window.
    pub accepts: u64,
    /// The probability with which the next call is refused.
    pub refused: f64,
}

impl Throttler {
    /// A throttler by the clock of `scheduler`, whose chance differs each time.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ThrottleConfig,
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
        config: ThrottleConfig,
        scheduler: &impl Scheduler,
        random: Random,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let window = Spans::new(SPANS, config.window / SPANS as u32, clock.now());
        let state = State { config, random, window, generation: 0 };
        let (ledger, state) = (Ledger::new(), Mutex::new(state));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, ledger, state })))
    }

    /// Lets a call pass, or not. Never waits.
    ///
    /// # Errors
    ///
    /// [`Throttled`](Reason::Throttled).
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        self.decide(true)
    }

    /// Waits until a call is let pass: one that is refused tries again after a time by chance.
    /// Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`Shutdown`](Reason::Shutdown) if the scheduler has stopped or has no clock.
    pub async fn acquire(&self) -> Result<Permit, Rejected<()>> {
        loop {
            if let Ok(permit) = self.decide(false) {
                return Ok(permit);
            }
            let clock = &self.0.clock;
            let delay = {
                let mut state = self.0.state.lock();
                let longest = (state.config.window / SPANS as u32).max(Duration::from_nanos(2));
                state.random.up_to(longest).max(Duration::from_nanos(1))
            };
            if !clock.sleep_until(clock.after(delay)).await {
                self.0.ledger.offer(1);
                self.0.ledger.discard(Reason::Shutdown, 1);
                return Err(Rejected::new((), Reason::Shutdown));
            }
        }
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the scheduler runs its
    /// timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self) -> Result<Permit, Rejected<()>> {
        pollster::block_on(self.acquire())
    }

    /// One that waits is one call, however often it is refused.
    fn decide(&self, is_final: bool) -> Result<Permit, Rejected<()>> {
        let now = self.0.clock.now();
        let (is_refused, generation) = {
            let mut state = self.0.state.lock();
            let share = state.refused(now);
            let is_refused = state.random.unit() < share;
            state.window.add([1, 0], now);
            (is_refused, state.generation)
        };
        if !is_refused || is_final {
            self.0.ledger.offer(1);
        }
        if !is_refused {
            self.0.ledger.deliver(1);
            return Ok(Permit::new(
                Arc::<Shared>::clone(&self.0),
                Grant { weight: 1, generation, started: now },
            ));
        }
        if is_final {
            self.0.ledger.discard(Reason::Throttled, 1);
        }
        Err(Rejected::new((), Reason::Throttled))
    }
}

impl State {
    /// With which probability the next call is refused.
    fn refused(&mut self, now: Duration) -> f64 {
        let [requests, accepts] = self.window.total(now);
        let beyond = requests as f64 - self.config.multiplier * accepts as f64;
        (beyond / (requests as f64 + 1.0)).clamp(0.0, self.config.max_refused)
    }
}

impl Settle for Shared {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        if matches!(outcome, Outcome::Failure | Outcome::Canceled) {
            return;
        }
        let now = self.clock.now();
        let mut state = self.state.lock();
        if grant.generation == state.generation {
            state.window.add([0, 1], now);
        }
    }
}

impl Admit for Throttler {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire().await
    }
}

impl Policy for Throttler {
    type Config = ThrottleConfig;
    type Snapshot = ThrottleSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ThrottleConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> ThrottleSnapshot {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        let [requests, accepts] = state.window.total(now);
        let refused = state.refused(now);
        ThrottleSnapshot { balance: self.0.ledger.balance(), requests, accepts, refused }
    }

    /// A window of another length begins empty.
    fn reconfigure(&self, config: ThrottleConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if config.window != state.config.window {
            state.window = Spans::new(SPANS, config.window / SPANS as u32, now);
            state.generation += 1;
        }
        state.config = config;
        Ok(())
    }
}

impl fmt::Debug for Throttler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttler").field("name", &self.0.name).finish_non_exhaustive()
    }
}
