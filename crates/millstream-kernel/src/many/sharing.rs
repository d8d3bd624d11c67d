//! One connection for many subscribers: which of them connects, and which disconnects.
//!
//! The first of them makes the connection, which is opened when enough have come. The last that
//! goes closes it, at once or after a while without subscribers. A later subscriber makes another
//! one.
//!
//! # States
//!
//! ```text
//!            enter: made                    enter: opened, if enough are there
//!   ┌──────┐ ───────────▶ ┌───────────────┐ ──────────────────────────────────▶ ┌────────────┐
//!   │ NONE │              │ CLOSED, n > 0 │                                     │ OPEN, n > 0│
//!   └──────┘ ◀─────────── └───────────────┘                                     └────────────┘
//!    ▲    ▲   last leave                                   leave: last, lingers  │  ▲    │
//!    │    │                                                                      ▼  │    │
//!    │    │            expire, with the right ticket                ┌─────────────┐ │    │
//!    │    └──────────────────────────────────────────────────────── │ OPEN, n = 0 │─┘    │
//!    │                                                              └─────────────┘ enter│
//!    └───────────────────────────────────────────────────────────────────────────────────┘
//!      last leave that does not linger; close, when nobody is there; forget, in every state
//! ```
//!
//! # Invariants
//!
//! 1. Of all who enter one connection, one is told to open it, and of all who leave, one at most is
//!    told to close it.
//! 2. A connection that is to be closed is never entered again.
//! 3. A ticket is valid until the next `enter`.
//! 4. Once closed, there is no `enter` any more, and no connection lingers.
//! 5. No user code runs under the lock: a new connection holds none of it yet, and a former one is
//!    moved out before it is dropped.

use std::{fmt, sync::Arc};

use crate::sync::Mutex;

/// Counts the subscribers of a connection. The file's header has the rest.
pub struct Sharing<C> {
    state: Mutex<State<C>>,
    open_at: usize,
}

struct State<C> {
    current: Option<Arc<C>>,
    n: usize,
    is_open: bool,
    /// Changes with every `enter`.
    ticket: u64,
    /// There will be no `enter` any more.
    is_closed: bool,
}

/// What a subscriber has entered.
#[derive(Debug)]
#[must_use = "the caller opens the connection if it is told to"]
pub struct Entered<C> {
    /// The connection.
    pub connection: Arc<C>,
    /// The caller opens it.
    pub must_open: bool,
}

/// What follows from leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the caller closes the connection if it is told to"]
pub enum Left {
    /// Others are still there, or the connection has ended.
    Nothing,
    /// The caller closes the connection.
    Close,
    /// The caller calls [`Sharing::expire`] with this ticket after a while.
    Linger(u64),
}

impl<C> Sharing<C> {
    /// No connection yet; it is opened when `open_at` subscribers have come.
    #[must_use]
    pub fn new(open_at: usize) -> Self {
        let state = State { current: None, n: 0, is_open: false, ticket: 0, is_closed: false };
        Self { state: Mutex::new(state), open_at }
    }

    /// Enters the current connection, or the one that `make` makes.
    pub fn enter(&self, make: impl FnOnce() -> C) -> Entered<C> {
        let mut state = self.state.lock();
        let connection = match &state.current {
            Some(current) => Arc::clone(current),
            None => {
                let made = Arc::new(make());
                state.current = Some(Arc::clone(&made));
                state.n = 0;
                state.is_open = false;
                made
            }
        };
        state.n += 1;
        state.ticket += 1;
        let must_open = !state.is_open && state.n >= self.open_at;
        state.is_open |= must_open;
        Entered { connection, must_open }
    }

    /// Leaves a connection. `lingers`: keeps it open for a while if the caller is the last.
    pub fn leave(&self, connection: &Arc<C>, lingers: bool) -> Left {
        let (left, former) = {
            let mut state = self.state.lock();
            if !state.is_current(connection) {
                return Left::Nothing;
            }
            state.n -= 1;
            match (state.n, state.is_open && lingers && !state.is_closed) {
                (0, true) => (Left::Linger(state.ticket), None),
                (0, false) => (Left::Close, state.current.take()),
                _ => (Left::Nothing, None),
            }
        };
        drop(former);
        left
    }

    /// The time to linger is over. Returns whether the caller closes the connection.
    #[must_use = "the caller closes the connection if it is told to"]
    pub fn expire(&self, connection: &Arc<C>, ticket: u64) -> bool {
        let former = {
            let mut state = self.state.lock();
            let is_due = state.is_current(connection) && state.n == 0 && state.ticket == ticket;
            if is_due { state.current.take() } else { None }
        };
        former.is_some()
    }

    /// Allows no `enter` any more. Returns the connection that lingers, if there is one, for the
    /// caller to close.
    #[must_use = "the caller closes the connection if it is told to"]
    pub fn close(&self) -> Option<Arc<C>> {
        let mut state = self.state.lock();
        state.is_closed = true;
        if state.n == 0 { state.current.take() } else { None }
    }

    /// The connection has ended: the next `enter` makes another one.
    pub fn forget(&self, connection: &Arc<C>) {
        let former = {
            let mut state = self.state.lock();
            if state.is_current(connection) { state.current.take() } else { None }
        };
        drop(former);
    }
}

impl<C> State<C> {
    fn is_current(&self, connection: &Arc<C>) -> bool {
        self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection))
    }
}

impl<C> fmt::Debug for Sharing<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharing").field("open_at", &self.open_at).finish_non_exhaustive()
    }
}
