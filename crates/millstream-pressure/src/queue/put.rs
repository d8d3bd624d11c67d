//! Putting: at once, after waiting for room, and into a place that was reserved.

use std::{
    fmt,
    future::{Future as _, poll_fn},
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use millstream_kernel::Served;

use super::{Put, Queue, Shared, back, tiers::Entry};
use crate::{Reason, Rejected};

/// A place in a [`Queue`], reserved until it is filled or dropped. Returned by [`Queue::reserve`].
#[must_use = "a place that is dropped is given back"]
pub struct Slot<T: Send + 'static> {
    queue: Queue<T>,
    is_filled: bool,
}

impl<T: Send + 'static> Queue<T> {
    /// Puts an item, or gives it back at once. Never waits.
    ///
    /// `Ok` says that the queue has dealt with the item: a policy that drops may have dropped it,
    /// or another.
    ///
    /// # Errors
    ///
    /// The item, with the reason and, where it is known, when to retry.
    pub fn try_put(&self, item: T) -> Result<(), Rejected<T>> {
        self.put_at_once(self.0.entry(item))
    }

    /// [`try_put`](Self::try_put) of an item that is worth nothing after `time_left`.
    ///
    /// # Errors
    ///
    /// As [`try_put`](Self::try_put).
    pub fn try_put_within(&self, item: T, time_left: Duration) -> Result<(), Rejected<T>> {
        let mut entry = self.0.entry(item);
        entry.deadline = Some(self.0.clock.after(time_left));
        self.put_at_once(entry)
    }

    fn put_at_once(&self, entry: Entry<T>) -> Result<(), Rejected<T>> {
        match self.0.offer(entry) {
            Put::Accepted | Put::Dropped => Ok(()),
            Put::Rejected(rejected) => Err(back(rejected)),
            Put::NoRoom(rejected) => Err(self.0.refuse(rejected)),
        }
    }

    /// Puts an item, and waits for room as long as the configuration says.
    ///
    /// Those who wait are served in order. Dropping the future gives up; the item goes with it, and
    /// was not counted.
    ///
    /// # Errors
    ///
    /// The item, with the reason: [`Timeout`](Reason::Timeout), or another of
    /// [`try_put`](Self::try_put) where the policy does not wait.
    pub async fn put(&self, item: T) -> Result<(), Rejected<T>> {
        let timeout = self.0.state.lock().config.timeout;
        self.put_timeout(item, timeout).await
    }

    /// [`put`](Self::put), waiting no longer than `timeout`; no time at all is [`try_put`](Self::try_put) with
    /// another reason, and [`Duration::MAX`] is for ever.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), Rejected<T>> {
        let mut entry = self.0.entry(item);
        let until = self.0.clock.after(timeout);
        loop {
            let rejected = match self.0.offer(entry) {
                Put::Accepted | Put::Dropped => return Ok(()),
                Put::Rejected(rejected) => return Err(back(rejected)),
                Put::NoRoom(rejected) => rejected,
            };
            entry = rejected.item;
            let started = self.0.clock.now();
            let waited = match rejected.reason {
                Reason::Rate => {
                    let pause = rejected.retry_after.unwrap_or_default();
                    self.pause(self.0.clock.after(pause), until).await
                }
                _ => self.room(entry.weight, until).await,
            };
            self.0.state.lock().blocking.add(self.0.clock.since(started));
            match waited {
                // After a pause it is a matter of room again.
                Ok(None) => {}
                Ok(Some(())) => {
                    let now = self.0.clock.now();
                    self.0.change(|state, served| {
                        let weight = entry.weight;
                        state.fill(entry, weight, now);
                        state.serve_taker(served);
                    });
                    return Ok(());
                }
                Err(reason) => {
                    return Err(self.0.refuse(Rejected::new(entry, reason)));
                }
            }
        }
    }

    /// [`put`](Self::put), for a thread. Not to be called where the queue's scheduler runs its timers.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn put_blocking(&self, item: T) -> Result<(), Rejected<T>> {
        pollster::block_on(self.put(item))
    }

    /// Waits for a place for one item, which is then sure to be taken; weighed when it is put.
    ///
    /// # Errors
    ///
    /// [`Timeout`](Reason::Timeout), or [`Shutdown`](Reason::Shutdown).
    pub async fn reserve(&self) -> Result<Slot<T>, Rejected<()>> {
        let timeout = self.0.state.lock().config.timeout;
        match self.room(0, self.0.clock.after(timeout)).await {
            Ok(_) => Ok(Slot { queue: self.clone(), is_filled: false }),
            Err(reason) => Err(Rejected::new((), reason)),
        }
    }

    /// Reserves a place, if there is one and nobody waits.
    ///
    /// # Errors
    ///
    /// [`Full`](Reason::Full), or [`Shutdown`](Reason::Shutdown).
    pub fn try_reserve(&self) -> Result<Slot<T>, Rejected<()>> {
        let (is_reserved, is_closed, retry_after) = self.0.change(|state, _| {
            let is_reserved = !state.is_closed && state.reserve(0);
            (is_reserved, state.is_closed, state.retry_after())
        });
        match is_reserved {
            true => Ok(Slot { queue: self.clone(), is_filled: false }),
            false if is_closed => Err(Rejected::new((), Reason::Shutdown)),
            false => Err(Rejected { item: (), reason: Reason::Full, retry_after }),
        }
    }

    /// Waits for room. `None` if it was only a pause.
    async fn room(&self, weight: u64, until: Duration) -> Result<Option<()>, Reason> {
        let mut room = RoomWait { shared: &self.0, weight, entry: None };
        let mut timer = pin!(self.0.clock.sleep_until(until));
        poll_fn(|cx| match room.poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Some(()))),
            Poll::Ready(Err(reason)) => Poll::Ready(Err(reason)),
            Poll::Pending => timer.as_mut().poll(cx).map(|_| Err(Reason::Timeout)),
        })
        .await
    }

    /// Waits for a moment, but not longer than `until`.
    async fn pause(&self, moment: Duration, until: Duration) -> Result<Option<()>, Reason> {
        let has_come = self.0.clock.sleep_until(moment.min(until)).await;
        if has_come && moment <= until { Ok(None) } else { Err(Reason::Timeout) }
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Counts an item that goes back to the one who brought it.
    fn refuse(&self, rejected: Rejected<Entry<T>>) -> Rejected<T> {
        let Rejected { item, reason, retry_after } = rejected;
        back(self.state.lock().refuse(item, reason, retry_after))
    }
}

/// A producer's stay in the line for room, which it leaves by the drop of this.
struct RoomWait<'a, T> {
    shared: &'a Shared<T>,
    weight: u64,
    entry: Option<usize>,
}

impl<T: Send + 'static> RoomWait<'_, T> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), Reason>> {
        let mut waker = Some(cx.waker().clone());
        let (weight, entry) = (self.weight, &mut self.entry);
        let (answer, removed) = self.shared.change(|state, _| match *entry {
            Some(index) if state.putters.is_served(index) => {
                *entry = None;
                (Poll::Ready(Ok(())), state.putters.remove(index))
            }
            _ if state.is_closed => (Poll::Ready(Err(Reason::Shutdown)), None),
            Some(index) => {
                state.putters.renew(index, &mut waker);
                (Poll::Pending, None)
            }
            None if state.reserve(weight) => (Poll::Ready(Ok(())), None),
            None => {
                *entry = Some(state.putters.enter(waker.take(), weight, false));
                (Poll::Pending, None)
            }
        });
        // The user's code: after the lock.
        drop((waker, removed));
        answer
    }
}

impl<T> Drop for RoomWait<'_, T> {
    fn drop(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let weight = self.weight;
        let removed = self.shared.change(|state, served: &mut Served| {
            let was_served = state.putters.is_served(index);
            let removed = state.putters.remove(index);
            match was_served {
                true => state.give_back(weight, served),
                false => state.serve_putters(served),
            }
            removed
        });
        drop(removed);
    }
}

impl<T: Send + 'static> Slot<T> {
    /// Fills the place. The item is taken whatever it weighs, and whether or not the queue is still
    /// open.
    pub fn put(mut self, item: T) {
        let entry = self.queue.0.entry(item);
        let now = self.queue.0.clock.now();
        self.is_filled = true;
        self.queue.0.change(|state, served| {
            state.fill(entry, 0, now);
            state.serve_taker(served);
        });
    }
}

impl<T: Send + 'static> Drop for Slot<T> {
    fn drop(&mut self) {
        if !self.is_filled {
            self.queue.0.change(|state, served| state.give_back(0, served));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
