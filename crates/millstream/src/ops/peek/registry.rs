//! Shared: what the stages of a flow have asked for and received.

use std::{fmt, sync::Arc, time::Duration};

use millstream_kernel::{Gauges, Passed, Reading, RecorderClock};

use super::recording::{self, Recording};
use crate::scheduler::Scheduler;

/// The stages of one flow that [`inspect_demand`](crate::Flow::inspect_demand) counts, from the
/// source to the end.
///
/// Its `Display` is a table. A clone is the same registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<Gauges>);

/// What passed one place of a flow until now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stage {
    /// As it was given.
    pub name: Arc<str>,
    /// Items that were asked for here; `u64::MAX` is without bound.
    pub requested: u64,
    /// Items that came by.
    pub delivered: u64,
    /// Those of them that the next operator dropped, and that used no demand.
    pub skipped: u64,
    /// Items that were asked for and have not come: the credit that is missing here. `u64::MAX` is
    /// without bound; 0 after an end.
    pub outstanding: u64,
    /// Items that came by the stage before, were not dropped, and have not come by here: what waits
    /// between the two, if the operators there make one item of each.
    /// `None` for the first stage, and where more came out than went in.
    pub buffered: Option<u64>,
    /// What passed last.
    pub last: LastSignal,
}

/// What passed a stage last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastSignal {
    /// Nothing yet.
    None,
    /// A request.
    Request,
    /// An item.
    Next,
    /// `on_complete`.
    Complete,
    /// `on_error`.
    Error,
    /// A cancel, or an item that was answered with `Finished`.
    Cancel,
}

impl Registry {
    /// Without stages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Without stages; the last `n` signals of each, rounded up to a power of 2, will be recorded
    /// with the time by the clock of `scheduler`, to be read by [`recording`](Self::recording).
    ///
    /// A stage takes at most 64 bytes for each of its `n` signals, however long the flow runs, and
    /// little for those that have not come. The clock is read for every signal, which on some
    /// machines takes longer than all else: see [`recording_coarsely`](Self::recording_coarsely).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{Registry, SignalKind, range, scheduler::VirtualTime};
    /// use millstream_testkit::Probe;
    ///
    /// let clock = VirtualTime::new();
    /// let registry = Registry::recording_last(16, &clock);
    /// let probe = Probe::subscribe_to(range(0..9).inspect_demand("numbers", &registry));
    /// clock.advance(Duration::from_millis(5));
    /// probe.request(2);
    ///
    /// let signals = &registry.recording().stages[0].signals;
    /// let kinds: Vec<_> = signals.iter().map(|signal| signal.kind).collect();
    /// assert_eq!(kinds, [SignalKind::Request(2), SignalKind::Next, SignalKind::Next]);
    /// assert_eq!(signals[0].at, Duration::from_millis(5));
    /// ```
    #[must_use]
    pub fn recording_last(n: usize, scheduler: &impl Scheduler) -> Self {
        let worker = scheduler.worker();
        let clock = RecorderClock::Exact(Arc::new(move || worker.now()));
        Self(Arc::new(Gauges::recording(n, clock)))
    }

    /// As [`recording_last`](Self::recording_last), with times that are up to `resolution` old: a
    /// task on `scheduler` reads the clock that often, and a signal costs a few stores.
    /// The order of a stage's signals is exact all the same.
    #[must_use]
    pub fn recording_coarsely(n: usize, scheduler: &impl Scheduler, resolution: Duration) -> Self {
        let time = recording::tick(scheduler.worker(), resolution);
        Self(Arc::new(Gauges::recording(n, RecorderClock::Coarse(time))))
    }

    /// The last signals of each stage, from the source to the end; none if they are not recorded.
    ///
    /// It is read while the flow runs, which does not wait for it: a signal that is being written
    /// at the time may be missing.
    #[must_use]
    pub fn recording(&self) -> Recording {
        Recording::of(&self.0)
    }

    pub(crate) fn gauges(&self) -> &Arc<Gauges> {
        &self.0
    }

    /// The stages now, from the source to the end. Each is consistent in itself: no item shows
    /// without its request. Between two of them, the flow may have gone on.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let mut before: Option<Reading> = None;
        let readings = self.0.read().into_iter();
        let stages = readings.map(|(name, reading)| {
            let above = before.replace(reading);
            let passed = above.map(|above| above.delivered.saturating_sub(above.skipped));
            Stage {
                name,
                requested: reading.requested,
                delivered: reading.delivered,
                skipped: reading.skipped,
                outstanding: reading.outstanding(),
                buffered: passed.and_then(|passed| passed.checked_sub(reading.delivered)),
                last: match reading.last {
                    Passed::Nothing => LastSignal::None,
                    Passed::Request => LastSignal::Request,
                    Passed::Item => LastSignal::Next,
                    Passed::Completion => LastSignal::Complete,
                    Passed::Failure => LastSignal::Error,
                    Passed::Cancel => LastSignal::Cancel,
                },
            }
        });
        stages.collect()
    }
}

impl Stage {
    pub(super) fn is_ended(&self) -> bool {
        matches!(self.last, LastSignal::Complete | LastSignal::Error | LastSignal::Cancel)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.stages()).finish()
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages = self.stages();
        let width = stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:width$}  {:>12}  {:>12}  {:>12}  {:>12}  last signal",
            "stage", "requested", "delivered", "outstanding", "buffered"
        )?;
        for stage in stages {
            let buffered = stage.buffered.map_or_else(|| "-".to_owned(), |n| n.to_string());
            writeln!(
                f,
                "{:width$}  {:>12}  {:>12}  {:>12}  {:>12}  {}",
                stage.name,
                Amount(stage.requested).to_string(),
                stage.delivered,
                Amount(stage.outstanding).to_string(),
                buffered,
                stage.last
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for LastSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Request => "request",
            Self::Next => "item",
            Self::Complete => "completed",
            Self::Error => "failed",
            Self::Cancel => "canceled",
        })
    }
}

/// A demand, in words where it has no bound.
pub(super) struct Amount(pub(super) u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u64::MAX { f.write_str("unbounded") } else { write!(f, "{}", self.0) }
    }
}
