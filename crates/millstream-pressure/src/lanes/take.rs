//! Taking from the lane whose turn it is.

use std::time::Duration;

use super::{Lanes, Shared};
use crate::Taken;

/// An item that was taken out of [`Lanes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromLane<T> {
    /// The item.
    pub item: T,
    /// The index of its lane.
    pub lane: usize,
    /// How long it has waited there.
    pub waited: Duration,
}

impl<T: Send + 'static> Lanes<T> {
    /// The next item of the lane whose turn it is, if one waits in any. Never waits; for waiting,
    /// there is [`flow`](Self::flow).
    #[must_use]
    pub fn try_take(&self) -> Option<FromLane<T>> {
        loop {
            let lane = self.0.pick()?;
            // None if others were faster, or what waited had waited too long.
            if let Some(Taken { item, waited, weight, .. }) = self.0.queues[lane].try_take() {
                self.0.charge(lane, weight);
                return Some(FromLane { item, lane, waited });
            }
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    /// The lane whose turn it is, of those in which items wait.
    pub(super) fn pick(&self) -> Option<usize> {
        self.state.lock().turns.pick(|lane| !self.queues[lane].is_empty())
    }

    /// An item of this weight was taken.
    pub(super) fn charge(&self, lane: usize, weight: u64) {
        let mut state = self.state.lock();
        state.turns.charge(lane, weight);
        state.served[lane] += 1;
    }
}
