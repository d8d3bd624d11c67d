//! `Worker`: runs tasks one at a time and in order.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::Job;

use super::Scheduled;

/// Hands out workers.
pub trait Scheduler: Send + Sync {
    /// A worker, of which a scheduler may have several.
    fn worker(&self) -> Worker;
}

/// Runs the tasks of a [`Worker`]. Implemented by schedulers.
pub trait Executor: Send + Sync + 'static {
    /// Runs `job` after those that were scheduled before. Dropping `job` rejects it.
    fn schedule(&self, job: Job);

    /// Runs `job` once `delay` has passed, unless it is taken back before. A delay that reaches beyond the end
    /// of the clock's time lasts until then.
    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled;

    /// Returns whether the caller is running on this executor.
    fn is_current(&self) -> bool;

    /// Returns whether other tasks wait to be run on this executor. Long-running tasks yield when this
    /// is true.
    ///
    /// The default is `true`.
    fn has_others(&self) -> bool {
        true
    }

    /// Returns the time since a fixed moment.
    fn now(&self) -> Duration;

    /// Returns whether futures may be polled on this executor now; if not, wakes `cx` when they may.
    ///
    /// For an executor on a runtime that gives each task a budget, such as tokio's, beyond which nothing
    /// that is polled is ready. The default is always ready.
    fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _unused = cx;
        Poll::Ready(())
    }
}

/// Runs tasks one at a time and in order. A clone is the same worker.
#[derive(Clone)]
pub struct Worker(Arc<dyn Executor>);

impl Worker {
    /// Returns a worker that runs its tasks on `executor`.
    pub fn new(executor: impl Executor) -> Self {
        Self(Arc::new(executor))
    }

    /// Runs `job` after those that were scheduled before.
    pub fn schedule(&self, job: Job) {
        self.0.schedule(job);
    }

    /// Runs `job` once `delay` has passed, unless what is returned is dropped before.
    pub fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        self.0.schedule_after(delay, job)
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
