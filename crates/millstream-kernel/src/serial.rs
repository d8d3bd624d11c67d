//! Exclusive turns over a value: handle a message now, or leave it to the thread inside.
//!
//! Messages for a [`Handler`] are handled one at a time and in order. A thread that sends one while
//! nobody is inside goes in and handles messages until there are none; one that sends while
//! somebody is inside, another thread or its own caller, leaves the message and returns at once. So
//! a source that completes while it is being subscribed to does not recurse: a million of them run
//! in one loop. Messages are few (an inner source ended, another one is here), items never pass
//! through.
//!
//! # States
//!
//! ```text
//!            send: handler taken out
//!   ┌──────┐ ──────────────────────▶ ┌──────┐
//!   │ FREE │                         │ BUSY │ ⟲ send: message left
//!   └──────┘ ◀────────────────────── └──────┘
//!            no message left: handler put back
//!
//!   BUSY → GONE when the handler panics: it and all messages, now and later, are dropped.
//! ```
//!
//! # Invariants
//!
//! 1. The handler is in the state exactly when nobody is inside and it has not panicked.
//! 2. If the handler is in the state, the mailbox is empty.
//! 3. Neither handling nor dropping of user values happens under the lock.

use std::{collections::VecDeque, fmt};

use crate::sync::Mutex;

/// What handles messages.
pub trait Handler: Send + 'static {
    /// What is sent.
    type Message: Send;

    /// Handles one message. May send more of them, which are handled after it has returned.
    fn handle(&mut self, message: Self::Message);
}

/// A handler and its mailbox. The file's header has the rest.
pub struct Serial<H: Handler>(Mutex<State<H>>);

struct State<H: Handler> {
    handler: Option<H>,
    mailbox: VecDeque<H::Message>,
    is_gone: bool,
}

impl<H: Handler> Serial<H> {
    /// A free handler.
    pub fn new(handler: H) -> Self {
        Self(Mutex::new(State { handler: Some(handler), mailbox: VecDeque::new(), is_gone: false }))
    }

    /// Has `message` handled, before this returns or by the thread inside.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the handler, which is dropped; later messages are dropped unhandled.
    pub fn send(&self, message: H::Message) {
        let mut handler = {
            let mut state = self.0.lock();
            if state.is_gone {
                // Invariant 3: dropped after the lock.
                drop(state);
                return drop(message);
            }
            let Some(handler) = state.handler.take() else {
                return state.mailbox.push_back(message);
            };
            handler
        };
        let gone = Gone(self);
        let mut message = message;
        loop {
            handler.handle(message);
            let mut state = self.0.lock();
            let Some(next) = state.mailbox.pop_front() else {
                state.handler = Some(handler);
                break;
            };
            message = next;
        }
        gone.defuse();
    }
}

/// Marks the serial as gone when the handler panics.
struct Gone<'a, H: Handler>(&'a Serial<H>);

impl<H: Handler> Gone<'_, H> {
    #[expect(clippy::mem_forget, reason = "a reference, whose drop would mark the panic")]
    fn defuse(self) {
        std::mem::forget(self);
    }
}

impl<H: Handler> Drop for Gone<'_, H> {
    fn drop(&mut self) {
        let mailbox = {
            let mut state = self.0.0.lock();
            state.is_gone = true;
            std::mem::take(&mut state.mailbox)
        };
        drop(mailbox);
    }
}

impl<H: Handler> fmt::Debug for Serial<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serial").finish_non_exhaustive()
    }
}
