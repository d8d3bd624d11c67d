//! `OnWorker`: the turns of a gate on a worker.

use std::{
    sync::{Arc, Weak},
    task,
};

use millstream_kernel::{Dispatch, Job, Task, Wake};
use reactive_streams::Error;

use super::worker::Worker;

/// Has a gate's turns run on a worker.
pub(crate) struct OnWorker {
    worker: Worker,
    gate: Weak<dyn Task>,
}

impl OnWorker {
    pub(crate) fn new(worker: Worker, gate: Weak<impl Task + 'static>) -> Self {
        Self { worker, gate }
    }
}

impl Dispatch for OnWorker {
    fn dispatch(&self) -> Result<(), Error> {
        // A gate that nobody holds any more has nobody to signal.
        if let Some(gate) = self.gate.upgrade() {
            self.worker.schedule(Job::new(gate));
        }
        Ok(())
    }

    fn is_here(&self) -> bool {
        self.worker.is_current()
    }

    fn has_others(&self) -> bool {
        self.worker.has_others()
    }
}

/// Wakes a gate from a future.
pub(crate) struct GateWaker(Weak<dyn Wake>);

impl GateWaker {
    pub(crate) fn new(gate: Weak<impl Wake + 'static>) -> Self {
        Self(gate)
    }

    pub(crate) fn wake_by_ref(&self) {
        if let Some(gate) = self.0.upgrade() {
            gate.wake();
        }
    }
}

impl task::Wake for GateWaker {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake_by_ref(self);
    }
}
