//! `Receiver`: the end of a queue from which items come.

use std::{collections::VecDeque, fmt, future::poll_fn, sync::Arc, task::Poll};

use parking_lot::Mutex;

use crate::{Codec, Entry, Recovered, Snapshot, SpillError, disk_work::on_disk, log::Log};

/// The end of a queue from which items come, in order. There is one.
///
/// Items that were received and not [acknowledged](Self::acknowledge) are received again after the
/// queue is opened again, or after [`rewind`](Self::rewind).
pub struct Receiver<C: Codec> {
    log: Arc<Log<C>>,
    /// Read and not handed out yet.
    ready: Arc<Ready<C::Item>>,
}

type Ready<T> = Mutex<VecDeque<Result<Entry<T>, SpillError>>>;

/// How many items are read at a time for [`Receiver::recv`].
const BATCH: usize = 64;

impl<C: Codec> Receiver<C> {
    pub(crate) fn new(log: Arc<Log<C>>) -> Self {
        Self { log, ready: Arc::default() }
    }

    /// The next item, once there is one that is safe; `None` if there is none and no sender either.
    /// Reading and decoding happen on the scheduler that the queue was opened with, some items
    /// ahead.
    ///
    /// # Errors
    ///
    /// The item cannot be read. After `Codec` the next call goes on behind it; after any other it
    /// tries again.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no item.
    pub async fn recv(&mut self) -> Result<Option<Entry<C::Item>>, SpillError> {
        loop {
            if let Some(result) = self.ready.lock().pop_front() {
                return result.map(Some);
            }
            let shared = (Arc::clone(&self.log), Arc::clone(&self.ready));
            if on_disk(&self.log.clock, shared, |(log, ready)| fill(log, ready)).await.is_err() {
                return Err(SpillError::Closed);
            }
            if self.ready.lock().is_empty() && !self.news().await {
                return Ok(None);
            }
        }
    }

    /// [`recv`](Self::recv) that reads on this thread, and blocks it.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_blocking(&mut self) -> Result<Option<Entry<C::Item>>, SpillError> {
        loop {
            if let Some(entry) = self.try_recv()? {
                return Ok(Some(entry));
            }
            let mut state = self.log.state.lock();
            while state.position >= state.safe {
                if state.n_senders == 0 && state.next == state.safe {
                    return Ok(None);
                }
                self.log.changed.wait(&mut state);
            }
        }
    }

    /// The next item if there is one that is safe, read on this thread.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Option<Entry<C::Item>>, SpillError> {
        if let Some(result) = self.ready.lock().pop_front() {
            return result.map(Some);
        }
        self.log.read(&mut self.log.receiver.lock())
    }

    /// The items up to this one are done with: returns when that is written, and synced unless the
    /// durability is `Process`. The work is done on the scheduler that the queue was opened with.
    ///
    /// One call for many items costs as much as for one. An item that was not received yet is not
    /// acknowledged.
    ///
    /// # Errors
    ///
    /// The items may be received again once the queue is opened again; a later call may succeed.
    pub async fn acknowledge(&self, sequence: u64) -> Result<(), SpillError> {
        let log = Arc::clone(&self.log);
        let work = move |&next: &u64| log.acknowledge(next);
        match on_disk(&self.log.clock, sequence.saturating_add(1), work).await {
            Ok((_, result)) => result,
            Err(_) => Err(SpillError::Closed),
        }
    }

    /// [`acknowledge`](Self::acknowledge) that works on this thread, and blocks it.
    ///
    /// # Errors
    ///
    /// As [`acknowledge`](Self::acknowledge).
    pub fn acknowledge_blocking(&self, sequence: u64) -> Result<(), SpillError> {
        self.log.acknowledge(sequence.saturating_add(1))
    }

    /// Goes back to the first item that was not acknowledged.
    pub fn rewind(&mut self) {
        let mut half = self.log.receiver.lock();
        self.ready.lock().clear();
        self.log.rewind(&mut half);
    }

    /// A consistent reading of the queue. Items that were read ahead count as delivered.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.log.snapshot()
    }

    /// How many items are safe and wait to be received.
    #[cfg(feature = "queue")]
    pub(crate) fn depth(&self) -> u64 {
        self.log.depth()
    }

    /// What was found when the queue was opened.
    #[must_use]
    pub fn recovered(&self) -> &Recovered {
        &self.log.recovered
    }

    /// Waits until there is an item; whether there will be one.
    async fn news(&self) -> bool {
        poll_fn(|cx| {
            let mut state = self.log.state.lock();
            if state.position < state.safe {
                return Poll::Ready(true);
            }
            if state.n_senders == 0 && state.next == state.safe {
                return Poll::Ready(false);
            }
            if !state.news.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.news.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

/// Reads some items ahead.
fn fill<C: Codec>(log: &Log<C>, ready: &Ready<C::Item>) {
    let mut half = log.receiver.lock();
    for _ in 0..BATCH {
        let read = log.read(&mut half);
        let is_last = !matches!(read, Ok(Some(_)));
        if let Some(result) = read.transpose() {
            ready.lock().push_back(result);
        }
        if is_last {
            return;
        }
    }
}

impl<C: Codec> Drop for Receiver<C> {
    fn drop(&mut self) {
        let is_last = {
            let mut state = self.log.state.lock();
            state.is_receiver_gone = true;
            state.n_senders == 0
        };
        self.log.announce_room();
        if is_last {
            self.log.close();
        }
    }
}

impl<C: Codec> fmt::Debug for Receiver<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
