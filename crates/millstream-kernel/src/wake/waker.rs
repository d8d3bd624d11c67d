//! Wakes the task that polls.
//!
//! # Invariants
//!
//! 1. A task that registers and then looks for work misses none that was published before a `wake`.

use std::{fmt, task};

use crate::{Wake, sync::AtomicWaker};

/// The waker of the one task that polls.
#[derive(Default)]
pub struct TaskWaker(AtomicWaker);

impl TaskWaker {
    /// No task yet.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicWaker::new())
    }

    /// Remembers the task. It looks for work again after this.
    pub fn register(&self, waker: &task::Waker) {
        #[cfg(not(millstream_loom))]
        self.0.register(waker);
        #[cfg(millstream_loom)]
        self.0.register(waker.clone());
    }
}

impl Wake for TaskWaker {
    fn wake(&self) {
        self.0.wake();
    }
}

impl fmt::Debug for TaskWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskWaker").finish_non_exhaustive()
    }
}
