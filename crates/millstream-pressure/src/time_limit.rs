//! `TimeLimit`: how long a call may take, before it is given up.

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

use crate::{
    Balance, Clock, InvalidSetting, Ledger, Policy, Reason, Rejected, Settings, parts::Offered,
};

const POLICY: &str = "time_limit";

/// How a time limit is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TimeLimitConfig {
    /// How long a call may take. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
}

impl Default for TimeLimitConfig {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(1) }
    }
}

impl Settings for TimeLimitConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)
    }
}

/// A limit on how long calls take: one that takes longer is dropped, which cancels it.
///
/// A call that ran out of time and one that its caller gave up are told apart:
/// [`Timeout`](Reason::Timeout) and [`Canceled`](Reason::Canceled) in the
/// [ledger](TimeLimitSnapshot::balance). With permits of other policies inside of the call, both
/// are cancels to them: finish those outside if a time-out is to count as a failure.
///
/// ```
/// use std::time::Duration;
/// use millstream::{range, scheduler::VirtualTime};
/// use millstream_pressure::{Policy as _, TimeLimit, TimeLimitConfig};
///
/// let limit = TimeLimit::new("lookups", TimeLimitConfig::default(), &VirtualTime::new())?;
/// let answers = range(0..3).map_async(2, move |n| {
///     let limit = limit.clone();
///     async move { limit.run(async { n * 2 }).await.unwrap_or(0) }
/// });
/// assert_eq!(answers.fold(0, |sum, n| sum + n).wait()?, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// A time-out of 0 is refused; [`Duration::MAX`] is no limit. A call that blocks its thread is not
/// interrupted.
#[derive(Clone)]
pub struct TimeLimit(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    ledger: Ledger,
    config: Mutex<TimeLimitConfig>,
}

/// What [`TimeLimit`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimitSnapshot {
    /// What became of each call; queued are those in progress.
    pub balance: Balance,
}

impl TimeLimit {
    /// A limit by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: TimeLimitConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        let config = Mutex::new(config);
        Ok(Self(Arc::new(Shared { name: name.into(), clock, ledger: Ledger::new(), config })))
    }

    /// Runs a call, for the configured time at most, counted from the first poll. An answer that
    /// is there when the time is up is taken.
    ///
    /// # Errors
    ///
    /// [`Timeout`](Reason::Timeout); or [`Shutdown`](Reason::Shutdown) if the call is not done at
    /// once and the scheduler has stopped or has no clock, so that its time is not known.
    pub async fn run<F: Future>(&self, call: F) -> Result<F::Output, Rejected<()>> {
        let timeout = self.0.config.lock().timeout;
        self.run_within(timeout, call).await
    }

    /// [`run`](Self::run), for no longer than `time_left` either, such as what a request has left
    /// of its deadline.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_within<F: Future>(
        &self,
        time_left: Duration,
        call: F,
    ) -> Result<F::Output, Rejected<()>> {
        let Shared { clock, ledger, config, .. } = &*self.0;
        let timeout = config.lock().timeout.min(time_left);
        let offered = Offered::new(ledger);
        let mut call = pin!(call);
        let mut timer = pin!(clock.sleep_until(clock.after(timeout)));
        let result = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            // Nothing is set for one that may take for ever.
            Poll::Pending if timeout == Duration::MAX => Poll::Pending,
            Poll::Pending => timer
                .as_mut()
                .poll(cx)
                .map(|is_time| Err(if is_time { Reason::Timeout } else { Reason::Shutdown })),
        });
        match result.await {
            Ok(output) => {
                offered.deliver();
                Ok(output)
            }
            Err(reason) => Err(offered.refuse(reason)),
        }
    }
}

impl Policy for TimeLimit {
    type Config = TimeLimitConfig;
    type Snapshot = TimeLimitSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> TimeLimitConfig {
        *self.0.config.lock()
    }

    fn snapshot(&self) -> TimeLimitSnapshot {
        TimeLimitSnapshot { balance: self.0.ledger.balance() }
    }

    /// Calls that are in progress keep the limit that they began with.
    fn reconfigure(&self, config: TimeLimitConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        *self.0.config.lock() = config;
        Ok(())
    }
}

impl fmt::Debug for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeLimit").field("name", &self.0.name).finish_non_exhaustive()
    }
}
