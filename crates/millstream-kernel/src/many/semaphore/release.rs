//! The way out of a room, for one who takes all items, one after another.
//!
//! Who leaves by it counts in a number of its own, by a store. The places are given back when somebody
//! wants them: by a producer that finds the room full, or, to tasks that wait, by a look now and then.
//! So a place costs its consumer no read-modify-write, and tasks that wait are woken many at a time.
//!
//! # States of a place
//!
//! ```text
//!               leave                  collect: nobody waits
//!   ┌───────┐ ────────▶ ┌────────────┐ ─────────────────────▶ FREE
//!   │ TAKEN │           │ LEFT, and  │
//!   │       │ ◀──────── │ still      │
//!   └───────┘  collect: │ counted    │
//!            handed on  └────────────┘
//! ```
//!
//! # Invariants
//!
//! 1. `left` is stored by the one exit; `n_collected` is changed under the room's lock, is at most
//!    `left`, and the difference are places that are free and still counted in the room's word.
//! 2. A task that waits is not forgotten. It sets WAITING, fences, and looks at `left` for the last
//!    time; who leaves stores `left`, fences, and looks for WAITING, at the latest when there is nothing
//!    more to take. In the total order of the fences one comes first.

use std::{fmt, sync::Arc, task::Waker};

use super::{Room, TAKEN, WAITING};
use crate::sync::{Ordering, fence};

/// The one way by which items leave a room. The file's header has the rest.
pub struct Exit {
    room: Arc<Room>,
    n_left: u64,
    /// How many had left at the last look for tasks that wait.
    n_looked: u64,
    /// How many may leave between two looks.
    n_between: u64,
}

impl Exit {
    pub(super) fn new(room: &Arc<Room>) -> Self {
        let n_between = (room.bound / 4).max(1);
        Self { room: Arc::clone(room), n_left: 0, n_looked: 0, n_between }
    }

    /// Frees the place of an item that was taken.
    #[inline]
    pub fn leave(&mut self) {
        self.n_left += 1;
        // Release: what was done before is seen by whoever collects the place.
        self.room.left.store(self.n_left, Ordering::Release);
        if self.n_left - self.n_looked >= self.n_between {
            self.look();
        }
    }

    /// Looks for tasks that wait for the places of those who left: when there is nothing more to take
    /// for now.
    #[inline]
    pub fn look(&mut self) {
        if self.n_looked == self.n_left {
            return;
        }
        self.n_looked = self.n_left;
        // Invariant 2: announced above.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        if self.room.word.load(Ordering::Relaxed) & WAITING != 0 {
            self.room.collect();
        }
    }

    /// Closes the room: [`Room::close`].
    pub fn close(&self) -> bool {
        self.room.close()
    }
}

impl Room {
    /// Hands the places of those who left to tasks that wait, and frees the rest. Whether there were
    /// any.
    #[cold]
    #[inline(never)]
    pub(super) fn collect(&self) -> bool {
        let mut is_changed = false;
        // A waker is run without the lock, so that each place that is handed on takes it again.
        while self.has_uncollected() {
            is_changed = true;
            if let Some(waker) = self.collect_some() {
                waker.wake();
            }
        }
        is_changed
    }

    fn has_uncollected(&self) -> bool {
        // Relaxed: a look; the lock decides.
        self.left.load(Ordering::Relaxed) != self.n_collected.load(Ordering::Relaxed)
    }

    /// Hands one place on, or frees all if nobody waits.
    fn collect_some(&self) -> Option<Waker> {
        let mut tasks = self.tasks.lock();
        // Acquire: pairs with the release in `leave`.
        let n_left = self.left.load(Ordering::Acquire);
        // Relaxed: the lock orders it.
        let n_collected = self.n_collected.load(Ordering::Relaxed);
        if n_left == n_collected {
            return None;
        }
        let Some(first) = tasks.line.pop_front() else {
            self.n_collected.store(n_left, Ordering::Relaxed);
            // Release: the room's invariant 4.
            self.word.fetch_sub(n_left - n_collected, Ordering::Release);
            return None;
        };
        self.n_collected.store(n_collected + 1, Ordering::Relaxed);
        self.settle(&tasks);
        tasks.serve(first)
    }

    /// How many places are taken, without those that may be collected.
    pub(super) fn n_occupied(&self) -> u64 {
        // Relaxed: a number for people to read. In this order, so that it is never less than none.
        let n_collected = self.n_collected.load(Ordering::Relaxed);
        let n_left = self.left.load(Ordering::Relaxed);
        let n_taken = self.word.load(Ordering::Relaxed) & TAKEN;
        n_taken.saturating_sub(n_left.saturating_sub(n_collected))
    }
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exit").field("room", &self.room).finish_non_exhaustive()
    }
}
