//! A source that is held back until everything around it is subscribed.

use std::sync::Arc;

use millstream_kernel::Wake;

use super::inlet::{Entrance, Inlet, inlet};

/// Holds a source back until all is subscribed to.
///
/// So the first flow of several does not have the whole of the demand before the others are there; and
/// flows that answer at once do so within the gate's turn, in place of one turn for each of their items.
pub(crate) struct Start {
    signal: Inlet<()>,
    has_come: bool,
}

/// Gives the start.
pub(crate) struct StartSignal(Entrance<()>);

impl Start {
    pub(crate) fn new() -> (StartSignal, Self) {
        let (entrance, signal) = inlet(1);
        (StartSignal(entrance), Self { signal, has_come: false })
    }

    /// Whether it was given.
    #[inline]
    pub(crate) fn has_come(&mut self) -> bool {
        if !self.has_come {
            self.has_come = self.signal.end().is_some();
        }
        self.has_come
    }
}

impl StartSignal {
    pub(crate) fn give<G: Wake>(self, gate: Arc<G>) {
        // Closes the inlet, and wakes the gate.
        drop(self.0.subscriber(gate));
    }
}
