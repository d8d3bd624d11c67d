//! `OneWorker`: the scheduler of one worker.

use millstream::scheduler::{Scheduler, Worker};

/// Gives out a worker that there is already, for operators that are put together from the core's.
pub(crate) struct OneWorker(pub(crate) Worker);

impl Scheduler for OneWorker {
    fn worker(&self) -> Worker {
        self.0.clone()
    }
}
