//! What streams send, and how much is asked of their publishers.

use std::sync::Arc;

use millstream_kernel::guard::muted;
use reactive_streams::Subscription;

use super::{Driver, HIGH};
use crate::outbound::Inbox;

/// A publisher is asked for about so many bytes at a time.
const WINDOW: usize = 32 * 1024;
/// A publisher is asked for so many items at a time, at most.
const MOST: u64 = 256;

/// The sending half of a stream.
pub(super) struct Outgoing {
    /// `None` until the publisher has come.
    pub(super) subscription: Option<Arc<dyn Subscription>>,
    /// What was asked for and has not come.
    asked: u64,
    /// How large items are, by those that came.
    size: usize,
    /// It is asked when there is room.
    is_waiting: bool,
    /// Where its items come from, behind the first.
    pub(super) inbox: Option<Inbox>,
}

impl Default for Outgoing {
    fn default() -> Self {
        // As if items were large, until some have come.
        Self { subscription: None, asked: 0, size: WINDOW / 4, is_waiting: false, inbox: None }
    }
}

impl Outgoing {
    /// An item of `len` bytes has come. Returns whether it was asked for.
    pub(super) fn arrived(&mut self, len: usize) -> bool {
        let is_expected = self.asked > 0;
        self.asked -= u64::from(is_expected);
        self.size = len.max(self.size - self.size / 4);
        is_expected
    }

    /// How many items may be on their way.
    fn window(&self) -> u64 {
        (WINDOW as u64 / self.size.max(1) as u64).clamp(1, MOST)
    }
}

impl<T> Driver<T> {
    /// Asks a publisher for what its peer takes and the connection has room for.
    pub(super) fn ask(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(outgoing) = &mut entry.outgoing else { return };
        let Some(subscription) = &outgoing.subscription else { return };
        let n = match entry.id {
            // The first item of a channel is its request.
            None => 1 - outgoing.asked.min(1),
            Some(id) => {
                let credit = self.connection.credit(id).saturating_sub(outgoing.asked);
                let window = outgoing.window();
                if credit == 0 || outgoing.asked > window / 2 {
                    return;
                }
                if self.connection.queued() >= HIGH {
                    if !std::mem::replace(&mut outgoing.is_waiting, true) {
                        self.waiting.push_back(key);
                    }
                    return;
                }
                credit.min(window - outgoing.asked)
            }
        };
        if n > 0 {
            outgoing.asked += n;
            let subscription = Arc::clone(subscription);
            muted(|| subscription.request(n));
        }
    }

    /// Asks those that wait, as far as there is room. Returns whether one was asked.
    pub(super) fn ask_waiting(&mut self) -> bool {
        let mut has_some = false;
        while self.connection.queued() < HIGH / 2
            && let Some(key) = self.waiting.pop_front()
        {
            has_some = true;
            let entry = self.entries.get_mut(&key);
            if let Some(outgoing) = entry.and_then(|entry| entry.outgoing.as_mut()) {
                outgoing.is_waiting = false;
            }
            self.ask(key);
        }
        has_some
    }

    /// Cancels the publisher of what a stream sends.
    pub(super) fn drop_outgoing(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if let Some(outgoing) = entry.outgoing.take()
            && let Some(subscription) = outgoing.subscription
        {
            muted(|| subscription.cancel());
        }
    }

    /// Forgets a stream that has nothing more to send or to receive.
    pub(super) fn forget_if_over(&mut self, key: u64) {
        let Some(entry) = self.entries.get(&key) else { return };
        if entry.incoming.is_some() || entry.outgoing.is_some() {
            return;
        }
        let id = entry.id;
        self.entries.remove(&key);
        if let Some(id) = id
            && self.by_id.get(&id) == Some(&key)
        {
            self.by_id.remove(&id);
        }
    }
}
