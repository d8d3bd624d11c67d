//! A wake-up that a scheduler owes.
//!
//! An operator that waits for a time hands a scheduler an alarm, and is woken when it rings. A
//! scheduler that stops drops what it has not run; the operator is woken then as well, and finds
//! the alarm lost instead of waiting forever.
//!
//! # States
//!
//! ```text
//!           run                      abandon
//!   ┌──────┐ ◀────────── ┌─────┐ ──────────▶ ┌──────┐
//!   │ RUNG │             │ SET │             │ LOST │
//!   └──────┘             └─────┘             └──────┘
//! ```
//!
//! # Invariants
//!
//! 1. SET is left once, before the target is woken: the target sees why it was woken.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use reactive_streams::Error;

use crate::{
    Job, Task, Wake,
    sync::{AtomicU8, Ordering},
};

const SET: u8 = 0;
const RUNG: u8 = 1;
const LOST: u8 = 2;

/// A task that wakes a target when it is run. The file's header has the rest.
pub struct Alarm {
    state: AtomicU8,
    target: Weak<dyn Wake>,
}

impl Alarm {
    /// An alarm that wakes `target`, and the job that rings it.
    #[must_use]
    pub fn new(target: &Weak<dyn Wake>) -> (Arc<Self>, Job) {
        let alarm = Arc::new(Self { state: AtomicU8::new(SET), target: Weak::clone(target) });
        let job = Job::new(Arc::clone(&alarm) as Arc<dyn Task>);
        (alarm, job)
    }

    /// Returns whether it has still to ring.
    #[must_use]
    pub fn is_set(&self) -> bool {
        // Acquire: pairs with the release in `leave`.
        self.state.load(Ordering::Acquire) == SET
    }

    /// Returns whether it will never ring, because the scheduler stopped.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        // Acquire: pairs with the release in `leave`.
        self.state.load(Ordering::Acquire) == LOST
    }

    /// `SET → RUNG`, `SET → LOST`.
    fn leave(&self, state: u8) {
        // Release: pairs with the acquire of the target (invariant 1).
        self.state.store(state, Ordering::Release);
        if let Some(target) = self.target.upgrade() {
            target.wake();
        }
    }
}

impl Task for Alarm {
    fn run(&self) {
        self.leave(RUNG);
    }

    fn abandon(&self, _: Error) {
        self.leave(LOST);
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_set, is_lost) = (self.is_set(), self.is_lost());
        f.debug_struct("Alarm").field("is_set", &is_set).field("is_lost", &is_lost).finish()
    }
}
