//! `Worker`: runs tasks one at a time and in order.

use std::{
    fmt,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::{Job, Task};

use super::surroundings::Surroundings;

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

    /// Runs `job` once `delay` has passed, unless it is taken back before. A delay that reaches
    /// beyond the end of the clock's time lasts until then.
    fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled;

    /// Returns whether the caller is running on this executor.
    fn is_current(&self) -> bool;

    /// Returns whether other tasks wait to be run on this executor. Long-running tasks yield when
    /// this is true.
    ///
    /// The default is `true`.
    fn has_others(&self) -> bool {
        true
    }

    /// Returns the time since a fixed moment.
    fn now(&self) -> Duration;

    /// Has [`Task::stop`] called when the executor stops, if `task` is still there: it may wait for
    /// something that will never come.
    ///
    /// Does nothing, unless an executor says otherwise.
    fn watch(&self, task: Weak<dyn Task>) {
        let _unused = task;
    }

    /// Whether futures may be polled on this executor now; if not, wakes `cx` when they may.
    ///
    /// For an executor on a runtime that gives each task a budget, such as tokio's, beyond which
    /// nothing that is polled is ready. The default is always ready.
    fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _unused = cx;
        Poll::Ready(())
    }
}

/// Runs tasks one at a time and in order. A clone is the same worker.
///
/// A worker that is handed out inside of a tokio runtime has its tasks run inside of that runtime,
/// on whatever thread: so the [ambient](super::ambient) scheduler of what runs there is the one of
/// the place where the flow was put together. A worker of a `Tokio` runs inside of its own runtime.
#[derive(Clone)]
pub struct Worker {
    executor: Arc<dyn Executor>,
    surroundings: Surroundings,
}

impl Worker {
    /// A worker on this executor.
    pub fn new(executor: impl Executor) -> Self {
        Self { executor: Arc::new(executor), surroundings: Surroundings::of_worker() }
    }

    /// A worker on an executor that brings its own surroundings.
    #[cfg(feature = "tokio")]
    pub(super) fn surrounded(executor: impl Executor) -> Self {
        Self { executor: Arc::new(executor), surroundings: Surroundings::none() }
    }

    /// Runs `job` after those that were scheduled before.
    pub fn schedule(&self, job: Job) {
        self.executor.schedule(self.surroundings.surround(job));
    }

    /// Runs `job` once `delay` has passed, unless what is returned is dropped before.
    pub fn schedule_after(&self, delay: Duration, job: Job) -> Scheduled {
        self.executor.schedule_after(delay, self.surroundings.surround(job))
    }

    /// Has `task` stopped when the worker's thread or runtime is gone.
    pub(super) fn watch(&self, task: Weak<dyn Task>) {
        self.executor.watch(task);
    }

    /// Whether the caller is running on this worker.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.executor.is_current()
    }

    /// Whether futures may be polled on this worker now; if not, wakes `cx` when they may.
    pub(crate) fn poll_budget(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.executor.poll_budget(cx)
    }

    /// Whether something else waits to be run on this worker.
    pub(super) fn has_others(&self) -> bool {
        self.executor.has_others()
    }

    /// The time by this worker's clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.executor.now()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
