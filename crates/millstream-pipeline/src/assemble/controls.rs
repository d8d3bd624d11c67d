//! What a running pipeline is looked at and changed by, and its threads.

use std::{sync::Arc, time::Duration};

use millstream::{
    Error, KillSwitch, Registry,
    scheduler::{Pool, Scheduler, VirtualTime, Worker},
};
use millstream_observe::Inventory;
use millstream_pressure::{AdaptiveRate, Credits, Lanes, Queue, RateLimit};
use parking_lot::Mutex;

use crate::{
    net::Net,
    record::Record,
    source::Schedule,
    status::{Arrivals, Faults},
};

/// What a running pipeline is looked at and changed by.
pub(crate) struct Controls {
    pub(crate) inventory: Inventory,
    pub(crate) switch: KillSwitch,
    pub(crate) clock: Worker,
    pub(crate) started: Duration,
    pub(crate) schedule: Schedule,
    pub(crate) queues: Vec<Queue<Record>>,
    /// By the number of their stage. Their queues are among those above.
    pub(crate) lanes: Vec<(usize, Lanes<Record>)>,
    /// By the number of their stage.
    pub(crate) rates: Vec<(usize, RateLimit)>,
    pub(crate) sink_rate: Option<RateLimit>,
    pub(crate) credits: Option<Credits>,
    pub(crate) adaptive: Option<AdaptiveRate>,
    pub(crate) source_rate: Option<RateLimit>,
    pub(crate) arrivals: Arc<Mutex<Arrivals>>,
    pub(crate) faults: Faults,
    pub(crate) late: Faults,
    pub(crate) lost: Faults,
    /// Of the part of the flow that begins at the source.
    pub(crate) first: Registry,
}

/// What runs a part of a pipeline.
#[derive(Clone)]
pub(crate) enum Runner {
    /// Threads, as time passes.
    Threads(Pool),
    /// One thread, whose clock is moved.
    Virtual(VirtualTime),
}

impl Scheduler for Runner {
    fn worker(&self) -> Worker {
        match self {
            Self::Threads(pool) => pool.worker(),
            Self::Virtual(time) => time.worker(),
        }
    }
}

/// The threads of a pipeline. What may block has its own: workers of a pool share its threads, and
/// one that reads without end would keep those behind it waiting.
#[derive(Clone)]
pub(crate) struct Threads {
    /// Reads the source.
    pub(crate) source: Runner,
    /// Runs what is behind queues.
    pub(crate) work: Runner,
    /// Has the time, and wakes those who wait for it.
    pub(crate) clock: Runner,
    /// Talks to servers.
    pub(crate) net: Net,
}

impl Threads {
    /// For a pipeline of this name, with so many threads for work.
    pub(crate) fn start(name: &str, n: usize) -> Result<Self, Error> {
        Ok(Self {
            source: Runner::Threads(Pool::try_named("source", 1)?),
            work: Runner::Threads(Pool::try_named(name, n)?),
            clock: Runner::Threads(Pool::try_named("clock", 1)?),
            net: Net::default(),
        })
    }

    /// None: everything runs when the clock is moved.
    pub(crate) fn virtual_time(time: &VirtualTime) -> Self {
        let runner = Runner::Virtual(time.clone());
        let (source, work, clock) = (runner.clone(), runner.clone(), runner);
        Self { source, work, clock, net: Net::default() }
    }

    /// Whether the clock is moved, and nothing is opened.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.clock, Runner::Virtual(_))
    }
}
