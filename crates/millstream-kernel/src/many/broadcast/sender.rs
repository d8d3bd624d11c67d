//! The producer of a broadcast.

use std::{fmt, sync::Arc, task, time::Duration};

use reactive_streams::{Error, ErrorKind};

use super::{Broadcast, Delivery, Member, SendError, WhenFull};
use crate::{End, Wake, sync::Ordering};

/// The producer's end. Dropped without [`end`](Self::end), it ends the broadcast as disconnected.
pub struct Sender<T> {
    broadcast: Arc<Broadcast<T>>,
    /// The members when their version was this, so that they can be woken without the lock.
    members: Vec<Member<T>>,
    version: u64,
    /// For how many items all of them have room, at least: nobody else puts any.
    n_free: usize,
    clones: Vec<T>,
    dropped: Vec<T>,
}

impl<T> Sender<T> {
    pub(super) fn new(broadcast: Arc<Broadcast<T>>) -> Self {
        Self {
            broadcast,
            members: Vec::new(),
            version: 0,
            n_free: 0,
            clones: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

impl<T: Clone> Sender<T> {
    /// Sends `item` to all members at once; the time `now` is for the replay buffer.
    ///
    /// # Errors
    ///
    /// Gives the item back: it was sent to nobody.
    pub fn send(&mut self, item: T, now: Duration) -> Result<Delivery, SendError<T>> {
        let sent = self.try_send(item, now);
        self.clones.clear();
        self.dropped.clear();
        if sent.is_ok() {
            self.members.iter().for_each(|member| member.listener.wake_for_item());
        }
        sent
    }

    fn try_send(&mut self, item: T, now: Duration) -> Result<Delivery, SendError<T>> {
        let Self { broadcast, members, version, n_free, clones, dropped } = self;
        // What a clone that panicked may have left.
        clones.clear();
        loop {
            // Relaxed: a look; the lock decides.
            let is_current = broadcast.version.load(Ordering::Relaxed) == *version;
            if is_current && broadcast.when_full == WhenFull::Wait && *n_free == 0 {
                let n_free_of = |member: &Member<T>| member.mailbox.n_free();
                *n_free = members.iter().map(n_free_of).min().unwrap_or(0);
                if *n_free == 0 && !members.is_empty() {
                    return Err(SendError::Full(item));
                }
            }
            if is_current {
                // Invariant 6: before the lock.
                let n_clones =
                    (members.len() + usize::from(broadcast.has_replay)).saturating_sub(1);
                (clones.len()..n_clones).for_each(|_| clones.push(item.clone()));
            }
            let state = broadcast.state.lock();
            if state.is_closed && state.members.is_empty() {
                return Err(SendError::Closed(item));
            }
            // Relaxed: the lock orders it.
            let current = broadcast.version.load(Ordering::Relaxed);
            if !is_current || current != *version {
                // Invariant 6: a member may be the last to hold its subscriber.
                let former = std::mem::replace(members, state.members.clone());
                *version = current;
                drop(state);
                *n_free = 0;
                drop(former);
                continue;
            }
            broadcast.arrived();
            if members.is_empty() && !broadcast.has_replay {
                return Err(SendError::NoSubscriber(item));
            }
            *n_free = n_free.saturating_sub(1);
            let delivery = broadcast.deliver(state, members, item, clones, now, dropped);
            return Ok(delivery);
        }
    }
}

impl<T> Sender<T> {
    /// Ends the broadcast: all members, after the items that wait for them, and those who join
    /// later.
    pub fn end(self, end: End) {
        self.close(end);
    }

    fn close(&self, end: End) {
        let members = {
            let mut state = self.broadcast.state.lock();
            if state.end.is_some() {
                return;
            }
            let members = std::mem::take(&mut state.members);
            members.iter().for_each(|member| member.mailbox.close(end.clone()));
            state.end = Some(end);
            members
        };
        members.iter().for_each(|member| member.listener.wake());
    }

    /// Remembers the task that sends. It looks again after this.
    pub fn register(&self, waker: &task::Waker) {
        self.broadcast.producer.register(waker);
    }

    /// What the producer shares with its subscribers.
    #[must_use]
    pub fn broadcast(&self) -> &Arc<Broadcast<T>> {
        &self.broadcast
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.close(End::Failed(Error::new(
            ErrorKind::Disconnected,
            "the producer was dropped: end a stream with `complete` or `fail`",
        )));
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("n_members", &self.members.len()).finish_non_exhaustive()
    }
}
