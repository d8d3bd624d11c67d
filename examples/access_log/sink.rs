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

/// What Ctrl-C and SIGTERM do. The sink waits on it, so that its delay does not hold back the end.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// The signal that came first.
    signal: Mutex<Option<u8>>,
    raised: Condvar,
    flow: Mutex<Option<Arc<dyn Subscription>>>,
}

impl Interrupt {
    /// Names the flow to cancel.
    pub(crate) fn cancels(&self, flow: Arc<dyn Subscription>) {
        *self.flow.lock() = Some(Arc::clone(&flow));
        if self.exit_code().is_some() {
            flow.cancel();
        }
    }

    /// Raises it for a signal. Returns whether it was raised before.
    pub(crate) fn raise(&self, signal: u8) -> bool {
        let was_raised = {
            let mut first = self.signal.lock();
            let was_raised = first.is_some();
            first.get_or_insert(signal);
            was_raised
        };
        self.raised.notify_all();
        let flow = self.flow.lock().take();
        if let Some(flow) = flow {
            flow.cancel();
        }
        was_raised
    }

    /// The exit code of a program that a signal has ended, if one has.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        self.signal.lock().map(|signal| signal.saturating_add(128))
    }

    /// Waits for `delay`. Returns whether it was raised.
    fn wait(&self, delay: Duration) -> bool {
        let mut signal = self.signal.lock();
        self.raised.wait_while_for(&mut signal, |signal| signal.is_none(), delay);
        signal.is_some()
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
