//! What a running pipeline is looked at and changed by, and its threads.

use std::{sync::Arc, time::Duration};

use millstream::{
    Error, KillSwitch, Registry,
    scheduler::{Pool, Worker},
};
use millstream_observe::Inventory;
use millstream_pressure::{AdaptiveRate, Credits, Queue, RateLimit};
use parking_lot::Mutex;

use crate::{
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

/// The threads of a pipeline. What may block has its own: workers of a pool share its threads, and
/// one that reads without end would keep those behind it waiting.
#[derive(Clone)]
pub(crate) struct Threads {
    /// Reads the source.
    pub(crate) source: Pool,
    /// Runs what is behind queues.
    pub(crate) work: Pool,
    /// Has the time, and wakes those who wait for it.
    pub(crate) clock: Pool,
}

impl Threads {
    /// For a pipeline of this name, with so many threads for work.
    pub(crate) fn start(name: &str, n: usize) -> Result<Self, Error> {
        Ok(Self {
            source: Pool::try_named("source", 1)?,
            work: Pool::try_named(name, n)?,
            clock: Pool::try_named("clock", 1)?,
        })
    }
}
