//! `Credits`: how much may be in flight, given out as leases that expire.

mod config;
mod leases;
mod operator;
mod state;
mod wait;

use std::{
    fmt,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use millstream::scheduler::Scheduler;
use millstream_kernel::Served;
use parking_lot::Mutex;

pub use self::{
    config::CreditsConfig,
    operator::{CreditTurn, Credited},
};
use self::{
    state::{State, Want},
    wait::Waiting,
};
use crate::{
    Admit, Class, Clock, Grant, InvalidSetting, Outcome, Permit, Policy, Pressure, PressureSource,
    Reason, Rejected, Settings as _, Settle,
};

/// Credits: whoever wants to send takes some, and they come back when what they were taken for is
/// done.
///
/// A credit is held by a [`Permit`], whose end gives it back, whatever becomes of what it was for.
/// One that is leaked expires after a time, and another is granted in its place; if it comes back
/// after all, that changes nothing. At every moment `granted = free + held + expired`. The window,
/// which is what is free and held, can be changed between two bounds; nothing that is held is taken
/// back.
///
/// Those who wait are served in order. Expiry needs no thread: it is looked for when somebody wants
/// credits, and those who wait set a timer for it.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{Credits, CreditsConfig, Outcome, Policy as _};
///
/// let credits = Credits::new("sends", CreditsConfig::fixed(10), &VirtualTime::new())?;
/// let batch = credits.try_acquire(8)?;
/// assert!(credits.try_acquire(3).is_err());
/// batch.finish(Outcome::Success);
/// assert_eq!(credits.snapshot().free, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Bounds that contradict each other, and no time to hold a credit, are refused by name. More
/// credits at once than the window are refused as [`TooHeavy`](Reason::TooHeavy). A grant beyond
/// the ceiling grants what there is room for. A clock that is set back makes time stand still.
#[derive(Clone)]
pub struct Credits(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

/// What [`Credits`] say of themselves, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditsSnapshot {
    /// All that there were so far, without those that were withdrawn: `free + held + expired`.
    pub granted: u64,
    /// To be taken now.
    pub free: u64,
    /// Given out, those that are reserved included.
    pub held: u64,
    /// Held for items that a flow has asked for and that have not come; these do not expire.
    pub reserved: u64,
    /// Lost so far: not given back in time.
    pub expired: u64,
    /// How many there should be, free and held.
    pub window: u64,
    /// Those who wait.
    pub n_waiting: usize,
    /// How many times somebody found too few free: refused or made to wait.
    pub starved: u64,
    /// How long those who were served or gave up have waited, in all.
    pub waited: Duration,
    /// None was free, and not yet as many as to resume.
    pub is_stopped: bool,
    /// Permits that came back after they had expired.
    pub late: u64,
    outcomes: [u64; 5],
}

impl CreditsSnapshot {
    /// How many permits have ended so.
    #[must_use]
    pub fn outcomes(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// The share of the window that is held, from 0 to 1; more than the window is 1.
    #[must_use]
    pub fn utilization(&self) -> f64 {
        (self.held as f64 / self.window.max(1) as f64).min(1.0)
    }

    /// Whether every credit is accounted for.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.granted == self.free + self.held + self.expired
    }
}

impl Credits {
    /// Credits that are all free, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: CreditsConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let clock = Clock::of(scheduler);
        Ok(Self(Arc::new(Shared {
            name: name.into(),
            clock,
            state: Mutex::new(State::new(config)),
        })))
    }

    /// Takes `n` credits, if as many are free and nobody waits. Never waits.
    ///
    /// # Errors
    ///
    /// [`Full`](Reason::Full), or [`TooHeavy`](Reason::TooHeavy) if `n` is more than the window.
    pub fn try_acquire(&self, n: u64) -> Result<Permit, Rejected<()>> {
        let now = self.0.clock.now();
        let result = self.0.change(now, |state| {
            if n > state.window {
                return Err(Reason::TooHeavy);
            }
            if !state.covers(n) {
                state.counts.starved += 1;
                return Err(Reason::Full);
            }
            Ok(state.lease(n, now))
        });
        match result {
            Ok(number) => Ok(self.permit(n, number, now)),
            Err(reason) => Err(Rejected::new((), reason)),
        }
    }

    /// Waits for `n` credits, in the order of those who wait. Dropping the future gives up, and
    /// takes none.
    ///
    /// # Errors
    ///
    /// [`TooHeavy`](Reason::TooHeavy).
    pub async fn acquire(&self, n: u64) -> Result<Permit, Rejected<()>> {
        self.acquire_until(n, Duration::MAX).await
    }

    /// [`acquire`](Self::acquire), waiting no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), or [`Timeout`](Reason::Timeout), which is also the answer
    /// where the scheduler has no clock.
    pub async fn acquire_timeout(&self, n: u64, timeout: Duration) -> Result<Permit, Rejected<()>> {
        self.acquire_until(n, self.0.clock.after(timeout)).await
    }

    /// [`acquire`](Self::acquire), for a thread. Not to be called where the scheduler runs its
    /// timers.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    pub fn acquire_blocking(&self, n: u64) -> Result<Permit, Rejected<()>> {
        pollster::block_on(self.acquire(n))
    }

    async fn acquire_until(&self, n: u64, until: Duration) -> Result<Permit, Rejected<()>> {
        let shared = &self.0;
        if n > shared.state.lock().window {
            return Err(Rejected::new((), Reason::TooHeavy));
        }
        let began = shared.clock.now();
        let mut timeout = pin!(shared.clock.sleep_until(until));
        let mut waiting = Waiting::new(Arc::clone(shared), n, Want::Lease);
        let served = poll_fn(|cx| match waiting.poll(cx) {
            Poll::Ready(served) => Poll::Ready(Some(served)),
            // Nothing is set for one that waits for ever.
            Poll::Pending if until == Duration::MAX => Poll::Pending,
            Poll::Pending => timeout.as_mut().poll(cx).map(|_| None),
        })
        .await;
        shared.state.lock().counts.waited += shared.clock.since(began);
        match served {
            Some((number, now)) => Ok(self.permit(n, number, now)),
            None => Err(Rejected::new((), Reason::Timeout)),
        }
    }

    /// Widens the window by `n`, up to its ceiling. Returns by how much.
    pub fn grant(&self, n: u64) -> u64 {
        self.0.change(self.0.clock.now(), |state| {
            let n = n.min(state.config.max_credits - state.window);
            state.window += n;
            state.level();
            n
        })
    }

    /// Sets the window, within its bounds. Nothing that is held is taken back: after the window has
    /// shrunk, what comes back is withdrawn until no more are held. Returns what it is now.
    pub fn set_window(&self, n: u64) -> u64 {
        self.0.change(self.0.clock.now(), |state| {
            state.window = n.clamp(state.config.min_credits, state.config.max_credits);
            state.level();
            state.window
        })
    }

    fn permit(&self, weight: u64, number: u64, started: Duration) -> Permit {
        let policy = Arc::clone(&self.0) as Arc<dyn Settle>;
        Permit::new(policy, Grant { weight, generation: number, started })
    }
}

impl Shared {
    /// Changes the state, after what has expired was written off, and serves those who wait.
    fn change<R>(&self, now: Duration, f: impl FnOnce(&mut State) -> R) -> R {
        let mut served = Served::default();
        let result = {
            let mut state = self.state.lock();
            state.expire(now);
            state.serve(now, &mut served);
            let result = f(&mut state);
            state.serve(now, &mut served);
            result
        };
        // The user's code: after the lock.
        served.wake();
        result
    }
}

impl Settle for Shared {
    fn settle(&self, grant: Grant, outcome: Outcome) {
        let has_waiting = {
            let mut state = self.state.lock();
            state.finish(grant.generation, outcome);
            state.n_waiting() > 0
        };
        if has_waiting {
            self.change(self.clock.now(), |_| {});
        }
    }
}

/// One credit for each call.
impl Admit for Credits {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire(1)
    }

    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.acquire(1).await
    }
}

impl Policy for Credits {
    type Config = CreditsConfig;
    type Snapshot = CreditsSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> CreditsConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> CreditsSnapshot {
        self.0.change(self.0.clock.now(), |state| CreditsSnapshot {
            granted: state.granted,
            free: state.free,
            held: state.held,
            reserved: state.reserved,
            expired: state.expired,
            window: state.window,
            n_waiting: state.n_waiting(),
            starved: state.counts.starved,
            waited: state.counts.waited,
            is_stopped: state.is_stopped,
            late: state.counts.late,
            outcomes: state.counts.outcomes,
        })
    }

    /// Replaces the configuration; the window becomes what it says. The time-out holds for what is
    /// held already.
    fn reconfigure(&self, config: CreditsConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.change(self.0.clock.now(), |state| {
            state.window = config.credits;
            state.config = config;
            state.level();
        });
        Ok(())
    }
}

/// The share of the window that is held; full while somebody waits.
impl PressureSource for Credits {
    fn pressure(&self) -> Option<Pressure> {
        let now = self.0.clock.now();
        let snapshot = self.snapshot();
        let level = if snapshot.n_waiting > 0 { 1.0 } else { snapshot.utilization() };
        Pressure::new(level, now)
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        f.debug_struct("Credits")
            .field("name", &self.0.name)
            .field("window", &state.window)
            .field("free", &state.free)
            .field("held", &state.held)
            .finish_non_exhaustive()
    }
}
