//! `VirtualTime`: a clock that a test moves.

use std::{
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
    time::Duration,
};

use super::{Executor as _, Scheduler, Worker, queue::Queue};

/// Runs tasks when [`run`](Self::run) or [`advance`](Self::advance) is called, on the calling
/// thread, by a clock that stands still in between.
#[derive(Clone)]
pub struct VirtualTime(Arc<Queue>);

impl Default for VirtualTime {
    fn default() -> Self {
        Self::new()
    }
}

impl VirtualTime {
    /// A clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self(Queue::with_virtual_clock())
    }

    /// Runs the tasks that are ready, and those that they schedule for now; how many that were.
    pub fn run(&self) -> usize {
        self.0.run_ready()
    }

    /// Moves the clock, and runs every task at its time.
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// The time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// How many timers are pending: set, and neither due nor taken back.
    #[must_use]
    pub fn n_timers(&self) -> usize {
        self.0.n_timers()
    }
}

// No code of a user's runs while the queue is being changed, so that a panic leaves nothing half
// done.
impl UnwindSafe for VirtualTime {}
impl RefUnwindSafe for VirtualTime {}

impl Scheduler for VirtualTime {
    fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.0))
    }
}

impl std::fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualTime").field("now", &self.now()).finish()
    }
}
