//! Shared: the last signals that passed the stages of a flow.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{CoarseTime, Gauges, Job, Record, Recorded, RecorderClock, Task};
use reactive_streams::Error;

use crate::scheduler::Worker;

/// The last signals of the stages of a flow, as
/// [`Registry::recording`](crate::Registry::recording) returns them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// When it was read, by the clock of the signals.
    pub read_at: Duration,
    /// The stages, from the source to the end.
    pub stages: Vec<StageRecording>,
}

/// The last signals of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageRecording {
    /// As it was given.
    pub name: Arc<str>,
    /// The signals, in the order in which they passed.
    pub signals: Vec<RecordedSignal>,
}

/// A signal, and when it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedSignal {
    /// The time by the clock of the scheduler that was named.
    pub at: Duration,
    /// What it was.
    pub kind: SignalKind,
}

/// What a signal was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalKind {
    /// A request for so many items; `u64::MAX` is without bound.
    Request(u64),
    /// An item.
    Next,
    /// An item that the next operator dropped, and that used no demand.
    Skipped,
    /// `on_complete`.
    Complete,
    /// `on_error`.
    Error,
    /// A cancel, or an item that was answered with `Finished`.
    Cancel,
}

impl Recording {
    pub(super) fn of(gauges: &Gauges) -> Self {
        let stages = gauges.records().into_iter().map(|(name, records)| StageRecording {
            name,
            signals: records.into_iter().map(RecordedSignal::of).collect(),
        });
        let stages = stages.collect();
        // Afterwards, so that no signal is younger than it.
        let read_at = gauges.recording_clock().map_or(Duration::ZERO, RecorderClock::now);
        Self { read_at, stages }
    }
}

impl RecordedSignal {
    fn of(record: Record) -> Self {
        let kind = match record.signal {
            Recorded::Request(n) => SignalKind::Request(n),
            Recorded::Item => SignalKind::Next,
            Recorded::Skipped => SignalKind::Skipped,
            Recorded::Completion => SignalKind::Complete,
            Recorded::Failure => SignalKind::Error,
            Recorded::Cancel => SignalKind::Cancel,
        };
        Self { at: record.at, kind }
    }
}

/// The time of `worker`, set anew every `resolution` for as long as somebody holds it.
pub(super) fn tick(worker: Worker, resolution: Duration) -> Arc<CoarseTime> {
    let time = Arc::new(CoarseTime::default());
    let ticker = Arc::new_cyclic(|me| Ticker {
        me: Weak::clone(me),
        time: Arc::downgrade(&time),
        worker,
        every: resolution.max(Duration::from_micros(100)),
    });
    ticker.run();
    time
}

struct Ticker {
    me: Weak<Self>,
    time: Weak<CoarseTime>,
    worker: Worker,
    every: Duration,
}

impl Task for Ticker {
    fn run(&self) {
        let (Some(time), Some(me)) = (self.time.upgrade(), self.me.upgrade()) else { return };
        time.set(self.worker.now());
        self.worker.schedule_after(self.every, Job::new(me)).detach();
    }

    fn abandon(&self, _: Error) {
        // The scheduler has stopped: so has the time.
    }
}
