//! What passes one place of a flow, counted there and read from anywhere while it runs.
//!
//! The place's subscriber calls [`Gauge::deliver`] and [`Gauge::end`], its subscription
//! [`Gauge::request`], and observers call [`Gauge::read`]. Counting an item is two stores; only a
//! request is a read-modify-write. [`Gauges`] has one of them for each place of a flow, in the
//! flow's order.
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

use crate::sync::{AtomicU8, AtomicU64, Mutex, Ordering};

const OPEN: u8 = 0;
const REQUESTED: u8 = 1;
const ITEM: u8 = 2;
const COMPLETED: u8 = 3;
const FAILED: u8 = 4;
const CANCELLED: u8 = 5;

/// The counters of one place. The file's header has the rest.
#[derive(Debug)]
pub struct Gauge {
    requested: AtomicU64,
    delivered: AtomicU64,
    skipped: AtomicU64,
    /// OPEN, REQUESTED or ITEM.
    last: AtomicU8,
    /// OPEN, COMPLETED, FAILED or CANCELLED.
    end: AtomicU8,
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
        }
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
    }

    /// Takes back the demand of the item counted last, which used none. Called by the thread that
    /// signals.
    pub fn skip(&self) {
        // Relaxed: by invariant 2 nobody else stores it; a reading may show it late.
        let skipped = self.skipped.load(Ordering::Relaxed).wrapping_add(1);
        self.skipped.store(skipped, Ordering::Relaxed);
    }

    /// Notes `on_complete`, `on_error` or a cancel, unless there was one before.
    pub fn end(&self, end: Passed) {
        let end = match end {
            Passed::Completion => COMPLETED,
            Passed::Failure => FAILED,
            Passed::Cancel => CANCELLED,
            Passed::Nothing | Passed::Request | Passed::Item => return,
        };
        // Relaxed: nothing is read behind it. The first stays (invariant 4).
        let _first = self.end.compare_exchange(OPEN, end, Ordering::Relaxed, Ordering::Relaxed);
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
            (CANCELLED, _) => Passed::Cancel,
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
pub struct Gauges(Mutex<Vec<(Arc<str>, Arc<Gauge>)>>);

impl Default for Gauges {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauges {
    /// No places.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Adds a place; its number.
    pub fn add(&self, name: &str) -> usize {
        let mut places = self.0.lock();
        places.push((Arc::from(name), Arc::new(Gauge::new())));
        places.len() - 1
    }

    /// Begins anew at a place that was added: its new gauge.
    ///
    /// # Panics
    ///
    /// If no place has this number.
    pub fn start(&self, number: usize) -> Arc<Gauge> {
        let gauge = Arc::new(Gauge::new());
        self.0.lock()[number].1 = Arc::clone(&gauge);
        gauge
    }

    /// The readings of all places, in order.
    #[must_use]
    pub fn read(&self) -> Vec<(Arc<str>, Reading)> {
        self.0.lock().iter().map(|(name, gauge)| (Arc::clone(name), gauge.read())).collect()
    }
}
