//! Tasks in a line, each with what it waits for.
//!
//! # Invariants
//!
//! 1. The line is linked in both directions, and has every entry that was entered and neither
//!    served nor removed.
//! 2. An index is its task's until it is removed.
//!
//! Plain data, for under its owner's lock; wakers are the user's code, which is neither run nor
//! dropped here. Entering, leaving and serving cost the same however long the line is,
//! and entries are used again, so that a line that has been long once allocates nothing more.

use std::task::Waker;

/// A line of tasks.
#[derive(Debug, Default)]
pub struct Waiters {
    entries: Vec<Entry>,
    vacant: Vec<usize>,
    first: Option<usize>,
    last: Option<usize>,
    n_waiting: usize,
}

#[derive(Debug)]
struct Entry {
    /// Taken by whoever wakes.
    waker: Option<Waker>,
    weight: u64,
    is_served: bool,
    before: Option<usize>,
    after: Option<usize>,
}

/// The wakers of those who were served, woken after the lock. One costs no allocation.
#[derive(Debug, Default)]
pub struct Served {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Waiters {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_waiting
    }

    /// Returns whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The one at the front, and what it waits for.
    #[must_use]
    pub fn front(&self) -> Option<(usize, u64)> {
        self.first.map(|index| (index, self.entries[index].weight))
    }

    /// Enters the line, at its end or at its front.
    pub fn enter(&mut self, waker: Option<Waker>, weight: u64, at_front: bool) -> usize {
        let (before, after) = if at_front { (None, self.first) } else { (self.last, None) };
        let entry = Entry { waker, weight, is_served: false, before, after };
        let index = match self.vacant.pop() {
            Some(index) => {
                self.entries[index] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.link(before, Some(index), after);
        self.n_waiting += 1;
        index
    }

    /// Takes one out of the line, with what it waited for, and has it woken.
    ///
    /// # Panics
    ///
    /// May do so if the entry was removed.
    pub fn serve(&mut self, index: usize, served: &mut Served) {
        self.unlink(index);
        self.entries[index].is_served = true;
        served.add(self.entries[index].waker.take());
    }

    /// Has all be woken, and leaves them in the line.
    pub fn wake_all(&mut self, served: &mut Served) {
        let mut next = self.first;
        while let Some(index) = next {
            served.add(self.entries[index].waker.take());
            next = self.entries[index].after;
        }
    }

    /// Returns whether it was served.
    ///
    /// # Panics
    ///
    /// May do so if the entry was removed.
    #[must_use]
    pub fn is_served(&self, index: usize) -> bool {
        self.entries[index].is_served
    }

    /// Leaves `waker` with the task, and the one before in its place.
    ///
    /// # Panics
    ///
    /// May do so if the entry was removed.
    pub fn renew(&mut self, index: usize, waker: &mut Option<Waker>) {
        std::mem::swap(&mut self.entries[index].waker, waker);
    }

    /// Forgets an entry, wherever it is; its waker is for the caller to drop, after the lock.
    ///
    /// # Panics
    ///
    /// May do so if the entry was removed before.
    #[must_use]
    pub fn remove(&mut self, index: usize) -> Option<Waker> {
        if !self.entries[index].is_served {
            self.unlink(index);
        }
        self.vacant.push(index);
        self.entries[index].waker.take()
    }

    fn unlink(&mut self, index: usize) {
        let (before, after) = (self.entries[index].before, self.entries[index].after);
        match before {
            Some(before) => self.entries[before].after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => self.entries[after].before = before,
            None => self.last = before,
        }
        self.n_waiting -= 1;
    }

    /// Has the neighbors of an entry point to it.
    fn link(&mut self, before: Option<usize>, index: Option<usize>, after: Option<usize>) {
        match before {
            Some(before) => self.entries[before].after = index,
            None => self.first = index,
        }
        match after {
            Some(after) => self.entries[after].before = index,
            None => self.last = index,
        }
    }
}

impl Served {
    fn add(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.first.is_none() => self.first = Some(waker),
            waker => self.others.extend(waker),
        }
    }

    /// Runs the user's code: not under a lock.
    pub fn wake(self) {
        self.first.into_iter().chain(self.others).for_each(Waker::wake);
    }
}
