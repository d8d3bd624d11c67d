//! From one producer to many subscribers that come and go.
//!
//! Each subscriber has a [`Mailbox`]. The [`Sender`] puts an item, or a clone of it, into all of
//! them at one moment, and wakes their owners afterwards. Who is subscribed is settled by one lock:
//! a subscriber is there for an item, or it is not.
//!
//! A broadcast may keep a `ReplayBuffer`: the last items, which a subscriber that comes later
//! gets first. They are cloned outside of the lock by one of those who come, to whom the replay
//! buffer is lent; the others leave a note, and items that are sent meanwhile are put aside for it.
//!
//! # States of the replay buffer
//!
//! ```text
//!            join: replay taken out
//!   ┌──────┐ ─────────────────────▶ ┌──────┐ ⟲ join: note left, send: item put aside
//!   │ HERE │                        │ LENT │ ⟲ next note
//!   └──────┘ ◀───────────────────── └──────┘
//!            no note left: replay put back
//! ```
//!
//! # Invariants
//!
//! 1. A subscriber is a member from `join` until it leaves, lags behind, or the broadcast ends; who
//!    joins after the end gets the end. `version` changes with the members, under the lock.
//! 2. An item is put into the mailboxes of all members, and into the replay buffer, or nowhere,
//!    under the lock.
//! 3. A member gets the items of the replay buffer that are older than its `join`, and then all
//!    since.
//! 4. No wake-up of the producer is lost: it registers before it looks for the last time, and is
//!    woken after a full mailbox has room, and after a member came or went.
//! 5. Who claims items on behalf of the members never asks for more than the fullest mailbox has
//!    room for: what was claimed and has not come is counted under the lock. A member may look at
//!    the count without it: each time it becomes less, an item is put into the mailboxes, and who
//!    takes that item sees the count.
//! 6. User code is neither run nor dropped under the lock: items are cloned before, and what
//!    is dropped is moved out.

mod mailbox;
mod replay;
mod sender;

use std::{fmt, sync::Arc, time::Duration};

use self::{
    mailbox::Put,
    replay::{Arrival, ReplayBuffer},
};
pub use self::{
    mailbox::{Mailbox, WhenFull},
    sender::Sender,
};
use crate::{
    End, Listener, Step, TaskWaker, Wake,
    guard::caught,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
};

/// What is shared by a producer and its subscribers. The file's header has the rest.
pub struct Broadcast<T> {
    state: Mutex<State<T>>,
    /// Changes with the members.
    version: AtomicU64,
    /// Items that were requested from the producer's source and have not come.
    n_expected: AtomicU64,
    producer: TaskWaker,
    capacity: usize,
    when_full: WhenFull,
    has_replay: bool,
}

struct State<T> {
    members: Vec<Member<T>>,
    end: Option<End>,
    /// Nobody can join any more.
    is_closed: bool,
    /// Something was claimed.
    has_claimed: bool,
    replay: Option<ReplayBuffer<T>>,
}

/// A subscriber. Its mailbox does not hold its listener, because the listener may hold the mailbox.
pub struct Member<T> {
    mailbox: Arc<Mailbox<T>>,
    listener: Arc<Listener>,
}

/// What became of an item that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// In how many mailboxes it is.
    pub n_delivered: usize,
    /// How many items were dropped for it, itself included, because mailboxes were full.
    pub n_dropped: usize,
    /// How many subscribers were ended because their mailboxes were full.
    pub n_ended: usize,
}

/// Why an item was not sent; gives it back.
#[derive(Debug)]
pub enum SendError<T> {
    /// A mailbox is full.
    Full(T),
    /// There is nobody.
    NoSubscriber(T),
    /// There is nobody, and never will be.
    Closed(T),
}

/// A broadcast without members, whose mailboxes hold `capacity` items.
#[must_use]
pub fn channel<T>(capacity: usize, when_full: WhenFull) -> (Sender<T>, Arc<Broadcast<T>>) {
    open(capacity, when_full, None)
}

/// A broadcast that keeps the last `limit` items, none older than `max_age`, for those who join
/// later.
#[must_use]
pub fn with_replay<T>(
    capacity: usize,
    when_full: WhenFull,
    limit: usize,
    max_age: Option<Duration>,
) -> (Sender<T>, Arc<Broadcast<T>>) {
    open(capacity, when_full, Some(ReplayBuffer::new(limit, max_age)))
}

fn open<T>(
    capacity: usize,
    when_full: WhenFull,
    replay: Option<ReplayBuffer<T>>,
) -> (Sender<T>, Arc<Broadcast<T>>) {
    let state =
        State { members: Vec::new(), end: None, is_closed: false, has_claimed: false, replay };
    let broadcast = Arc::new(Broadcast {
        has_replay: state.replay.is_some(),
        state: Mutex::new(state),
        version: AtomicU64::new(0),
        n_expected: AtomicU64::new(0),
        producer: TaskWaker::new(),
        capacity,
        when_full,
    });
    (Sender::new(Arc::clone(&broadcast)), broadcast)
}

impl<T: Clone> Broadcast<T> {
    /// A new member, which gets what is sent from now on, and before that what the replay buffer
    /// has at the time `now`.
    pub fn join(&self, now: Duration) -> Member<T> {
        let (member, is_borrower) = {
            let mut state = self.state.lock();
            let mailbox = Arc::new(Mailbox::new(self.capacity, state.replay.is_some()));
            let member = Member { mailbox, listener: Arc::new(Listener::new()) };
            match &state.end {
                // The text of an end is the user's, but its clone is a pointer.
                Some(end) => member.mailbox.close(end.clone()),
                None => {
                    state.members.push(member.clone());
                    self.renew();
                }
            }
            let replay = state.replay.as_mut();
            let is_borrower = replay.is_some_and(|replay| replay.note(member.clone(), now));
            (member, is_borrower)
        };
        if is_borrower {
            self.welcome();
        }
        self.producer.wake();
        member
    }

    /// Gives those who have left a note what they missed. The replay buffer is lent to the caller.
    fn welcome(&self) {
        loop {
            let (arrival, items) = {
                let mut state = self.state.lock();
                let Some(replay) = &mut state.replay else { return };
                let Some(arrival) = replay.next_note() else {
                    let dropped = replay.put_back();
                    drop(state);
                    return drop(dropped);
                };
                (arrival, replay.take_out())
            };
            let clones = caught(|| arrival.select(&items));
            {
                let mut state = self.state.lock();
                if let Some(replay) = &mut state.replay {
                    replay.put_in(items);
                }
            }
            let Arrival { member, .. } = arrival;
            member.mailbox.arrive(clones.map_err(End::Failed), self.when_full);
            member.listener.catch_up();
        }
    }
}

impl<T> Broadcast<T> {
    /// Removes the member with this mailbox and drops its items. Returns how many members are left.
    pub fn leave(&self, mailbox: &Arc<Mailbox<T>>) -> usize {
        let (n_left, removed) = {
            let mut state = self.state.lock();
            let is_it = |member: &Member<T>| Arc::ptr_eq(&member.mailbox, mailbox);
            let removed = state.members.iter().position(is_it).map(|index| {
                self.renew();
                state.members.swap_remove(index)
            });
            (state.members.len(), removed)
        };
        mailbox.leave();
        drop(removed);
        self.producer.wake();
        n_left
    }

    /// Takes the oldest item out of a member's mailbox.
    #[inline]
    pub fn pop(&self, mailbox: &Mailbox<T>) -> Step<T> {
        let (step, was_full) = mailbox.pop();
        if was_full {
            // Invariant 4.
            self.producer.wake();
        }
        step
    }

    /// Puts `item` or one of its clones into each mailbox, and one into the replay buffer
    /// (invariant 2).
    fn deliver(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        members: &[Member<T>],
        item: T,
        clones: &mut Vec<T>,
        now: Duration,
        dropped: &mut Vec<T>,
    ) -> Delivery {
        let mut delivery = Delivery::default();
        let mut item = Some(item);
        let mut next = || clones.pop().or_else(|| item.take());
        for member in members {
            let Some(item) = next() else { break };
            match member.mailbox.put(item, self.when_full, dropped) {
                Put::Added => delivery.n_delivered += 1,
                Put::Replaced(n) => {
                    delivery.n_delivered += 1;
                    delivery.n_dropped += n;
                }
                Put::Refused(item) => {
                    delivery.n_dropped += 1;
                    dropped.push(item);
                }
                Put::Ended(item) => {
                    delivery.n_dropped += 1;
                    delivery.n_ended += 1;
                    dropped.push(item);
                    self.renew();
                    // Invariant 6: `members` holds it as well.
                    state.members.retain(|other| !Arc::ptr_eq(&other.mailbox, &member.mailbox));
                }
            }
        }
        if let Some(replay) = &mut state.replay {
            replay.extend(next(), now, dropped);
        }
        // It is left if members left while it was cloned.
        dropped.extend(item);
        delivery
    }

    /// How many items may be asked for on behalf of the members: as many as the fullest mailbox has
    /// room for, less those that were asked for before. They count as asked for from now on.
    ///
    /// Waits until that is three quarters of the capacity, unless nothing else is on its way; and
    /// until it is called with `is_first` for the first time.
    #[must_use = "what was claimed has to be asked for"]
    pub fn claim(&self, is_first: bool) -> u64 {
        let mut state = self.state.lock();
        if !state.has_claimed && !is_first {
            return 0;
        }
        // Relaxed: the lock orders it.
        let n_expected = self.n_expected.load(Ordering::Relaxed);
        let fullest = state.members.iter().map(|member| member.mailbox.n_waiting()).max();
        let Some(fullest) = fullest else { return 0 };
        state.has_claimed = true;
        let free = (self.capacity as u64).saturating_sub(fullest as u64 + n_expected);
        let is_enough = free >= self.refill_at() || n_expected == 0;
        let n = if is_enough { free } else { 0 };
        // Relaxed: as above.
        self.n_expected.store(n_expected + n, Ordering::Relaxed);
        n
    }

    /// [`pop`](Self::pop) for members on whose behalf items are claimed. Whether it may be time to
    /// claim some.
    #[inline]
    pub fn pop_claimed(&self, mailbox: &Mailbox<T>) -> (Step<T>, bool) {
        let (step, n_before) = mailbox.pop_counted();
        // At a full mailbox, nothing else may be on its way.
        let n_free = (self.capacity + 1).saturating_sub(n_before) as u64;
        let has_room = n_before == 0 || n_before == self.capacity || n_free >= self.refill_at();
        // What is on its way may already be too much. Relaxed: invariant 5.
        let may_claim = || self.n_expected.load(Ordering::Relaxed) <= self.capacity as u64 / 4;
        (step, has_room && may_claim())
    }

    /// One item less is on its way. The caller has the lock.
    fn arrived(&self) {
        // Relaxed: the lock orders it, and that of the mailboxes (invariant 5).
        let n_expected = self.n_expected.load(Ordering::Relaxed);
        self.n_expected.store(n_expected.saturating_sub(1), Ordering::Relaxed);
    }

    /// The members change. The caller has the lock.
    fn renew(&self) {
        // Relaxed: the lock orders it.
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
    }

    fn refill_at(&self) -> u64 {
        (self.capacity - self.capacity / 4) as u64
    }

    /// Nobody can join any more.
    pub fn close_to_new(&self) {
        self.state.lock().is_closed = true;
        self.producer.wake();
    }

    /// How many members there are.
    #[must_use]
    pub fn n_members(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Returns whether there are no members, and never will be.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let state = self.state.lock();
        state.is_closed && state.members.is_empty()
    }
}

// By hand, because the items need not be `Clone`.
impl<T> Clone for Member<T> {
    fn clone(&self) -> Self {
        Self { mailbox: Arc::clone(&self.mailbox), listener: Arc::clone(&self.listener) }
    }
}

impl<T> Member<T> {
    /// The member's queue.
    #[must_use]
    pub fn mailbox(&self) -> &Arc<Mailbox<T>> {
        &self.mailbox
    }

    /// Woken when there is something in the mailbox.
    pub fn set_listener(&self, listener: Arc<dyn Wake>) {
        self.listener.set(listener);
    }
}

impl<T> fmt::Debug for Broadcast<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("mailbox", &self.mailbox).finish_non_exhaustive()
    }
}
