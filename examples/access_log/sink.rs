//! The sink: one line of JSON for each minute, as slowly as is wanted.

use std::{io::Write, sync::Arc, time::Duration};

use millstream::{Error, Subscription};
use parking_lot::{Condvar, Mutex};

use crate::minute::Report;

/// Writes reports.
pub(crate) struct Sink {
    output: Box<dyn Write + Send>,
    delay: Duration,
    interrupt: Arc<Interrupt>,
}

/// What Ctrl-C does. The sink waits on it, so that its delay does not hold back the end.
#[derive(Default)]
pub(crate) struct Interrupt {
    is_raised: Mutex<bool>,
    raised: Condvar,
    flow: Mutex<Option<Arc<dyn Subscription>>>,
}

impl Interrupt {
    /// Names the flow to cancel.
    pub(crate) fn cancels(&self, flow: Arc<dyn Subscription>) {
        *self.flow.lock() = Some(Arc::clone(&flow));
        if self.is_raised() {
            flow.cancel();
        }
    }

    /// Raises it; whether it was raised before.
    pub(crate) fn raise(&self) -> bool {
        let was_raised = std::mem::replace(&mut *self.is_raised.lock(), true);
        self.raised.notify_all();
        let flow = self.flow.lock().take();
        if let Some(flow) = flow {
            flow.cancel();
        }
        was_raised
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.is_raised.lock()
    }

    /// Waits for `delay`; whether it was raised.
    fn wait(&self, delay: Duration) -> bool {
        let mut is_raised = self.is_raised.lock();
        self.raised.wait_while_for(&mut is_raised, |is_raised| !*is_raised, delay);
        *is_raised
    }
}

impl Sink {
    /// Takes `delay` for each object.
    pub(crate) fn new(
        output: Box<dyn Write + Send>,
        delay: Duration,
        interrupt: Arc<Interrupt>,
    ) -> Self {
        Self { output, delay, interrupt }
    }

    /// Writes one object, in one piece.
    pub(crate) fn write(&mut self, report: &Report) -> Result<(), Error> {
        if self.interrupt.wait(self.delay) {
            // A cancel alone is seen after the items that the sink was already given.
            return Err(Error::message("interrupted"));
        }
        let mut line = serde_json::to_vec(report).map_err(Error::other)?;
        line.push(b'\n');
        self.output
            .write_all(&line)
            .and_then(|()| self.output.flush())
            .map_err(|cause| Error::other(cause).context("cannot write the output"))
    }
}
