//! `RetryBudget`: how many of all calls to a dependency may be retries.

mod config;
mod flow;
mod nested;
mod spread;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

pub use self::{
    config::RetryConfig,
    flow::RetryWithBudget,
    spread::{RetrySpread, RetrySpreadConfig, RetrySpreadSnapshot},
};
use crate::{Clock, InvalidSetting, Policy, Random, Settings as _, parts::Spans};

/// Into how many spans the window is divided.
const SPANS: usize = 10;

/// Retries with waits that grow, of which all calls to a dependency share a budget.
///
/// Without a budget, `n` attempts of each call make `n` times the load of what is overloaded
/// already, and keep it so. Here retries are at most [`ratio`](RetryConfig::ratio) of the calls
/// of the last [`window`](RetryConfig::window), plus a few a second. Each wait is drawn by itself
/// from none to the longest ("full jitter"), so that those who failed together do not come back
/// together.
///
/// Only for what may be done twice.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{RetryBudget, RetryConfig};
///
/// let config = RetryConfig { ratio: 0.5, min_per_second: 0.0, ..RetryConfig::default() };
/// let budget = RetryBudget::new("payments", config, &VirtualTime::new())?;
/// let mut calls = [(); 4].map(|()| budget.start());
/// let n_retried = calls.iter_mut().filter_map(|attempts| attempts.retry()).count();
/// assert_eq!(n_retried, 2); // half of four
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A clock that is set back makes time stand
/// still.
#[derive(Clone)]
pub struct RetryBudget(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    config: RetryConfig,
    random: Random,
    /// Calls, and retries.
    window: Spans<2>,
    n_calls: u64,
    n_retries: u64,
    n_refused: u64,
}

/// One call with its attempts, of which the first was counted. Returned by
/// [`RetryBudget::start`].
#[derive(Debug)]
#[must_use = "a call was counted"]
pub struct Attempts {
    budget: RetryBudget,
    n_made: u32,
}

/// What [`RetryBudget`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySnapshot {
    /// Calls, each with its first attempt.
    pub n_calls: u64,
    /// Retries that were allowed.
    pub n_retries: u64,
    /// Retries that the budget refused.
    pub n_refused: u64,
    /// Calls in the window.
    pub calls_in_window: u64,
    /// Retries in the window.
    pub retries_in_window: u64,
}

impl RetryBudget {
    /// A budget by the clock of `scheduler`, whose jitter differs each time.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: RetryConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_random(name, config, scheduler, Random::new())
    }

    /// The same, whose jitter is drawn from `random`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_random(
        name: impl Into<Arc<str>>,
        config: RetryConfig,
        scheduler: &impl Scheduler,
        random: Random,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let window = Spans::new(SPANS, config.window / SPANS as u32, clock.now());
        let state = State { config, random, window, n_calls: 0, n_retries: 0, n_refused: 0 };
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state: Mutex::new(state) })))
    }

    /// A call begins with its first attempt, which is counted, unless it is made within an attempt
    /// of [`run`](Self::run), of a [`Hedge`](crate::Hedge) or in [`attempt`](Self::attempt), with
    /// this budget: what retries what is hedged makes one call.
    pub fn start(&self) -> Attempts {
        if !nested::is_within(self) {
            let now = self.0.clock.now();
            let mut state = self.0.state.lock();
            state.window.add([1, 0], now);
            state.n_calls += 1;
        }
        Attempts { budget: self.clone(), n_made: 1 }
    }

    /// Makes the future of an attempt, within which no other call of this budget begins.
    pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        nested::within(self, run)
    }

    /// Polls an attempt to its end, within which no other call of this budget begins: for a loop of
    /// your own over what [`start`](Self::start) returns. Dropping the future gives the attempt up.
    pub async fn attempt<Fut: Future>(&self, call: Fut) -> Fut::Output {
        let mut call = pin!(call);
        poll_fn(|cx| nested::within(self, || call.as_mut().poll(cx))).await
    }

    /// Calls `call` until it succeeds, or may not be retried. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// That of the last attempt; also when the scheduler has stopped or has no clock.
    pub async fn run<Fut, T, E>(&self, mut call: impl FnMut() -> Fut) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        let mut attempts = self.start();
        loop {
            let error = match self.attempt(self.within(&mut call)).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(delay) = attempts.retry() else { return Err(error) };
            let clock = &self.0.clock;
            if !clock.sleep_until(clock.after(delay)).await {
                return Err(error);
            }
        }
    }
}

impl Attempts {
    /// The last attempt has failed. Returns after which wait to make another, which is counted;
    /// `None` if that would be too many for this call, or for the budget.
    pub fn retry(&mut self) -> Option<Duration> {
        let now = self.budget.0.clock.now();
        let mut state = self.budget.0.state.lock();
        if self.n_made >= state.config.max_attempts {
            return None;
        }
        let [n_calls, n_retries] = state.window.total(now);
        if (n_retries + 1) as f64 > state.config.allowed(n_calls) {
            state.n_refused += 1;
            return None;
        }
        state.window.add([0, 1], now);
        state.n_retries += 1;
        let longest = state.config.longest(self.n_made);
        self.n_made += 1;
        Some(state.random.up_to(longest))
    }
}

impl Policy for RetryBudget {
    type Config = RetryConfig;
    type Snapshot = RetrySnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> RetryConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> RetrySnapshot {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        let [calls_in_window, retries_in_window] = state.window.total(now);
        let State { n_calls, n_retries, n_refused, .. } = *state;
        RetrySnapshot { n_calls, n_retries, n_refused, calls_in_window, retries_in_window }
    }

    /// A window of another length begins empty.
    fn reconfigure(&self, config: RetryConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if config.window != state.config.window {
            state.window = Spans::new(SPANS, config.window / SPANS as u32, now);
        }
        state.config = config;
        Ok(())
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("name", &self.0.name).finish_non_exhaustive()
    }
}
