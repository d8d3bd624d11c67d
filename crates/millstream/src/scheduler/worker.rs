//! `Worker`: runs tasks one at a time and in order.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::Job;

/// Hands out workers.
pub trait Scheduler: Send + Sync {
    /// A worker, of which a scheduler may have several.
    fn worker(&self) -> Worker;
}

/// What a worker is made of. Implemented by schedulers.
pub trait Lane: Send + Sync + 'static {
    /// Runs `job` after those that were scheduled before. Dropping it tells it that it was rejected.
    fn schedule(&self, job: Job);

    /// Runs `job` once `delay` has passed.
    fn schedule_after(&self, delay: Duration, job: Job);

    /// Whether the caller is running on this lane.
    fn is_current(&self) -> bool;

    /// Whether something else waits to be run on this lane. A task that has run for a while lets it, and goes
    /// on if there is nothing.
    ///
    /// Always so, unless a lane says otherwise.
    fn has_others(&self) -> bool {
        true
    }

    /// The time since some moment that stays the same.
    fn now(&self) -> Duration;

    /// Whether futures may be polled on this lane now; if not, wakes `cx` when they may.
    ///
    /// For a lane on a runtime that gives each task a budget, beyond which nothing is ready, so that what
    /// is polled then is polled in vain. Always ready, unless a lane says otherwise.
    fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _unused = cx;
        Poll::Ready(())
    }
}

/// Runs tasks one at a time and in order. A clone is the same worker.
#[derive(Clone)]
pub struct Worker(Arc<dyn Lane>);

impl Worker {
    /// A worker on this lane.
    pub fn new(lane: impl Lane) -> Self {
        Self(Arc::new(lane))
    }

    /// Runs `job` after those that were scheduled before.
    pub fn schedule(&self, job: Job) {
        self.0.schedule(job);
    }

    /// Runs `job` once `delay` has passed.
    pub fn schedule_after(&self, delay: Duration, job: Job) {
        self.0.schedule_after(delay, job);
    }

    /// Whether the caller is running on this worker.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0.is_current()
    }

    /// Whether futures may be polled on this worker now; if not, wakes `cx` when they may.
    pub(crate) fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_budget(cx)
    }

    /// Whether something else waits to be run on this worker.
    pub(super) fn has_others(&self) -> bool {
        self.0.has_others()
    }

    /// The time by this worker's clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.now()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
