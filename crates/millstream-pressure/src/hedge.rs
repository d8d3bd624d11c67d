//! `Hedge`: a second attempt for a call that takes longer than most.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::{Clock, InvalidSetting, Policy, RetryBudget, Settings, parts::Latencies};

const POLICY: &str = "hedge";

/// How hedging is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HedgeConfig {
    /// A call that takes longer than this share of the last ones gets a second attempt. Default:
    /// 0.95.
    pub quantile: f64,
    /// No second attempt is made before. Default: 1 ms.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub min_delay: Duration,
    /// A second attempt is made at the latest after, and while too few calls were seen. Default:
    /// 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_delay: Duration,
    /// From how many calls the quantile is taken, each time. Default: 200.
    pub calls: u64,
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            quantile: 0.95,
            min_delay: Duration::from_millis(1),
            max_delay: Duration::from_secs(1),
            calls: 200,
        }
    }
}

impl Settings for HedgeConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { quantile, min_delay, max_delay, calls } = self;
        let is_share = quantile > 0.0 && quantile < 1.0;
        InvalidSetting::unless(
            is_share,
            POLICY,
            "quantile",
            quantile,
            "more than 0 and less than 1",
        )?;
        InvalidSetting::unless_some_time(POLICY, "min_delay", min_delay)?;
        let rule = "at least min_delay";
        InvalidSetting::unless(max_delay >= min_delay, POLICY, "max_delay", max_delay, rule)?;
        InvalidSetting::unless_positive(POLICY, "calls", calls)
    }
}

/// Hedged calls: one that takes longer than most gets a second attempt, the first answer of the
/// two counts, and the other attempt is dropped, which cancels it ("The Tail at Scale", Dean and
/// Barroso, 2013).
///
/// For what may be done twice. Second attempts come out of a [`RetryBudget`], which retries of the
/// same dependency share, so that hedging cannot double the load of what is slow because of its
/// load. A second attempt is made for slow calls, not for failed ones: those are for retries.
///
/// The delay is a quantile of the time to the first answer of the last calls. Of a call whose
/// second attempt answered first, only that its first one took longer is known; since that was
/// beyond the quantile already, it is not shifted by it.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Hedge, HedgeConfig, RetryBudget, RetryConfig};
///
/// let time = VirtualTime::new();
/// let budget = RetryBudget::new("search", RetryConfig::default(), &time)?;
/// let hedge = Hedge::new("search", HedgeConfig::default(), &budget, &time)?;
/// let answer = hedge.run(|| async { Ok::<_, std::io::Error>(42) });
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(future).poll(&mut cx) {
/// #         std::task::Poll::Ready(output) => output,
/// #         std::task::Poll::Pending => panic!("it is ready at once"),
/// #     }
/// # }
/// assert_eq!(block_on(answer)?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. Without a timer, since the scheduler has
/// stopped or has no clock, no second attempt is made.
#[derive(Clone)]
pub struct Hedge(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    budget: RetryBudget,
    state: Mutex<State>,
}

struct State {
    config: HedgeConfig,
    /// After which second attempts are made, if it is known.
    quantile: Option<Duration>,
    latencies: Latencies,
    n_calls: u64,
    n_hedged: u64,
    n_refused: u64,
    n_won: u64,
}

/// What [`Hedge`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeSnapshot {
    /// Calls.
    pub n_calls: u64,
    /// Calls that got a second attempt.
    pub n_hedged: u64,
    /// Calls that would have got one, but the budget refused it.
    pub n_refused: u64,
    /// Calls whose second attempt succeeded before the first.
    pub n_won: u64,
    /// After how long second attempts are made now.
    pub delay: Duration,
}

impl Hedge {
    /// Hedging by the clock of `scheduler`, whose second attempts come out of `budget`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: HedgeConfig,
        budget: &RetryBudget,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let state = State {
            config,
            quantile: None,
            latencies: Latencies::new(),
            n_calls: 0,
            n_hedged: 0,
            n_refused: 0,
            n_won: 0,
        };
        let (clock, budget) = (Clock::of(scheduler), budget.clone());
        Ok(Self(Arc::new(Shared { name: name.into(), clock, budget, state: Mutex::new(state) })))
    }

    /// Calls `call`, and again if the first attempt takes longer than most. The first success
    /// counts. Dropping the future drops both attempts.
    ///
    /// # Errors
    ///
    /// That of the only attempt, or of the last of two.
    pub async fn run<Fut, T, E>(&self, mut call: impl FnMut() -> Fut) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        let shared = &*self.0;
        let mut attempts = shared.budget.start();
        let started = shared.clock.now();
        let delay = {
            let mut state = shared.state.lock();
            state.n_calls += 1;
            state.delay()
        };
        let budget = &shared.budget;
        let mut first = pin!(budget.attempt(budget.within(&mut call)));
        let mut timer = pin!(shared.clock.sleep_until(started.saturating_add(delay)));
        let mut has_timer = true;
        let early = poll_fn(|cx| match first.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if !has_timer => Poll::Pending,
            Poll::Pending => match timer.as_mut().poll(cx) {
                Poll::Ready(true) => Poll::Ready(None),
                // Without a timer it is not known how long it takes.
                Poll::Ready(false) => {
                    has_timer = false;
                    Poll::Pending
                }
                Poll::Pending => Poll::Pending,
            },
        });
        if let Some(result) = early.await {
            shared.note(started, result.is_ok(), false);
            return result;
        }
        if attempts.retry().is_none() {
            shared.state.lock().n_refused += 1;
            let result = first.await;
            shared.note(started, result.is_ok(), false);
            return result;
        }
        shared.state.lock().n_hedged += 1;
        let mut second = pin!(budget.attempt(budget.within(&mut call)));
        let (mut is_first_over, mut is_second_over) = (false, false);
        let (result, is_second) = poll_fn(|cx| {
            if !is_first_over && let Poll::Ready(result) = first.as_mut().poll(cx) {
                is_first_over = true;
                if result.is_ok() || is_second_over {
                    return Poll::Ready((result, false));
                }
            }
            if !is_second_over && let Poll::Ready(result) = second.as_mut().poll(cx) {
                is_second_over = true;
                if result.is_ok() || is_first_over {
                    return Poll::Ready((result, true));
                }
            }
            Poll::Pending
        })
        .await;
        shared.note(started, result.is_ok(), is_second);
        result
    }
}

impl Shared {
    /// A call has ended.
    fn note(&self, started: Duration, is_success: bool, is_second: bool) {
        let latency = self.clock.since(started);
        let mut state = self.state.lock();
        state.n_won += u64::from(is_success && is_second);
        // How fast a call fails says nothing about how long an answer takes.
        if !is_success {
            return;
        }
        state.latencies.add(latency);
        if state.latencies.n() >= state.config.calls {
            let quantile = state.config.quantile;
            let quantile = state.latencies.take_quantile(quantile);
            state.quantile = quantile.and_then(|time| Duration::try_from_secs_f64(time).ok());
        }
    }
}

impl State {
    fn delay(&self) -> Duration {
        let HedgeConfig { min_delay, max_delay, .. } = self.config;
        self.quantile.unwrap_or(max_delay).clamp(min_delay, max_delay)
    }
}

impl Policy for Hedge {
    type Config = HedgeConfig;
    type Snapshot = HedgeSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> HedgeConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> HedgeSnapshot {
        let state = self.0.state.lock();
        let &State { n_calls, n_hedged, n_refused, n_won, .. } = &*state;
        HedgeSnapshot { n_calls, n_hedged, n_refused, n_won, delay: state.delay() }
    }

    fn reconfigure(&self, config: HedgeConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge").field("name", &self.0.name).finish_non_exhaustive()
    }
}
