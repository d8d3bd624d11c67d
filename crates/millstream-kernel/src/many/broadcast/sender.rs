//! The producer of a post.

use std::{fmt, sync::Arc, task, time::Duration};

use reactive_streams::{Error, ErrorKind};

use super::{Member, Post, Posted, Unposted, WhenFull};
use crate::{End, Wake, sync::Ordering};

/// The producer's end. Dropped without [`end`](Self::end), it ends the post as disconnected.
pub struct Poster<T> {
    post: Arc<Post<T>>,
    /// The members when their version was this, so that they can be woken without the lock.
    members: Vec<Member<T>>,
    version: u64,
    /// For how many items all of them have room, at least: nobody else puts any.
    n_free: usize,
    clones: Vec<T>,
    dropped: Vec<T>,
}

impl<T> Poster<T> {
    pub(super) fn new(post: Arc<Post<T>>) -> Self {
        Self {
            post,
            members: Vec::new(),
            version: 0,
            n_free: 0,
            clones: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

impl<T: Clone> Poster<T> {
    /// Sends `item` to all members at once; the time `now` is for the past.
    ///
    /// # Errors
    ///
    /// Gives the item back: it was sent to nobody.
    pub fn emit(&mut self, item: T, now: Duration) -> Result<Posted, Unposted<T>> {
        let emitted = self.try_emit(item, now);
        self.clones.clear();
        self.dropped.clear();
        if emitted.is_ok() {
            self.members.iter().for_each(|member| member.listener.wake_for_item());
        }
        emitted
    }

    fn try_emit(&mut self, item: T, now: Duration) -> Result<Posted, Unposted<T>> {
        let Self { post, members, version, n_free, clones, dropped } = self;
        // What a clone that panicked may have left.
        clones.clear();
        loop {
            // Relaxed: a look; the lock decides.
            let is_current = post.version.load(Ordering::Relaxed) == *version;
            if is_current && post.when_full == WhenFull::Wait && *n_free == 0 {
                let n_free_of = |member: &Member<T>| member.mailbox.n_free();
                *n_free = members.iter().map(n_free_of).min().unwrap_or(0);
                if *n_free == 0 && !members.is_empty() {
                    return Err(Unposted::Full(item));
                }
            }
            if is_current {
                // Invariant 6: before the lock.
                let n_clones = (members.len() + usize::from(post.has_past)).saturating_sub(1);
                (clones.len()..n_clones).for_each(|_| clones.push(item.clone()));
            }
            let state = post.state.lock();
            if state.is_deserted && state.members.is_empty() {
                return Err(Unposted::Deserted(item));
            }
            // Relaxed: the lock orders it.
            let current = post.version.load(Ordering::Relaxed);
            if !is_current || current != *version {
                // Invariant 6: a member may be the last to hold its subscriber.
                let former = std::mem::replace(members, state.members.clone());
                *version = current;
                drop(state);
                *n_free = 0;
                drop(former);
                continue;
            }
            post.arrived();
            if members.is_empty() && !post.has_past {
                return Err(Unposted::Nobody(item));
            }
            *n_free = n_free.saturating_sub(1);
            let posted = post.deliver(state, members, item, clones, now, dropped);
            return Ok(posted);
        }
    }
}

impl<T> Poster<T> {
    /// Ends the post: all members, after the items that wait for them, and those who join later.
    pub fn end(self, end: End) {
        self.close(end);
    }

    fn close(&self, end: End) {
        let members = {
            let mut state = self.post.state.lock();
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
        self.post.producer.register(waker);
    }

    /// What the producer shares with its subscribers.
    #[must_use]
    pub fn post(&self) -> &Arc<Post<T>> {
        &self.post
    }
}

impl<T> Drop for Poster<T> {
    fn drop(&mut self) {
        self.close(End::Failed(Error::new(
            ErrorKind::Disconnected,
            "the producer was dropped: end a stream with `complete` or `fail`",
        )));
    }
}

impl<T> fmt::Debug for Poster<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").field("n_members", &self.members.len()).finish_non_exhaustive()
    }
}
