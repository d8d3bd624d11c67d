//! What a queue's operator shares with its upstream's subscriber.

use std::sync::Arc;

use millstream_kernel::{Deferred, End};
use parking_lot::Mutex;

/// What the two sides of the operator share.
pub(crate) struct Link {
    pub(super) upstream: Deferred,
    pub(super) line: Mutex<Line>,
}

#[derive(Default)]
pub(super) struct Line {
    /// Whether there is an upstream.
    pub(super) is_fed: bool,
    /// Places that were reserved for items that were asked for.
    pub(super) asked: u64,
    pub(super) end: Option<End>,
    /// Nobody takes any more.
    pub(super) is_canceled: bool,
}

impl Link {
    fn new() -> Self {
        Self { upstream: Deferred::new(), line: Mutex::new(Line::default()) }
    }

    /// Between an upstream and a queue.
    pub(super) fn fed() -> Arc<Self> {
        let link = Self::new();
        link.feed();
        Arc::new(link)
    }

    /// From here on the upstream may be asked.
    pub(crate) fn feed(&self) {
        self.line.lock().is_fed = true;
    }

    /// Of a queue that others put items into, or whose upstream is not to be asked yet.
    pub(crate) fn unfed() -> Arc<Self> {
        Arc::new(Self::new())
    }
}
