//! `Surroundings`: the tokio runtime around the place where a flow was put together.
//!
//! Futures need the runtime that they were written for, and a flow runs on whatever thread has an
//! item. So the runtime is taken along: by each [`Worker`](super::Worker) for its tasks, and by the
//! operators that make flows of items.

#[cfg(feature = "tokio")]
use std::sync::Arc;

use millstream_kernel::Job;

#[cfg(feature = "tokio")]
use super::tokio::Inside;

/// What surrounds a call, to run others inside of it.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    #[cfg(feature = "tokio")]
    runtime: Option<Arc<Inside>>,
}

#[cfg(feature = "tokio")]
impl Surroundings {
    /// What surrounds this call.
    pub(crate) fn current() -> Self {
        Self { runtime: Inside::current().map(Arc::new) }
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self { runtime: None }
    }

    /// `job` is run inside.
    pub(super) fn surround(&self, job: Job) -> Job {
        match &self.runtime {
            Some(runtime) => job.inside(Arc::clone(runtime) as _),
            None => job,
        }
    }

    /// Runs `f` inside.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.runtime {
            Some(runtime) => runtime.within(f),
            None => f(),
        }
    }
}

#[cfg(not(feature = "tokio"))]
impl Surroundings {
    /// What surrounds this call.
    pub(crate) fn current() -> Self {
        Self {}
    }

    /// `job` is run inside.
    #[expect(clippy::unused_self, reason = "there is something to use with the feature `tokio`")]
    pub(super) fn surround(&self, job: Job) -> Job {
        job
    }

    /// Runs `f` inside.
    #[expect(clippy::unused_self, reason = "there is something to use with the feature `tokio`")]
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}
