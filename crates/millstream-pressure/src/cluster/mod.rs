//! `Cluster`: what nodes tell each other of how full they are, and what each accepts by that.

mod config;
mod divide;
mod state;
mod store;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use millstream::{Error, scheduler::Scheduler};
use parking_lot::Mutex;

pub use self::{
    config::ClusterConfig,
    store::{ClusterStore, Member, MemoryCluster},
};
use self::{
    divide::Divided,
    state::{State, View},
};
use crate::{
    Admit, Balance, Class, Clock, Grant, InvalidSetting, Ledger, Outcome, Permit, Policy,
    PressureSource, Random, Reason, Rejected, Settings as _, Settle,
};

/// A node of a cluster, which accepts work by how full it is in relation to the others.
///
/// Each node reports its pressure to a [`ClusterStore`] at each beat, by [`run`](Self::run), and
/// gets what the others report. Decisions go by the last answer, and never wait for the store: work
/// is accepted with the probability `(1 - own) / (1 - mean) * headroom`, in which the mean is
/// weighted by capacity, and not at all from the [`ceiling`](ClusterConfig::ceiling) on. So no node
/// refuses everything because another is idle, and what is refused here finds room there.
///
/// A store that does not answer for two beats is as none: the node goes by its own pressure alone,
/// and nothing fails for it. It is asked again at intervals that grow, each drawn by itself.
///
/// ```
/// use std::sync::Arc;
/// use millstream::scheduler::VirtualTime; // live: a Pool, or Tokio
/// use millstream_pressure::{
///     Algorithm, Cluster, ClusterConfig, ConcurrencyLimit, LimitConfig, MemoryCluster,
/// };
///
/// let time = VirtualTime::new();
/// let config = LimitConfig { algorithm: Algorithm::Fixed(10), ..LimitConfig::default() };
/// let limit = ConcurrencyLimit::new("api", config, &time)?;
/// // How full this node is: any source of pressure.
/// let own = Arc::new(limit.clone());
/// let node = Cluster::new("api", ClusterConfig::of("node-1"), own, &time)?;
/// let beats = node.run(MemoryCluster::new(&time)); // a future to spawn
/// assert!(node.try_acquire().is_ok());
/// # drop(beats);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. What a store says that makes no sense, such as
/// a capacity of 0, is not counted. Two nodes with one name are one to the others. A source without
/// a reading, or with one that is older than two beats, is as one that is empty.
#[derive(Clone)]
pub struct Cluster(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    source: Arc<dyn PressureSource>,
    ledger: Ledger,
    state: Mutex<State>,
    /// What goes by this node's share.
    divided: Mutex<Vec<Box<dyn Divided>>>,
}

/// What [`Cluster`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterSnapshot {
    /// What became of each call that was asked for.
    pub balance: Balance,
    /// How full this node is.
    pub own: f64,
    /// How full the cluster was at the last beat, weighted by capacity; `None` before the first.
    pub mean: Option<f64>,
    /// How many nodes there were.
    pub n_nodes: usize,
    /// Of all capacity, the part that is this node's; 1 before the first beat.
    pub share: f64,
    /// With which probability work is accepted now.
    pub acceptance: f64,
    /// Whether it goes by its own pressure alone.
    pub is_local_only: bool,
    /// Beats that were answered.
    pub n_beats: u64,
    /// Beats that were not.
    pub n_missed: u64,
}

impl Cluster {
    /// A node that is as full as `source` says, by the clock of `scheduler`. It knows of no other
    /// until [`run`](Self::run) has had an answer.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ClusterConfig,
        source: Arc<dyn PressureSource>,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        Self::with_random(name, config, source, scheduler, Random::new())
    }

    /// The same, which draws from `random`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn with_random(
        name: impl Into<Arc<str>>,
        config: ClusterConfig,
        source: Arc<dyn PressureSource>,
        scheduler: &impl Scheduler,
        random: Random,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let state = State {
            config,
            random,
            view: None,
            n_beats: 0,
            n_missed: 0,
            n_failures: 0,
            joined: None,
        };
        Ok(Self(Arc::new(Shared {
            name: name.into(),
            clock: Clock::of(scheduler),
            source,
            ledger: Ledger::new(),
            state: Mutex::new(state),
            divided: Mutex::default(),
        })))
    }

    /// Reports to the store at each beat, and takes in what it says; to be spawned, once for a
    /// node. Ends when the scheduler has stopped. Dropped, the node is gone for the others after
    /// [`expiry`](ClusterConfig::expiry), and is local-only itself after two beats.
    ///
    /// A beat that is not answered within the time of one is given up.
    pub fn run<S: ClusterStore>(&self, store: S) -> impl Future<Output = ()> + Send + use<S> {
        let cluster = self.clone();
        async move {
            let clock = cluster.0.clock.clone();
            loop {
                let pause = cluster.beat(&store).await;
                if !clock.sleep_until(clock.after(pause)).await {
                    return;
                }
            }
        }
    }

    /// One beat. Returns after which time the next one is due.
    async fn beat(&self, store: &impl ClusterStore) -> Duration {
        let shared = &*self.0;
        let asked = shared.clock.now();
        let (member, beat, expiry) = {
            let state = shared.state.lock();
            let ClusterConfig { node, capacity, beat, expiry, .. } = state.config.clone();
            (Member { node, pressure: shared.own(asked, beat), capacity }, beat, expiry)
        };
        let mut answer = pin!(store.beat(&member, expiry));
        let mut timer = pin!(shared.clock.sleep_until(asked.saturating_add(beat)));
        let answer: Option<Result<Vec<Member>, Error>> =
            poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending => timer.as_mut().poll(cx).map(|_| None),
            })
            .await;
        let mut state = shared.state.lock();
        match answer {
            Some(Ok(members)) => {
                state.view = Some(View::of(&members, &state.config, asked));
                state.n_beats += 1;
                state.n_failures = 0;
                state.joined = state.joined.or(Some(asked));
            }
            Some(Err(_)) | None => {
                state.n_missed += 1;
                state.n_failures = state.n_failures.saturating_add(1);
            }
        }
        let pause = state.pause();
        drop(state);
        self.divide();
        pause
    }

    /// Accepts work, by chance where this node is fuller than the others. Never waits.
    ///
    /// # Errors
    ///
    /// [`Cluster`](Reason::Cluster): others have more room. It may be worth another attempt after a
    /// beat.
    pub fn try_acquire(&self) -> Result<Permit, Rejected<()>> {
        let shared = &*self.0;
        let now = shared.clock.now();
        shared.ledger.offer(1);
        let mut state = shared.state.lock();
        let beat = state.config.beat;
        let acceptance = state.acceptance(shared.own(now, beat), now);
        let is_accepted = acceptance >= 1.0 || state.random.unit() < acceptance;
        drop(state);
        if !is_accepted {
            shared.ledger.discard(Reason::Cluster, 1);
            return Err(Rejected::new((), Reason::Cluster).retry_after(beat));
        }
        shared.ledger.deliver(1);
        let grant = Grant { weight: 1, generation: 0, started: now };
        Ok(Permit::new(Arc::<Shared>::clone(&self.0), grant))
    }
}

impl Shared {
    /// How full this node is.
    fn own(&self, now: Duration, beat: Duration) -> f64 {
        let reading = self.source.pressure().and_then(|reading| reading.if_fresh(now, beat * 2));
        reading.map_or(0.0, crate::Pressure::level)
    }
}

/// How a call ends changes nothing here: the source of the pressure knows.
impl Settle for Shared {
    fn settle(&self, _: Grant, _: Outcome) {}
}

impl Admit for Cluster {
    fn try_admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }

    /// Is refused where it would have to wait: others have room now.
    async fn admit(&self, _: Class) -> Result<Permit, Rejected<()>> {
        self.try_acquire()
    }
}

impl Policy for Cluster {
    type Config = ClusterConfig;
    type Snapshot = ClusterSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ClusterConfig {
        self.0.state.lock().config.clone()
    }

    fn snapshot(&self) -> ClusterSnapshot {
        let shared = &*self.0;
        let now = shared.clock.now();
        let state = shared.state.lock();
        let own = shared.own(now, state.config.beat);
        ClusterSnapshot {
            balance: shared.ledger.balance(),
            own,
            mean: state.view.map(|view| view.mean),
            n_nodes: state.view.map_or(0, |view| view.n_nodes),
            share: state.view.map_or(1.0, |view| view.share),
            acceptance: state.acceptance(own, now),
            is_local_only: state.is_local_only(now),
            n_beats: state.n_beats,
            n_missed: state.n_missed,
        }
    }

    /// Another name of the node has the one before go by itself, after its expiry.
    fn reconfigure(&self, config: ClusterConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.0.name).finish_non_exhaustive()
    }
}
