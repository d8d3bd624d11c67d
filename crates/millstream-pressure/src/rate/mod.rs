//! `RateLimit`: so many a second, and a burst, by the generic cell rate algorithm.

mod adaptive;
mod config;
mod keyed;
mod turn;

use std::{fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_kernel::{Gcra, Taken};
use parking_lot::Mutex;

pub use self::{
    adaptive::{AdaptiveRate, AdaptiveRateSnapshot},
    config::{AdaptiveRateConfig, KeyedRateConfig, RateConfig},
    keyed::{KeyedRate, KeyedRateSnapshot},
    turn::RateTurn,
};
use crate::{
    Admit, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Policy, Pressure,
    PressureSource, Reason, Rejected, Settings as _, Settle, parts::Turn,
};

/// So many cells a second, and a burst: the generic cell rate algorithm (ITU-T I.371).
///
/// Never more than `burst + rate * t` in any time `t`; a refusal says exactly when to come again.
/// Rate and burst can be changed at any time: what is free stays free, and a larger burst fills at
/// the rate. Those who wait are served in order, and nobody overtakes them.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{RateConfig, RateLimit, Reason};
///
/// let time = VirtualTime::new();
/// let limit = RateLimit::new("api", RateConfig { rate: 10.0, burst: 2 }, &time)?;
/// limit.try_acquire(2)?;
/// let rejected = limit.try_acquire(1).unwrap_err();
/// assert_eq!(rejected.reason, Reason::Rate);
/// assert_eq!(rejected.retry_after, Some(Duration::from_millis(100)));
/// time.advance(Duration::from_millis(100));
/// limit.try_acquire(1)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// A rate that is not a positive number and a burst of 0 are refused by name. More cells at once
/// than the burst are refused as [`TooHeavy`](Reason::TooHeavy). A clock that is set back makes
/// time stand still.
#[derive(Clone)]
pub struct RateLimit(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    gcra: Gcra,
    turn: Turn,
    /// That of all keys, if this is the limit of one.
    ledger: Arc<Ledger>,
    config: Mutex<RateConfig>,
}

/// What [`RateLimit`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSnapshot {
    /// What became of each cell that was asked for; those who wait are not counted yet.
    pub balance: Balance,
    /// Cells that are free now.
    pub free: u64,
    /// The most cells that can be free.
    pub burst: u64,
    /// Whether somebody waits.
    pub has_waiting: bool,
}

impl RateLimit {
    /// A limit whose burst is free, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: RateConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        Ok(Self::of(name.into(), config, Clock::of(scheduler), Arc::default()))
    }

    /// With a valid configuration.
    fn of(name: Arc<str>, config: RateConfig, clock: Clock, ledger: Arc<Ledger>) -> Self {
        Self(Arc::new(Shared {
            name,
            gcra: Gcra::new(config.rate, config.burst, clock.now()),
            clock,
            turn: Turn::new(),
            ledger,
            config: Mutex::new(config),
        }))
    }

    /// Takes `n` cells, if they are free and nobody waits. Never waits.
    ///
    /// # Errors
    ///
    /// [`Rate`](Reason::Rate), with the time after which they are free if nobody else takes any,
    /// unless others wait for them; or [`TooHeavy`](Reason::TooHeavy).
    #[inline]
    pub fn try_acquire(&self, n: u64) -> Result<(), Rejected<()>> {
        let shared = &*self.0;
        if shared.turn.is_taken() {
            // Those who wait are the first.
            return shared.settle(n, Err(Rejected::new((), Reason::Rate)));
        }
        let now = shared.clock.now();
        let result = match shared.gcra.take(n, now) {
            Taken::Granted => Ok(()),
            Taken::TooMany => Err(Rejected::new((), Reason::TooHeavy)),
            Taken::NotBefore(at) => {
                Err(Rejected::new((), Reason::Rate).retry_after(at.saturating_sub(now)))
            }
        };
        shared.settle(n, result)
    }

    /// Waits for `n` cells, in the order of those who wait. Dropping the future gives up, and takes
    /// none.
    ///
    /// # Errors
    ///
    /// [`TooHeavy`](Reason::TooHeavy), or [`Shutdown`](Reason::Shutdown) if the scheduler has
    /// stopped or has no clock.
    pub async fn acquire(&self, n: u64) -> Result<(), Rejected<()>> {
        self.acquire_until(n, Duration::MAX).await
    }

    /// [`acquire`](Self::acquire), waiting no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), or [`Timeout`](Reason::Timeout): as soon as it is certain
    /// that the cells will not be free in time at the present rate.
    pub async fn acquire_timeout(&self, n: u64, timeout: Duration) -> Result<(), Rejected<()>> {
        self.acquire_until(n, self.0.clock.after(timeout)).await
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the scheduler runs its
    /// timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self, n: u64) -> Result<(), Rejected<()>> {
        pollster::block_on(self.acquire(n))
    }

    async fn acquire_until(&self, n: u64, until: Duration) -> Result<(), Rejected<()>> {
        let shared = &*self.0;
        let look = || shared.look(n..=n, until);
        let result = shared.turn.wait(&shared.clock, until, look).await;
        let result = result.flatten().map(drop);
        shared.settle(n, result.map_err(|reason| Rejected::new((), reason)))
    }

    /// Gives back `n` cells that were taken and not used. Those that would be free by now anyway
    /// are not free twice.
    pub fn refund(&self, n: u64) {
        self.0.gcra.refund(n);
        self.0.turn.tell();
    }
}

impl Shared {
    /// For a call whose cell was taken.
    fn permit(self: &Arc<Self>) -> Permit {
        let grant = Grant { weight: 1, generation: 0, started: self.clock.now() };
        Permit::new(Arc::clone(self) as Arc<dyn Settle>, grant)
    }

    /// Counts what became of `n` cells.
    fn settle(&self, n: u64, result: Result<(), Rejected<()>>) -> Result<(), Rejected<()>> {
        self.ledger.offer(n);
        match &result {
            Ok(()) => self.ledger.deliver(n),
            Err(rejected) => self.ledger.discard(rejected.reason, n),
        }
        result
    }
}

/// One cell for each call.
impl Admit for RateLimit {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire(1)?;
        Ok(self.0.permit())
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire(1).await?;
        Ok(self.0.permit())
    }
}

/// How a call ends changes nothing: its cell is used.
impl Settle for Shared {
    fn settle(&self, _: Grant, _: Outcome) {}
}

impl Policy for RateLimit {
    type Config = RateConfig;
    type Snapshot = RateSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> RateConfig {
        *self.0.config.lock()
    }

    fn snapshot(&self) -> RateSnapshot {
        RateSnapshot {
            balance: self.0.ledger.balance(),
            free: self.0.gcra.free(self.0.clock.now()),
            burst: self.0.config.lock().burst,
            has_waiting: self.0.turn.is_taken(),
        }
    }

    fn reconfigure(&self, config: RateConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        {
            let mut present = self.0.config.lock();
            *present = config;
            self.0.gcra.set(config.rate, config.burst, self.0.clock.now());
        }
        self.0.turn.tell();
        Ok(())
    }
}

/// How much of the burst is used up; full while somebody waits.
impl PressureSource for RateLimit {
    fn pressure(&self) -> Option<Pressure> {
        let RateSnapshot { free, burst, has_waiting, .. } = self.snapshot();
        let free = if has_waiting { 0 } else { free };
        Some(Pressure::of(burst.saturating_sub(free), burst, self.0.clock.now()))
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = *self.0.config.lock();
        f.debug_struct("RateLimit").field("name", &self.0.name).field("config", &config).finish()
    }
}
