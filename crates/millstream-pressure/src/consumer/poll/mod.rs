//! `PollSizer`: as much as the workers can do in time, and no more.

mod config;
mod operator;
mod state;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use self::state::State;
pub use self::{config::PollConfig, operator::PollTurn};
use crate::{Clock, InvalidSetting, Policy, Settings as _};

/// Sizes the polls of a consumer by how long its items take, how many workers there are, how many
/// items it has already, what is asked of it, and the time that is left.
///
/// A consumer that polls more than it can do in time is taken for dead by its broker, which gives
/// its items to another, who does them again. `interval / mean * 0.8` items, capped at a maximum,
/// is no answer: with an interval of minutes and items of milliseconds it is practically always
/// the maximum, and it counts neither the workers nor the items that wait here already.
///
/// The items that are here, waiting and in work, are kept at what the workers do in
/// [`ahead`](PollConfig::ahead), and never more than they can do in
/// [`interval`](PollConfig::interval), both with a headroom. Two for each worker are the least that
/// keeps all of them busy. Before the first item was measured, each worker gets one.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{PollBound, PollConfig, PollSizer};
///
/// let time = VirtualTime::new();
/// let config = PollConfig { workers: 4, ..PollConfig::default() };
/// let sizer = PollSizer::new("orders", config, &time)?;
/// assert_eq!(sizer.size(u64::MAX).n, 4); // nothing is known
///
/// let mut polled = sizer.track("an order");
/// polled.start();
/// time.advance(Duration::from_millis(20));
/// polled.finish();
///
/// // 4 workers do 160 items of 20 ms in 0.8 of a second; the naive form asks for 500.
/// let size = sizer.size(u64::MAX);
/// assert_eq!((size.n, size.bound), (160, PollBound::Workers));
/// // Half a second before the broker's time is over, there is time for 80.
/// assert_eq!(sizer.size_within(u64::MAX, Duration::from_millis(500)).n, 80);
/// # Ok::<(), millstream_pressure::InvalidSetting>(())
/// ```
///
/// # On a flow
///
/// [`size_polls`](crate::FlowExt::size_polls) asks the source for as many items as this says, so
/// that a connector that fetches what is asked for polls as much.
///
/// # Bad input
///
/// Settings that make no sense are refused by name. Items that are dropped, whether by a cancel or
/// a panic, are no longer here, and are not measured; one that is leaked is here for ever. A clock
/// that is set back measures times of 0. Where one item takes longer than the whole interval, one
/// is polled at a time.
#[derive(Clone)]
pub struct PollSizer(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

/// How many items to poll, and why not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollSize {
    /// How many.
    pub n: u64,
    /// What decided.
    pub bound: PollBound,
}

/// What decides how many items are polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PollBound {
    /// No more were asked for.
    Demand,
    /// The configured maximum.
    Max,
    /// More could not be done in the time that is left.
    TimeLeft,
    /// The workers have enough to do.
    Workers,
    /// No item was measured yet.
    Unmeasured,
}

/// What [`PollSizer`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollSnapshot {
    /// The mean service time; none before an item was measured.
    pub service: Option<Duration>,
    /// Items that are here, waiting or in work.
    pub in_flight: u64,
    /// Items that flows have asked their sources for, and that have not come.
    pub reserved: u64,
    /// How many items may be here.
    pub target: u64,
    /// Polls so far.
    pub polls: u64,
    /// Items so far.
    pub polled: u64,
    /// Polls that were held to the maximum.
    pub at_max: u64,
    /// Items that were measured.
    pub measured: u64,
    /// What decided the last poll.
    pub bound: Option<PollBound>,
}

/// An item that was polled, here until it is finished or dropped.
#[must_use = "an item that is dropped is no longer here"]
pub struct Polled<T> {
    /// The item.
    pub item: T,
    ticket: Ticket,
}

/// A place among the items that are here.
struct Ticket {
    shared: Arc<Shared>,
    started: Option<Duration>,
    took: Option<Duration>,
}

impl PollSizer {
    /// Nothing is measured yet, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: PollConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (clock, state) = (Clock::of(scheduler), Mutex::new(State::new(config)));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state })))
    }

    /// How many items to poll now for a consumer that was asked for `demand`, if the broker's
    /// [`interval`](PollConfig::interval) begins with the poll. 0 while the workers have enough.
    #[must_use]
    pub fn size(&self, demand: u64) -> PollSize {
        let left = self.config().interval;
        self.size_within(demand, left)
    }

    /// The same, if what is polled has to be done in `left`; 0 if nothing is left.
    #[must_use]
    pub fn size_within(&self, demand: u64, left: Duration) -> PollSize {
        let mut state = self.0.state.lock();
        let size = state.size(demand, left);
        if size.n > 0 {
            state.count(size);
        }
        size
    }

    /// An item of a poll: it is here until it is finished or dropped.
    pub fn track<T>(&self, item: T) -> Polled<T> {
        self.arrived(item, false)
    }

    fn arrived<T>(&self, item: T, was_reserved: bool) -> Polled<T> {
        self.0.state.lock().arrive(was_reserved);
        let ticket = Ticket { shared: Arc::clone(&self.0), started: None, took: None };
        Polled { item, ticket }
    }
}

impl<T> Polled<T> {
    /// A worker begins: from here on the time is measured.
    pub fn start(&mut self) {
        self.ticket.started = Some(self.ticket.shared.clock.now());
    }

    /// It is done, and its time counts if it was started.
    pub fn finish(mut self) -> T {
        let Ticket { shared, started, took } = &mut self.ticket;
        *took = started.map(|started| shared.clock.since(started));
        self.item
    }

    /// Works on it, and measures that. Dropped before it is done, nothing is measured.
    pub async fn run<Fut: Future>(mut self, work: impl FnOnce(T) -> Fut) -> Fut::Output {
        self.start();
        let Self { item, ticket } = self;
        let output = work(item).await;
        Polled { item: output, ticket }.finish()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let waiting = self.shared.state.lock().leave(self.took);
        waiting.into_iter().for_each(std::task::Waker::wake);
    }
}

impl Policy for PollSizer {
    type Config = PollConfig;
    type Snapshot = PollSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> PollConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> PollSnapshot {
        self.0.state.lock().snapshot()
    }

    /// Replaces the configuration. What is here stays; where fewer may be, nothing is polled until
    /// they are.
    fn reconfigure(&self, config: PollConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let waiting = {
            let mut state = self.0.state.lock();
            state.config = config;
            state.forget_old();
            state.take_waiting()
        };
        waiting.into_iter().for_each(std::task::Waker::wake);
        Ok(())
    }
}

impl<T: fmt::Debug> fmt::Debug for Polled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Polled").field(&self.item).finish()
    }
}

impl fmt::Debug for PollSizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollSizer").field("name", &self.0.name).finish_non_exhaustive()
    }
}
