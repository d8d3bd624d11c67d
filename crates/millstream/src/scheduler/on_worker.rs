//! `OnWorker`: the turns of a gate on a worker.

use std::{
    fmt,
    sync::{Arc, Weak},
    task,
};

use millstream_kernel::{Dispatch, Job, Task, Wake};
use reactive_streams::Error;

use super::worker::Worker;

/// Runs a gate's turns on a worker: the gate's `Dispatch`.
pub struct OnWorker {
    worker: Worker,
    gate: Weak<dyn Task>,
}

impl OnWorker {
    /// Runs the turns of `gate` on `worker`.
    pub fn new(worker: Worker, gate: Weak<impl Task + 'static>) -> Self {
        let gate: Weak<dyn Task> = gate;
        worker.watch(Weak::clone(&gate));
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

/// Wakes a gate when a future that it polls is ready:
/// `Waker::from(Arc::new(GateWaker::new(gate)))`.
pub struct GateWaker(Weak<dyn Wake>);

impl GateWaker {
    /// Wakes `gate`, as long as somebody holds it.
    pub fn new(gate: Weak<impl Wake + 'static>) -> Self {
        Self(gate)
    }

    /// Wakes the gate.
    pub fn wake_by_ref(&self) {
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

impl fmt::Debug for OnWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnWorker").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl fmt::Debug for GateWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateWaker").finish_non_exhaustive()
    }
}
