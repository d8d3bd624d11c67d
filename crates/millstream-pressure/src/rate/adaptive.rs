//! `AdaptiveRate`: a rate that goes by how long calls take.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::{AdaptiveRateConfig, RateConfig, RateLimit, RateTurn};
use crate::{
    Admit, Admitted, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Meter, Outcome, Permit,
    Policy, Pressure, PressureSource, Reason, Rejected, Settings as _, Settle, parts::Latencies,
};

/// A rate limit that finds its rate from how long the calls take, for a dependency that does not
/// say how much it can do.
///
/// Once an interval, a quantile of the latencies of calls that began after the last change is
/// compared with the target, and so is what Little's law says of the calls in progress, which shows
/// a queue at the other side before its first call has come back. Above the target, the rate, or
/// the pace at which calls end if that is less, is multiplied by
/// [`backoff`](AdaptiveRateConfig::backoff); otherwise [`step`](AdaptiveRateConfig::step) is
/// added. Adding and multiplying, and not multiplying both ways, is what has several senders
/// converge to equal rates (Chiu and Jain, 1989). While what has piled up gets less, the rate
/// stays.
///
/// A failed call counts as one that took for ever. A rate that was not used is not raised, and idle
/// times do not lower it. It goes by calls that end: have those that hang end as failures, by a
/// [`TimeLimit`](crate::TimeLimit).
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{AdaptiveRate, AdaptiveRateConfig, Outcome};
///
/// let time = VirtualTime::new();
/// let rate = AdaptiveRate::new("storage", AdaptiveRateConfig::default(), &time)?;
/// let before = rate.rate();
/// for _ in 0..1_000 {
///     if let Ok(permit) = rate.try_acquire() {
///         time.advance(Duration::from_millis(300)); // three times the target
///         permit.finish(Outcome::Success);
///     }
/// }
/// assert!(rate.rate() < before / 2.0);
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is dropped says nothing about
/// the other side. A clock that is set back makes calls that took no time.
#[derive(Clone)]
pub struct AdaptiveRate(Arc<Shared>);

struct Shared {
    limit: RateLimit,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    config: AdaptiveRateConfig,
    rate: f64,
    latencies: Latencies,
    /// Calls that began before this were made at another rate.
    since: Duration,
    /// When the next decision is due.
    ends: Duration,
    /// Calls that were let pass since the last decision, and that have ended.
    n_passed: u64,
    n_ended: u64,
    /// Calls in progress at the last decision.
    in_progress_before: u64,
    /// The last quantile.
    latency: Option<Duration>,
    n_raised: u64,
    n_lowered: u64,
    in_progress: u64,
}

/// What [`AdaptiveRate`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveRateSnapshot {
    /// What became of each call that was asked for; those who wait are not counted yet.
    pub balance: Balance,
    /// The present rate, a second.
    pub rate: f64,
    /// The quantile of the latencies that the last decision was made by; none before the first.
    pub latency: Option<Duration>,
    /// Decisions to raise the rate.
    pub n_raised: u64,
    /// Decisions to lower it.
    pub n_lowered: u64,
    /// Calls that were let pass and have not ended.
    pub in_progress: u64,
}

impl AdaptiveRate {
    /// A rate by the clock of `scheduler`, that begins as configured.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: AdaptiveRateConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let rate = config.initial();
        let each = RateConfig { rate, burst: config.burst };
        let limit = RateLimit::of(name.into(), each, clock.clone(), Arc::<Ledger>::default());
        let now = clock.now();
        let state = State {
            config,
            rate,
            latencies: Latencies::new(),
            since: now,
            ends: now.saturating_add(config.interval),
            n_passed: 0,
            n_ended: 0,
            in_progress_before: 0,
            latency: None,
            n_raised: 0,
            n_lowered: 0,
            in_progress: 0,
        };
        Ok(Self(Arc::new(Shared { limit, clock, state: Mutex::new(state) })))
    }

    /// The present rate, a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.0.state.lock().rate
    }

    /// A permit, if the rate allows it and nobody waits. Never waits.
    ///
    /// # Errors
    ///
    /// [`Rate`](Reason::Rate), as of [`RateLimit::try_acquire`].
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        self.0.limit.try_acquire(1)?;
        Ok(self.permit())
    }

    /// Waits for a permit, in the order of those who wait. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`Shutdown`](Reason::Shutdown) if the scheduler has stopped or has no clock.
    pub async fn acquire(&self) -> Result<Permit, Rejected<()>> {
        self.0.limit.acquire(1).await?;
        Ok(self.permit())
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

    /// A permit for a call that was let pass.
    fn permit(&self) -> Permit {
        let started = self.0.clock.now();
        {
            let mut state = self.0.state.lock();
            state.n_passed += 1;
            state.in_progress += 1;
        }
        let grant = Grant { weight: 1, generation: 0, started };
        Permit::new(Arc::<Shared>::clone(&self.0), grant)
    }
}

impl State {
    /// Decides, if it is time to. Returns whether there is another rate.
    fn decide(&mut self, now: Duration) -> bool {
        let AdaptiveRateConfig { min, max, target, quantile, step, backoff, interval, .. } =
            self.config;
        if now < self.ends || self.n_ended < self.config.min_calls {
            return false;
        }
        let passed = now.saturating_sub(self.ends).saturating_add(interval).as_secs_f64();
        let is_used = self.n_passed as f64 >= 0.8 * self.rate * passed;
        let ends_at = self.n_ended as f64 / passed;
        let is_draining = self.in_progress < self.in_progress_before;
        let measured = self.latencies.take_quantile(quantile);
        let measured =
            measured.map(|latency| Duration::try_from_secs_f64(latency).unwrap_or(Duration::MAX));
        self.latency = measured.or(self.latency);
        self.ends = now.saturating_add(interval);
        (self.n_passed, self.n_ended) = (0, 0);
        self.in_progress_before = self.in_progress;
        // Of calls that wait at the other side, it is seen too late how long they take: Little's
        // law says it before.
        let predicted = self.in_progress as f64 / ends_at;
        let is_piling_up = is_used && predicted > target.as_secs_f64();
        let before = self.rate;
        if is_piling_up || measured.is_some_and(|latency| latency > target) {
            if is_used && is_draining {
                // It is low enough, and what has piled up takes its time.
                return false;
            }
            let possible = if is_used { self.rate.min(ends_at) } else { self.rate };
            self.rate = (possible * backoff).max(min);
            self.n_lowered += 1;
            // What is under way was let pass at the rate before: no reason to go down again.
            self.since = now;
        } else if is_used {
            self.rate = (self.rate + step).min(max);
            self.n_raised += 1;
        }
        self.rate != before
    }
}

impl Settle for Shared {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        let now = self.clock.now();
        let changed = {
            let mut state = self.state.lock();
            state.in_progress -= 1;
            let is_measured = !matches!(outcome, Outcome::Canceled | Outcome::Ignored);
            state.n_ended += u64::from(is_measured);
            if is_measured && grant.started >= state.since {
                let is_failure = outcome == Outcome::Failure;
                let latency = now.saturating_sub(grant.started);
                state.latencies.add(if is_failure { Duration::MAX } else { latency });
            }
            let burst = state.config.burst;
            state.decide(now).then_some(RateConfig { rate: state.rate, burst })
        };
        // That wakes the one who waits: after the lock. Two at a time may come in the wrong order,
        // which the next decision mends.
        if let Some(config) = changed
            && let Err(error) = self.limit.reconfigure(config)
        {
            unreachable!("the bounds were checked: {error}");
        }
    }
}

impl Admit for AdaptiveRate {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire().await
    }
}

/// Releases demand at the rate; each item comes with its permit.
impl Meter for AdaptiveRate {
    type Turn = RateTurn;
    type Out<T> = Admitted<T>;

    fn poll(
        &self,
        turn: &mut RateTurn,
        wanted: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>> {
        self.0.limit.poll(turn, wanted, cx)
    }

    fn refund(&self, n: u64) {
        self.0.limit.refund(n);
    }

    fn pass<T>(&self, item: T) -> Admitted<T> {
        Admitted { item, permit: self.permit() }
    }
}

impl Policy for AdaptiveRate {
    type Config = AdaptiveRateConfig;
    type Snapshot = AdaptiveRateSnapshot;

    fn name(&self) -> &str {
        self.0.limit.name()
    }

    fn config(&self) -> AdaptiveRateConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> AdaptiveRateSnapshot {
        let balance = self.0.limit.snapshot().balance;
        let state = self.0.state.lock();
        let &State { rate, latency, n_raised, n_lowered, in_progress, .. } = &*state;
        AdaptiveRateSnapshot { balance, rate, latency, n_raised, n_lowered, in_progress }
    }

    /// Keeps the rate, within the new bounds.
    fn reconfigure(&self, config: AdaptiveRateConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let now = self.0.clock.now();
        let rate = {
            let mut state = self.0.state.lock();
            state.rate = state.rate.clamp(config.min, config.max);
            state.ends = state.ends.min(now.saturating_add(config.interval));
            state.config = config;
            state.rate
        };
        self.0.limit.reconfigure(RateConfig { rate, burst: config.burst })
    }
}

/// Where the rate is between its bounds: 0 at the most, 1 at the least.
impl PressureSource for AdaptiveRate {
    fn pressure(&self) -> Option<Pressure> {
        let state = self.0.state.lock();
        let AdaptiveRateConfig { min, max, .. } = state.config;
        let level = if max > min { (max - state.rate) / (max - min) } else { 0.0 };
        Pressure::new(level, self.0.clock.now())
    }
}

impl fmt::Debug for AdaptiveRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveRate").field("name", &self.name()).finish_non_exhaustive()
    }
}
