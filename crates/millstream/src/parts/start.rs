//! A source that is held back until everything around it is subscribed.
//!
//! For operators that subscribe to several publishers, and for those whose source may answer before
//! their gate is complete.

use std::sync::Arc;

use millstream_kernel::Wake;

use super::inlet::{Entrance, Inlet, inlet};

/// Holds a source back until all is subscribed to.
///
/// So the first flow of several does not have the whole of the demand before the others are there;
/// and flows that answer at once do so within the gate's turn, in place of one turn for each of
/// their items.
pub struct Start {
    signal: Inlet<()>,
    has_come: bool,
}

/// Releases a [`Start`].
pub struct StartSignal(Entrance<()>);

impl Start {
    /// Returns a start that is held back, and its signal.
    pub fn new() -> (StartSignal, Self) {
        let (entrance, signal) = inlet(1);
        (StartSignal(entrance), Self { signal, has_come: false })
    }

    /// Returns whether the signal was given.
    #[inline]
    pub fn has_come(&mut self) -> bool {
        if !self.has_come {
            self.has_come = self.signal.end().is_some();
        }
        self.has_come
    }
}

impl StartSignal {
    /// Gives the signal, and wakes `gate`.
    pub fn give<G: Wake>(self, gate: Arc<G>) {
        // Closes the inlet, and wakes the gate.
        drop(self.0.subscriber(gate));
    }
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Start").field("has_come", &self.has_come).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StartSignal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartSignal").finish_non_exhaustive()
    }
}
