//! `Breaker`: stops calls to what fails, and lets a few try whether it works again.

mod config;
mod state;
mod window;

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_kernel::{BreakerState, BreakerWord, guard::muted};
use parking_lot::Mutex;

pub use self::config::{BreakerConfig, BreakerWindow};
use self::state::State;
use crate::{
    Admit, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Policy, Reason,
    Rejected, Settings as _, Settle,
    parts::{Look, Turn},
};

/// A circuit breaker: it is closed while calls succeed, opens when too many fail or are slow, and
/// after a time lets exactly as many probes pass as it needs to decide (Nygard, "Release It!").
///
/// A permit belongs to the state in which it was granted. A result that comes when that is over
/// changes nothing, so that a call of yesterday neither closes nor opens it. A probe that is
/// canceled or says nothing is replaced by another; probes that never come back open it again
/// after [`probe_timeout`](BreakerConfig::probe_timeout).
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Breaker, BreakerConfig, BreakerWindow, Outcome, Reason};
///
/// let time = VirtualTime::new();
/// let config = BreakerConfig {
///     window: BreakerWindow::Count(4),
///     open_for: Duration::from_secs(5),
///     probes: 1,
///     ..BreakerConfig::default()
/// };
/// let breaker = Breaker::new("payments", config, &time)?;
/// for _ in 0..4 {
///     breaker.try_acquire()?.finish(Outcome::Failure);
/// }
/// let rejected = breaker.try_acquire().unwrap_err();
/// assert_eq!(rejected.reason, Reason::BreakerOpen);
/// assert_eq!(rejected.retry_after, Some(Duration::from_secs(5)));
///
/// time.advance(Duration::from_secs(5));
/// let probe = breaker.try_acquire()?;
/// assert!(breaker.try_acquire().is_err(), "one probe at a time");
/// probe.finish(Outcome::Success);
/// assert!(breaker.try_acquire().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A permit that is dropped counts as canceled;
/// one that is leaked is as a call that never ends. A clock that is set back makes time stand
/// still. A listener that panics is not called again for that change, and nothing else is
/// affected.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    word: BreakerWord,
    turn: Turn,
    ledger: Ledger,
    listener: Option<Box<Listener>>,
    /// All transitions are made under this lock.
    state: Mutex<State>,
}

type Listener = dyn Fn(BreakerState) + Send + Sync;

/// What a breaker does by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BreakerMode {
    /// Everything.
    #[default]
    Automatic,
    /// Lets everything pass, and looks at no result.
    Disabled,
    /// Lets nothing pass.
    ForcedOpen,
    /// Lets everything pass, and counts results: to see what it would do.
    MetricsOnly,
}

/// What [`Breaker`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSnapshot {
    /// The present state.
    pub state: BreakerState,
    /// What it does by itself.
    pub mode: BreakerMode,
    /// What became of each call that was asked for.
    pub balance: Balance,
    /// Results in the window.
    pub calls: u64,
    /// Failures among them.
    pub failures: u64,
    /// Slow ones among them.
    pub slow: u64,
    /// Results that came after the state in which they were granted was over.
    pub stale: u64,
    /// How often it has opened.
    pub n_opened: u64,
    /// Whether somebody waits.
    pub has_waiting: bool,
}

impl Breaker {
    /// A closed breaker, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: BreakerConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::make(name.into(), config, Clock::of(scheduler), None)
    }

    /// The same, and `listener` is told of each state that begins, on the thread that begins it
    /// and under no lock.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_listener(
        name: impl Into<Arc<str>>,
        config: BreakerConfig,
        scheduler: &impl Scheduler,
        listener: impl Fn(BreakerState) + Send + Sync + 'static,
    ) -> Result<Self, InvalidSetting> {
        Self::make(name.into(), config, Clock::of(scheduler), Some(Box::new(listener)))
    }

    fn make(
        name: Arc<str>,
        config: BreakerConfig,
        clock: Clock,
        listener: Option<Box<Listener>>,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        Ok(Self(Arc::new(Shared {
            name,
            word: BreakerWord::new(),
            turn: Turn::new(),
            ledger: Ledger::new(),
            listener,
            state: Mutex::new(State::new(config, clock.now())),
            clock,
        })))
    }

    /// Lets a call pass, if the state allows it. Never waits.
    ///
    /// # Errors
    ///
    /// [`BreakerOpen`](Reason::BreakerOpen), with the time until probes are let pass.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        let now = self.0.clock.now();
        self.0.ledger.offer(1);
        match self.0.look(now, false) {
            Look::Ready(generation) => Ok(self.permit(generation, now)),
            Look::NotBefore(at) => {
                self.0.ledger.discard(Reason::BreakerOpen, 1);
                let rejected = Rejected::new((), Reason::BreakerOpen);
                let delay = at.saturating_sub(now);
                let is_known = at != Duration::MAX && !delay.is_zero();
                Err(if is_known { rejected.retry_after(delay) } else { rejected })
            }
        }
    }

    /// Waits until a call may pass, in the order of those who wait. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`Shutdown`](Reason::Shutdown) if the scheduler has stopped or has no clock.
    pub async fn acquire(&self) -> Result<Permit, Rejected<()>> {
        self.acquire_until(Duration::MAX).await
    }

    /// [`acquire`](Self::acquire), waiting no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), or [`Timeout`](Reason::Timeout).
    pub async fn acquire_timeout(&self, timeout: Duration) -> Result<Permit, Rejected<()>> {
        self.acquire_until(self.0.clock.after(timeout)).await
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

    async fn acquire_until(&self, until: Duration) -> Result<Permit, Rejected<()>> {
        let shared = &*self.0;
        // Nobody has to wait where everybody passes.
        let result = match shared.look(shared.clock.now(), false) {
            Look::Ready(generation) => Ok(generation),
            Look::NotBefore(_) => {
                let look = || shared.look(shared.clock.now(), true);
                shared.turn.wait(&shared.clock, until, look).await
            }
        };
        shared.ledger.offer(1);
        match result {
            Ok(generation) => Ok(self.permit(generation, shared.clock.now())),
            Err(reason) => {
                shared.ledger.discard(reason, 1);
                Err(Rejected::new((), reason))
            }
        }
    }

    #[inline]
    fn permit(&self, generation: u64, started: Duration) -> Permit {
        self.0.ledger.deliver(1);
        Permit::new(Arc::<Shared>::clone(&self.0), Grant { weight: 1, generation, started })
    }

    /// The present state.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.0.word.state().0
    }

    /// Sets what it does by itself. Each mode but [`ForcedOpen`](BreakerMode::ForcedOpen) begins
    /// closed, with an empty window.
    pub fn set_mode(&self, mode: BreakerMode) {
        let open = (mode == BreakerMode::ForcedOpen).then_some(Duration::MAX);
        self.0.force(mode, open);
    }

    /// Opens it for `time`, such as what a `Retry-After` says; from then on it goes by itself.
    pub fn open_for(&self, time: Duration) {
        self.0.force(BreakerMode::Automatic, Some(self.0.clock.after(time)));
    }

    /// Closes it, with an empty window.
    pub fn close(&self) {
        self.0.force(BreakerMode::Automatic, None);
    }
}

impl Shared {
    /// Lets one pass, in a generation, or says when to look again. One whose turn it is comes
    /// before those who come now.
    #[inline]
    fn look(&self, now: Duration, has_turn: bool) -> Look<u64> {
        match self.word.state() {
            (BreakerState::Closed, generation) => Look::Ready(generation),
            (BreakerState::Open { until }, _) if now < until || until == Duration::MAX => {
                Look::NotBefore(until)
            }
            _ if !has_turn && self.turn.is_taken() => Look::NotBefore(Duration::MAX),
            _ => self.probe(now),
        }
    }

    fn probe(&self, now: Duration) -> Look<u64> {
        let (look, change) = self.state.lock().probe(&self.word, now);
        self.announce(change);
        look
    }

    fn force(&self, mode: BreakerMode, open_until: Option<Duration>) {
        let change = self.state.lock().force(&self.word, mode, open_until, self.clock.now());
        self.announce(Some(change));
    }

    /// Tells of a state that has begun. Not under the lock.
    #[inline]
    fn announce(&self, change: Option<BreakerState>) {
        let Some(change) = change else { return };
        self.turn.tell();
        if let Some(listener) = &self.listener {
            muted(|| listener(change));
        }
    }
}

impl Settle for Shared {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        match outcome {
            Outcome::Ignored | Outcome::Canceled => {
                let is_given_back = state.give_back(&self.word, grant.generation);
                drop(state);
                if is_given_back {
                    self.turn.tell();
                }
            }
            Outcome::Success | Outcome::Failure | Outcome::Slow => {
                let elapsed = now.saturating_sub(grant.started);
                let change = state.record(&self.word, grant.generation, outcome, elapsed, now);
                drop(state);
                self.announce(change);
            }
        }
    }
}

impl Admit for Breaker {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    fn admit(&self, _: Class) -> impl Future<Output = Result<Permit, Rejected<()>>> + Send {
        let breaker = self.clone();
        async move { breaker.acquire().await }
    }
}

impl Policy for Breaker {
    type Config = BreakerConfig;
    type Snapshot = BreakerSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> BreakerConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> BreakerSnapshot {
        let mut state = self.0.state.lock();
        let totals = state.totals(&self.0.word, self.0.clock.now());
        BreakerSnapshot {
            state: self.0.word.state().0,
            mode: state.mode,
            balance: self.0.ledger.balance(),
            calls: totals.calls,
            failures: totals.failures,
            slow: totals.slow,
            stale: state.stale,
            n_opened: state.n_opened,
            has_waiting: self.0.turn.is_taken(),
        }
    }

    /// A window of another shape begins empty. What is open or half-open ends as it began.
    fn reconfigure(&self, config: BreakerConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().reconfigure(config, self.0.clock.now());
        Ok(())
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Breaker");
        text.field("name", &self.0.name).field("state", &self.state()).finish_non_exhaustive()
    }
}
