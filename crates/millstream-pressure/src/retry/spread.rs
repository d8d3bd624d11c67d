//! `RetrySpread`: when those who were refused are to come back.

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::{Clock, InvalidSetting, Policy, Random, Settings, parts::Spans};

const POLICY: &str = "retry_spread";

/// Into how many spans the window is divided.
const SPANS: usize = 10;

/// How those who were refused are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RetrySpreadConfig {
    /// Nobody is to come back before. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub min_delay: Duration,
    /// Everybody may come back after. Default: 30 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_delay: Duration,
    /// The time over which it is counted how much is done. Default: 10 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub window: Duration,
}

impl Default for RetrySpreadConfig {
    fn default() -> Self {
        Self {
            min_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            window: Duration::from_secs(10),
        }
    }
}

impl Settings for RetrySpreadConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_some_time(POLICY, "min_delay", self.min_delay)?;
        let (longest, rule) = (self.max_delay, "at least min_delay");
        InvalidSetting::unless(longest >= self.min_delay, POLICY, "max_delay", longest, rule)?;
        InvalidSetting::unless_some_time(POLICY, "window", self.window)
    }
}

/// When those who were refused are to come back: one after the other, at the pace at which work is
/// done, so that a crowd that was turned away together is no crowd when it returns. This is what a
/// `Retry-After` is to say.
///
/// The pace is that of [`note_done`](Self::note_done) over the last while. Each refusal is given
/// the moment after the one before it, and up to one place more by chance; those for whom that is
/// later than [`max_delay`](RetrySpreadConfig::max_delay), and all while nothing is done, are drawn
/// evenly from the whole range.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{RetrySpread, RetrySpreadConfig};
///
/// let time = VirtualTime::new();
/// let spread = RetrySpread::new("api", RetrySpreadConfig::default(), &time)?;
/// (0..10).for_each(|_| spread.note_done());
/// time.advance(Duration::from_secs(1)); // ten a second
/// let waits: Vec<u64> = (0..30).map(|_| spread.retry_after().as_secs()).collect();
/// assert_eq!((waits[0], waits[15], waits[29]), (1, 2, 3));
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A clock that is set back makes time stand
/// still.
#[derive(Clone)]
pub struct RetrySpread(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    config: RetrySpreadConfig,
    random: Random,
    /// What was done.
    done: Spans<1>,
    /// When counting began.
    since: Duration,
    /// When the next one is to come back.
    next: Duration,
    n_spread: u64,
}

/// What [`RetrySpread`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySpreadSnapshot {
    /// How much is done a second.
    pub rate: f64,
    /// Those who were told when to come back.
    pub n_spread: u64,
    /// How long the next one is going to be told to wait, at least.
    pub delay: Duration,
}

impl RetrySpread {
    /// By the clock of `scheduler`; nothing was done yet.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: RetrySpreadConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let since = clock.now();
        let state = State {
            config,
            random: Random::new(),
            done: Spans::new(SPANS, config.window / SPANS as u32, since),
            since,
            next: since,
            n_spread: 0,
        };
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state: Mutex::new(state) })))
    }

    /// One piece of work is done, and makes room for another.
    pub fn note_done(&self) {
        let now = self.0.clock.now();
        self.0.state.lock().done.add([1], now);
    }

    /// After how long one who is refused now is to come back. Allocates nothing.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        state.n_spread += 1;
        let RetrySpreadConfig { min_delay, max_delay, .. } = state.config;
        if let Some(place) = state.place(now) {
            let moment = state.moment(now);
            let delay = moment - now + state.random.up_to(place);
            if delay <= max_delay {
                state.next = moment.saturating_add(place);
                return delay;
            }
        }
        min_delay + state.random.up_to(max_delay - min_delay)
    }
}

impl State {
    /// How much is done a second.
    fn rate(&mut self, now: Duration) -> f64 {
        let [n] = self.done.total(now);
        let seen = now.saturating_sub(self.since).min(self.config.window);
        // The present span has just begun: what a moment says is nothing.
        n as f64 / seen.max(self.config.window / SPANS as u32).as_secs_f64()
    }

    /// How long one piece of work takes until the next, if any was done.
    fn place(&mut self, now: Duration) -> Option<Duration> {
        let rate = self.rate(now);
        (rate > 0.0).then(|| Duration::try_from_secs_f64(1.0 / rate).ok()).flatten()
    }

    /// When the next one is to come back.
    fn moment(&self, now: Duration) -> Duration {
        self.next.max(now.saturating_add(self.config.min_delay))
    }
}

impl Policy for RetrySpread {
    type Config = RetrySpreadConfig;
    type Snapshot = RetrySpreadSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> RetrySpreadConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> RetrySpreadSnapshot {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        let delay = (state.moment(now) - now).min(state.config.max_delay);
        RetrySpreadSnapshot { rate: state.rate(now), n_spread: state.n_spread, delay }
    }

    /// A window of another length begins empty.
    fn reconfigure(&self, config: RetrySpreadConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if config.window != state.config.window {
            state.done = Spans::new(SPANS, config.window / SPANS as u32, now);
            state.since = now;
        }
        state.config = config;
        Ok(())
    }
}

impl fmt::Debug for RetrySpread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetrySpread").field("name", &self.0.name).finish_non_exhaustive()
    }
}
