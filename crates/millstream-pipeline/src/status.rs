//! What a pipeline says of itself while it runs.

use std::{fmt, sync::Arc, time::Duration};

use hdrhistogram::Histogram;
use millstream_pressure::Policy;
use parking_lot::Mutex;

use crate::{assemble::Controls, record::Record, sink::Arrival};

/// What a pipeline says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// For how long it has run.
    pub elapsed: Duration,
    /// Items that have come from the source.
    pub taken: u64,
    /// Items that have arrived in the sink.
    pub arrived: u64,
    /// What they weigh as lines, about.
    pub bytes: u64,
    /// How long they took from the source.
    pub latency: Latency,
    /// Items that wait in queues in memory.
    pub waiting: u64,
    /// Items that queues have dropped.
    pub dropped: u64,
    /// Items that were skipped because a stage could do nothing with them.
    pub skipped: u64,
    /// What was wrong with the first of them.
    pub first_fault: Option<String>,
    /// Items that came later than their window waits.
    pub late: u64,
    /// Items that the generator lost because nobody asked for them in time.
    pub lost_at_source: u64,
    /// Configurations that were taken over.
    pub reloads: u64,
    /// Configurations that were refused.
    pub failed_reloads: u64,
}

impl Status {
    pub(crate) fn of(controls: &Controls, (reloads, failed_reloads): (u64, u64)) -> Self {
        let (n, bytes, latency) = {
            let arrivals = controls.arrivals.lock();
            (arrivals.n, arrivals.bytes, arrivals.latency())
        };
        let queues = controls.queues.iter().map(Policy::snapshot);
        let (waiting, dropped) = queues.fold((0, 0), |(waiting, dropped), queue| {
            (waiting + queue.items as u64, dropped + queue.balance.total_dropped())
        });
        let (skipped, first_fault) = controls.faults.read();
        Self {
            elapsed: controls.clock.now().saturating_sub(controls.started),
            taken: controls.first.stages().first().map_or(0, |stage| stage.delivered),
            arrived: n,
            bytes,
            latency,
            waiting,
            dropped,
            skipped,
            first_fault,
            late: controls.late.read().0,
            lost_at_source: controls.lost.read().0,
            reloads,
            failed_reloads,
        }
    }

    /// Items that were lost where they should not have been: dropped, skipped, late, or not asked
    /// for in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.dropped + self.skipped + self.late + self.lost_at_source
    }
}

/// How long items took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// What 99 of 100 are not above.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// What has arrived.
pub(crate) struct Arrivals {
    pub(crate) n: u64,
    pub(crate) bytes: u64,
    /// After which time they are of no use, and how many were in time.
    pub(crate) deadline: Option<Duration>,
    pub(crate) n_in_time: u64,
    /// In microseconds.
    latency: Histogram<u64>,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        let latency = Histogram::new(2).expect("two digits are allowed");
        Self { n: 0, bytes: 0, deadline: None, n_in_time: 0, latency }
    }

    /// An item has arrived.
    pub(crate) fn add(&mut self, Arrival { bytes, took }: Arrival) {
        self.n += 1;
        self.bytes += bytes;
        self.n_in_time += u64::from(self.deadline.is_none_or(|deadline| took <= deadline));
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // It grows as far as it has to: 64 bits of microseconds fit.
        self.latency.record(micros).ok();
    }

    pub(crate) fn latency(&self) -> Latency {
        let at = |quantile| Duration::from_micros(self.latency.value_at_quantile(quantile));
        if self.n == 0 {
            return Latency::default();
        }
        Latency { p50: at(0.5), p99: at(0.99), max: Duration::from_micros(self.latency.max()) }
    }
}

/// Items with which something was wrong. A clone counts the same ones.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<(u64, Option<String>)>>);

impl Faults {
    /// One more, of a record with which a stage can do nothing.
    pub(crate) fn reject(&self, record: Record, why: String) {
        record.rejected(why.clone());
        self.note(why);
    }

    /// One more.
    pub(crate) fn note(&self, why: String) {
        let mut faults = self.0.lock();
        faults.0 += 1;
        faults.1.get_or_insert(why);
    }

    /// So many more, without a reason.
    pub(crate) fn add(&self, n: u64) {
        self.0.lock().0 += n;
    }

    /// How many, and the first.
    pub(crate) fn read(&self) -> (u64, Option<String>) {
        self.0.lock().clone()
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, max } = self;
        write!(f, "p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}")
    }
}
