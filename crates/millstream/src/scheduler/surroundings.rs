//! `Surroundings`: what is around the place where a flow is subscribed to: its context, and the
//! tokio runtime there.
//!
//! Futures need the runtime that they were written for, and a flow runs on whatever thread has an
//! item. So the runtime is taken along: by each [`Worker`](super::Worker) for its tasks, and by the
//! operators that make flows of items. These take the [`Context`] along as well, and so does
//! whatever subscribes later than it was subscribed to.

#[cfg(feature = "tokio")]
use std::sync::Arc;

use millstream_kernel::Job;

use super::context::Context;
#[cfg(feature = "tokio")]
use super::tokio::Inside;

/// What surrounds a call, to run others inside of it.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    context: Context,
    #[cfg(feature = "tokio")]
    runtime: Option<Arc<Inside>>,
}

impl Surroundings {
    /// What surrounds this call.
    pub(crate) fn current() -> Self {
        Self { context: Context::current(), ..Self::of_worker() }
    }

    /// Runs `f` inside.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tokio")]
        if let Some(runtime) = &self.runtime {
            return runtime.within(|| self.context.within(f));
        }
        self.context.within(f)
    }
}

#[cfg(feature = "tokio")]
impl Surroundings {
    /// What a worker takes along that is handed out here: its tasks are of many subscriptions.
    pub(super) fn of_worker() -> Self {
        Self { context: Context::new(), runtime: Inside::current().map(Arc::new) }
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// `job` is run inside.
    pub(super) fn surround(&self, job: Job) -> Job {
        match &self.runtime {
            Some(runtime) => job.inside(Arc::clone(runtime) as _),
            None => job,
        }
    }
}

#[cfg(not(feature = "tokio"))]
impl Surroundings {
    /// What a worker takes along that is handed out here: its tasks are of many subscriptions.
    pub(super) fn of_worker() -> Self {
        Self { context: Context::new() }
    }

    /// `job` is run inside.
    #[expect(clippy::unused_self, reason = "there is something to use with the feature `tokio`")]
    pub(super) fn surround(&self, job: Job) -> Job {
        job
    }
}
