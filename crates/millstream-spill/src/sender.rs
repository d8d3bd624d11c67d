//! `Sender`: the end of a queue into which items go.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
};

use crate::{
    Codec, Recovered, Rejected, Snapshot, SpillError, WhenFull,
    disk_work::{on_disk, schedule_commit},
    log::{Appended, Due, Log, state::Verdict},
};

/// The end of a queue into which items go. A clone sends to the same queue, and each sender's items
/// stay in the order in which it sent them.
///
/// A method that returns `Ok` has made the item safe, as [`Durability`](crate::Durability) says.
/// One that returns [`Rejected`] gives the item back; after a failed sync it may be received
/// nevertheless, if the process ends before the queue could cut it off.
pub struct Sender<C: Codec>(Arc<Log<C>>);

impl<C: Codec> Sender<C> {
    /// For the one sender that the queue counts when it is opened.
    pub(crate) fn first(log: Arc<Log<C>>) -> Self {
        Self(log)
    }

    /// Sends an item, and waits until it is safe; before that, for room, if the policy is to wait.
    /// Encoding and writing happen on the scheduler that the queue was opened with.
    ///
    /// # Errors
    ///
    /// Gives the item back with the reason: the disk failed or is full, the item is too large, the
    /// queue is at its ceiling, the receiver is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it may have sent the item or not.
    pub async fn send(&self, item: C::Item) -> Result<Sent, Rejected<C::Item>> {
        let mut item = item;
        loop {
            let n_room = match self.look_at_room() {
                Ok(n_room) => n_room,
                Err(error) => return Err(Rejected { item, error }),
            };
            let log = Arc::clone(&self.0);
            let appended = match on_disk(&self.0.clock, item, move |item| log.append(item)).await {
                Ok((same, appended)) => {
                    item = same;
                    appended
                }
                Err(item) => return Err(Rejected { item, error: SpillError::Closed }),
            };
            match appended {
                Ok(Appended::Safe(sequence)) => return Ok(Sent::Safe(sequence)),
                Ok(Appended::Dropped) => return Ok(Sent::Dropped),
                Ok(Appended::Written(sequence, verdict, due)) => {
                    self.schedule_if_due(due);
                    return outcome(item, sequence, verdict.await);
                }
                Err(SpillError::Full) if self.0.config.when_full == WhenFull::Wait => {
                    self.room(n_room).await;
                }
                Err(error) => return Err(Rejected { item, error }),
            }
        }
    }

    /// [`send`](Self::send) that does the disk's work on this thread, and blocks it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_blocking(&self, item: C::Item) -> Result<Sent, Rejected<C::Item>> {
        loop {
            let n_room = match self.look_at_room() {
                Ok(n_room) => n_room,
                Err(error) => return Err(Rejected { item, error }),
            };
            match self.0.append(&item) {
                Ok(Appended::Safe(sequence)) => return Ok(Sent::Safe(sequence)),
                Ok(Appended::Dropped) => return Ok(Sent::Dropped),
                Ok(Appended::Written(sequence, verdict, due)) => {
                    self.commit_if_due(due);
                    return outcome(item, sequence, pollster::block_on(verdict));
                }
                Err(SpillError::Full) if self.0.config.when_full == WhenFull::Wait => {
                    self.wait_for_room(n_room);
                }
                Err(error) => return Err(Rejected { item, error }),
            }
        }
    }

    /// Sends many items with as few writes and syncs as possible, does the disk's work on this
    /// thread, and blocks it until all are safe.
    ///
    /// # Errors
    ///
    /// Gives back the items from the first that is not safe.
    pub fn send_all_blocking(
        &self,
        items: impl IntoIterator<Item = C::Item>,
    ) -> Result<(), Rejected<VecDeque<C::Item>>> {
        let mut items: VecDeque<_> = items.into_iter().collect();
        while !items.is_empty() {
            let n_room = match self.look_at_room() {
                Ok(n_room) => n_room,
                Err(error) => return Err(Rejected { item: items, error }),
            };
            let batch = self.0.append_all(&mut items);
            if let Some((verdict, due)) = batch.wait {
                // Full, or all is written: nothing else is going to make it safe soon.
                self.commit_if_due(if batch.failure.is_some() { Due::Now } else { due });
                match pollster::block_on(verdict) {
                    Some(Ok(())) => drop(items.drain(..batch.n_written as usize)),
                    Some(Err((error, safe))) => {
                        let n_safe = safe.saturating_sub(batch.first).min(batch.n_written);
                        drop(items.drain(..n_safe as usize));
                        return Err(Rejected { item: items, error });
                    }
                    None => return Err(Rejected { item: items, error: SpillError::Closed }),
                }
            }
            match batch.failure {
                None => {}
                Some(SpillError::Full) if self.0.config.when_full == WhenFull::Wait => {
                    self.wait_for_room(n_room);
                }
                Some(error) => return Err(Rejected { item: items, error }),
            }
        }
        Ok(())
    }

    /// A consistent reading of the queue.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    /// What was found when the queue was opened.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.0.recovered
    }

    /// How often there was room so far, to be compared before waiting for more.
    fn look_at_room(&self) -> Result<u64, SpillError> {
        let state = self.0.state.lock();
        if state.is_receiver_gone { Err(SpillError::Closed) } else { Ok(state.n_room) }
    }

    fn commit_if_due(&self, due: Due) {
        match due {
            // Those who wait, this thread among them, are told of a failure.
            Due::Now => drop(self.0.commit()),
            due => self.schedule_if_due(due),
        }
    }

    fn schedule_if_due(&self, due: Due) {
        match due {
            Due::Now => schedule_commit(&self.0, None),
            Due::After(time) => schedule_commit(&self.0, Some(time)),
            Due::Scheduled => {}
        }
    }

    fn wait_for_room(&self, n_before: u64) {
        let mut state = self.0.state.lock();
        while state.n_room == n_before && !state.is_receiver_gone {
            self.0.changed.wait(&mut state);
        }
    }

    async fn room(&self, n_before: u64) {
        poll_fn(|cx| {
            let mut state = self.0.state.lock();
            if state.n_room != n_before || state.is_receiver_gone {
                return Poll::Ready(());
            }
            if !state.room.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.room.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

fn outcome<T>(item: T, sequence: u64, verdict: Option<Verdict>) -> Result<Sent, Rejected<T>> {
    match verdict {
        Some(Ok(())) => Ok(Sent::Safe(sequence)),
        Some(Err((error, _))) => Err(Rejected { item, error }),
        None => Err(Rejected { item, error: SpillError::Closed }),
    }
}

/// What became of an item that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is safe, and has this number.
    Safe(u64),
    /// There was no room, and [`WhenFull::DropNewest`] dropped it.
    Dropped,
}

impl<C: Codec> Clone for Sender<C> {
    fn clone(&self) -> Self {
        self.0.state.lock().n_senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<C: Codec> Drop for Sender<C> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.n_senders -= 1;
        if state.n_senders == 0 {
            let wakers = std::mem::take(&mut state.news);
            let is_last = state.is_receiver_gone;
            drop(state);
            self.0.changed.notify_all();
            wakers.into_iter().for_each(Waker::wake);
            if is_last {
                self.0.close();
            }
        }
    }
}

impl<C: Codec> fmt::Debug for Sender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
