//! What passes one place of a flow, counted there and read from anywhere while it runs.
//!
//! The place's subscriber calls [`Gauge::deliver`] and [`Gauge::end`], its subscription
//! [`Gauge::request`], and observers call [`Gauge::read`]. Counting an item is two stores; only a
//! request is a read-modify-write. A gauge that has a [`Recorder`] notes each signal there as well;
//! for one that has none, that costs a look at whether there is one. [`Gauges`] has one of them for
//! each place of a flow, in the flow's order.
//!
//! # Invariants
//!
//! 1. `requested` is the sum of the requests, and stays at `u64::MAX` once it is unbounded.
//! 2. `delivered` and `skipped` are stored by one thread at a time, that which signals.
//! 3. A reading does not show an item without the request for it: an item is stored after that
//!    request was added, with a release, and a reading loads items before requests, with an
//!    acquire.
//! 4. The first end stays.

use std::sync::Arc;

use crate::{
    recorder::{Record, Recorded, Recorder, RecorderClock},
    sync::{AtomicU8, AtomicU64, Mutex, Ordering},
};

const OPEN: u8 = 0;
const REQUESTED: u8 = 1;
const ITEM: u8 = 2;
const COMPLETED: u8 = 3;
const FAILED: u8 = 4;
const CANCELED: u8 = 5;

/// The counters of one place. The file's header has the rest.
#[derive(Debug)]
pub struct Gauge {
    requested: AtomicU64,
    delivered: AtomicU64,
    skipped: AtomicU64,
    /// OPEN, REQUESTED or ITEM.
    last: AtomicU8,
    /// OPEN, COMPLETED, FAILED or CANCELED.
    end: AtomicU8,
    recorder: Option<Box<Recorder>>,
}

/// What passed a place last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    /// Nothing yet.
    Nothing,
    /// A request.
    Request,
    /// An item.
    Item,
    /// `on_complete`.
    Completion,
    /// `on_error`.
    Failure,
    /// A cancel.
    Cancel,
}

/// The counters of a place at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Items that were asked for; `u64::MAX` is without bound.
    pub requested: u64,
    /// Items that came.
    pub delivered: u64,
    /// Those of them that were answered with `Skipped`, and used no demand.
    pub skipped: u64,
    /// What passed last.
    pub last: Passed,
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauge {
    /// Nothing has passed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            requested: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            last: AtomicU8::new(OPEN),
            end: AtomicU8::new(OPEN),
            recorder: None,
        }
    }

    /// Nothing has passed, and what will is recorded.
    #[must_use]
    pub fn recorded(recorder: Recorder) -> Self {
        Self { recorder: Some(Box::new(recorder)), ..Self::new() }
    }

    /// Counts a request, before it is passed on.
    pub fn request(&self, n: u64) {
        let mut before = self.requested.load(Ordering::Relaxed);
        loop {
            let sum = before.saturating_add(n);
            // Relaxed: the item that answers it publishes it (invariant 3).
            let added = self.requested.compare_exchange_weak(
                before,
                sum,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match added {
                Ok(_) => break,
                Err(current) => before = current,
            }
        }
        // Relaxed: says what came last, and nothing depends on it.
        self.last.store(REQUESTED, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder {
            recorder.up(Recorded::Request(n));
        }
    }

    /// Counts an item before it is passed on. Called by the thread that signals.
    #[inline]
    pub fn deliver(&self) {
        // Relaxed: by invariant 2 nobody else stores it.
        let delivered = self.delivered.load(Ordering::Relaxed).wrapping_add(1);
        // Release: pairs with the acquire in `read` (invariant 3).
        self.delivered.store(delivered, Ordering::Release);
        // Relaxed: as in `request`.
        self.last.store(ITEM, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder {
            recorder.down(Recorded::Item);
        }
    }

    /// Takes back the demand of the item counted last, which used none. Called by the thread that
    /// signals.
    pub fn skip(&self) {
        // Relaxed: by invariant 2 nobody else stores it; a reading may show it late.
        let skipped = self.skipped.load(Ordering::Relaxed).wrapping_add(1);
        self.skipped.store(skipped, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder {
            recorder.skip();
        }
    }

    /// Notes `on_complete`, `on_error` or a cancel, unless there was one before. An end is noted by
    /// the thread that signals, a cancel by any.
    pub fn end(&self, end: Passed) {
        let (end, signal) = match end {
            Passed::Completion => (COMPLETED, Recorded::Completion),
            Passed::Failure => (FAILED, Recorded::Failure),
            Passed::Cancel => (CANCELED, Recorded::Cancel),
            Passed::Nothing | Passed::Request | Passed::Item => return,
        };
        // Relaxed: nothing is read behind it. The first stays (invariant 4).
        let first = self.end.compare_exchange(OPEN, end, Ordering::Relaxed, Ordering::Relaxed);
        let Some(recorder) = self.recorder.as_ref().filter(|_| first.is_ok()) else { return };
        match signal {
            // It comes from the other side.
            Recorded::Cancel => recorder.up(signal),
            _ => recorder.down(signal),
        }
    }

    /// The last signals, in order; none if they are not recorded.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.recorder.as_ref().map_or_else(Vec::new, |recorder| recorder.read())
    }

    /// The counters now.
    #[must_use]
    pub fn read(&self) -> Reading {
        // Acquire: pairs with the release in `deliver`; what was asked for is loaded after it.
        let delivered = self.delivered.load(Ordering::Acquire);
        let skipped = self.skipped.load(Ordering::Relaxed);
        let requested = self.requested.load(Ordering::Relaxed);
        let last = match (self.end.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed)) {
            (COMPLETED, _) => Passed::Completion,
            (FAILED, _) => Passed::Failure,
            (CANCELED, _) => Passed::Cancel,
            (_, REQUESTED) => Passed::Request,
            (_, ITEM) => Passed::Item,
            (_, _) => Passed::Nothing,
        };
        Reading { requested, delivered, skipped, last }
    }
}

impl Reading {
    /// Items that were asked for and have not come; `u64::MAX` is without bound, and 0 after an
    /// end.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        if self.is_ended() {
            return 0;
        }
        if self.requested == u64::MAX {
            return u64::MAX;
        }
        self.requested.saturating_sub(self.delivered.saturating_sub(self.skipped))
    }

    /// Returns whether nothing more will pass.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.last, Passed::Completion | Passed::Failure | Passed::Cancel)
    }
}

/// The places of a flow, by name, in the order in which they were added.
#[derive(Debug)]
pub struct Gauges {
    places: Mutex<Vec<(Arc<str>, Arc<Gauge>)>>,
    /// How many signals of each place are recorded, and when.
    recording: Option<(usize, RecorderClock)>,
}

impl Default for Gauges {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauges {
    /// No places.
    #[must_use]
    pub fn new() -> Self {
        Self { places: Mutex::new(Vec::new()), recording: None }
    }

    /// No places, whose last `n` signals will be recorded.
    #[must_use]
    pub fn recording(n: usize, clock: RecorderClock) -> Self {
        Self { recording: Some((n, clock)), ..Self::new() }
    }

    /// The time of the recorders; none if nothing is recorded.
    #[must_use]
    pub fn recording_clock(&self) -> Option<&RecorderClock> {
        self.recording.as_ref().map(|(_, clock)| clock)
    }

    /// Adds a place; its number.
    pub fn add(&self, name: &str) -> usize {
        let mut places = self.places.lock();
        places.push((Arc::from(name), Arc::new(Gauge::new())));
        places.len() - 1
    }

    /// Begins anew at a place that was added: its new gauge. What was recorded there stays until
    /// newer signals take its place.
    ///
    /// # Panics
    ///
    /// If no place has this number.
    pub fn start(&self, number: usize) -> Arc<Gauge> {
        let mut places = self.places.lock();
        let gauge = match &self.recording {
            None => Gauge::new(),
            Some((n, clock)) => {
                let earlier = places[number].1.records();
                Gauge::recorded(Recorder::new(*n, clock.clone(), earlier))
            }
        };
        let gauge = Arc::new(gauge);
        places[number].1 = Arc::clone(&gauge);
        gauge
    }

    /// The readings of all places, in order.
    #[must_use]
    pub fn read(&self) -> Vec<(Arc<str>, Reading)> {
        self.places.lock().iter().map(|(name, gauge)| (Arc::clone(name), gauge.read())).collect()
    }

    /// The last signals of all places, in order.
    #[must_use]
    pub fn records(&self) -> Vec<(Arc<str>, Vec<Record>)> {
        // Read after the lock, since there are many of them.
        let places = self.places.lock().clone();
        places.into_iter().map(|(name, gauge)| (name, gauge.records())).collect()
    }
}
