//! A bounded queue whose producer may evict.
//!
//! Where items come regardless of demand, a full queue has to drop one. Which one is a policy; that
//! the queue never holds more than its capacity is not.
//!
//! # States
//!
//! ```text
//!   ┌──────┐  close   ┌──────────┐  pop of the last item, or take_end  ┌───────┐
//!   │ OPEN │ ───────▶ │ DRAINING │ ──────────────────────────────────▶ │ ENDED │
//!   └──────┘          └──────────┘                                     └───────┘
//! ```
//!
//! # Invariants
//!
//! 1. There are never more items than the capacity, which is exact.
//! 2. Each item is returned once: by the `pop` that takes it, or by the `push` that evicts it.
//! 3. The end is given once, after the last item.
//! 4. No item is dropped under the lock.

use std::{collections::VecDeque, fmt};

use crate::{End, Step, sync::Mutex};

/// Which item a full queue drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evict {
    /// The item that has waited longest.
    Oldest,
    /// The last item queued.
    Newest,
    /// The item that is being pushed.
    Incoming,
    /// All queued items.
    All,
}

/// A bounded queue whose producer may evict. The file's header has the rest.
pub struct Backlog<T> {
    capacity: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    end: Option<End>,
}

impl<T> Backlog<T> {
    /// Returns an empty queue for `capacity` items, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { capacity, state: Mutex::new(State { items: VecDeque::new(), end: None }) }
    }

    /// Adds an item. If the queue is full, `evicted` gets what had to go, and is not under the
    /// lock. Returns whether an item was evicted.
    pub fn push(&self, item: T, evict: Evict, mut evicted: impl FnMut(T)) -> bool {
        let mut state = self.state.lock();
        if state.items.len() < self.capacity {
            state.items.push_back(item);
            return false;
        }
        match evict {
            Evict::Incoming => {
                drop(state);
                evicted(item);
            }
            Evict::Oldest | Evict::Newest => {
                let gone = match evict {
                    Evict::Oldest => state.items.pop_front(),
                    _ => state.items.pop_back(),
                };
                state.items.push_back(item);
                drop(state);
                gone.into_iter().for_each(evicted);
            }
            Evict::All => {
                let gone = std::mem::take(&mut state.items);
                state.items.push_back(item);
                drop(state);
                gone.into_iter().for_each(evicted);
            }
        }
        true
    }

    /// The item that waits longest, or how the stream ended.
    pub fn pop(&self) -> Step<T> {
        let mut state = self.state.lock();
        match state.items.pop_front() {
            Some(item) => Step::Item(item),
            None => state.end.take().map_or(Step::Pending, Step::End),
        }
    }

    /// How the stream ended, if no item waits.
    pub fn take_end(&self) -> Option<End> {
        let mut state = self.state.lock();
        if state.items.is_empty() { state.end.take() } else { None }
    }

    /// `OPEN → DRAINING`. The first end counts.
    pub fn close(&self, end: End) {
        self.state.lock().end.get_or_insert(end);
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Returns whether no item is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> fmt::Debug for Backlog<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
