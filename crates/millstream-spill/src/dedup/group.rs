//! Keys that are done at the same time are committed together: a sync costs as much for many.

use std::mem;

use parking_lot::{Condvar, Mutex};

/// Gathers keys while others are being committed.
#[derive(Default)]
pub(super) struct Group {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    keys: Vec<Vec<u8>>,
    /// The number of the batch that is gathered.
    gathers: u64,
    /// Batches before it are committed, or have failed.
    settled: u64,
    is_committing: bool,
}

/// Lets the others go on, also if the commit panics.
struct Committing<'a>(&'a Group, u64);

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.settled = self.1;
        state.is_committing = false;
        drop(state);
        self.0.changed.notify_all();
    }
}

impl Group {
    /// Returns when `commit` was called with this key, by this thread or another one.
    pub(super) fn add(&self, key: Vec<u8>, commit: impl FnOnce(&[Vec<u8>])) {
        let mut state = self.state.lock();
        state.keys.push(key);
        let own = state.gathers;
        loop {
            if state.settled > own {
                return;
            }
            if !state.is_committing {
                break;
            }
            self.changed.wait(&mut state);
        }
        // The first of a batch that finds nobody at work commits it, and all that came meanwhile.
        state.is_committing = true;
        state.gathers += 1;
        let keys = mem::take(&mut state.keys);
        drop(state);
        let _committing = Committing(self, own + 1);
        commit(&keys);
    }
}
