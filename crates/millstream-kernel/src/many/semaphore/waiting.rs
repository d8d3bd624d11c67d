//! The tasks that wait for a semaphore's permit, or for its close.
//!
//! The invariants are those of [`Semaphore`].

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{ACQUIRED, AcquireError, CLOSED, Permit, Semaphore, TryAcquireError, WAITING};
use crate::sync::{Ordering, fence};

/// The tasks that wait, for a permit or for the close.
#[derive(Default)]
pub(super) struct Waiters {
    entries: Vec<Option<Entry>>,
    vacant: Vec<usize>,
    /// Those that wait for a permit, the first at the front.
    pub(super) line: VecDeque<usize>,
}

struct Entry {
    /// Taken by the thread that wakes the task.
    waker: Option<Waker>,
    has_permit: bool,
}

/// Future returned by [`Semaphore::acquire`]. Dropping it gives up the task's place in line.
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<'a>(Waiter<'a>);

/// Future returned by [`Semaphore::closed`].
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a>(Waiter<'a>);

/// A task's registration, which the drop of this removes.
pub(super) struct Waiter<'a> {
    semaphore: &'a Semaphore,
    entry: Option<usize>,
}

impl Semaphore {
    /// Gets in line unless the word allows an answer. The caller holds the lock.
    fn enqueue(&self) -> Result<(), TryAcquireError> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (answer, next) = if word & CLOSED != 0 {
                return Err(TryAcquireError::Closed);
            } else if word & ACQUIRED == self.limit {
                (Err(TryAcquireError::NoPermits), word | WAITING)
            } else {
                (Ok(()), word + 1)
            };
            // Acquire: invariant 4.
            match self.word.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return answer,
                Err(current) => word = current,
            }
        }
    }
}

impl Waiters {
    /// Takes the wakers of all tasks.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        self.entries.iter_mut().flatten().filter_map(|entry| entry.waker.take()).collect()
    }

    fn insert(&mut self, waker: Option<Waker>) -> usize {
        let entry = Some(Entry { waker, has_permit: false });
        if let Some(index) = self.vacant.pop() {
            self.entries[index] = entry;
            return index;
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Grants the task a permit; returns its waker.
    pub(super) fn grant(&mut self, index: usize) -> Option<Waker> {
        self.entries[index].as_mut().and_then(|entry| {
            entry.has_permit = true;
            entry.waker.take()
        })
    }

    /// Stores `waker` for the task, and leaves the former one in its place.
    fn renew(&mut self, index: usize, waker: &mut Option<Waker>) {
        if let Some(entry) = &mut self.entries[index] {
            std::mem::swap(&mut entry.waker, waker);
        }
    }

    fn remove(&mut self, index: usize) -> Option<Entry> {
        self.vacant.push(index);
        self.entries[index].take()
    }
}

impl<'a> Acquire<'a> {
    pub(super) fn new(waiter: Waiter<'a>) -> Self {
        Self(waiter)
    }
}

impl<'a> Closed<'a> {
    pub(super) fn new(waiter: Waiter<'a>) -> Self {
        Self(waiter)
    }
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<Permit<'a>, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let semaphore = self.0.semaphore;
        self.0.poll_acquire(cx).map_ok(|()| Permit(semaphore))
    }
}

impl Future for Closed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(cx)
    }
}

impl<'a> Waiter<'a> {
    pub(super) fn new(semaphore: &'a Semaphore) -> Self {
        Self { semaphore, entry: None }
    }

    fn poll_acquire(&mut self, cx: &Context<'_>) -> Poll<Result<(), AcquireError>> {
        if self.semaphore.is_closed() {
            return Poll::Ready(Err(AcquireError));
        }
        if self.entry.is_none() && self.semaphore.try_acquire_raw().is_ok() {
            return Poll::Ready(Ok(()));
        }
        let mut waker = Some(cx.waker().clone());
        let mut removed = None;
        let mut waiters = self.semaphore.waiters.lock();
        let answer = match self.entry {
            None => match self.semaphore.enqueue() {
                Ok(()) => Poll::Ready(Ok(())),
                Err(TryAcquireError::Closed) => Poll::Ready(Err(AcquireError)),
                Err(TryAcquireError::NoPermits) => {
                    let index = waiters.insert(waker.take());
                    self.entry = Some(index);
                    waiters.line.push_back(index);
                    Poll::Pending
                }
            },
            Some(index)
                if waiters.entries[index].as_ref().is_some_and(|entry| entry.has_permit) =>
            {
                removed = waiters.remove(index);
                self.entry = None;
                Poll::Ready(Ok(()))
            }
            Some(index) => {
                waiters.renew(index, &mut waker);
                Poll::Pending
            }
        };
        // Invariant 6: dropped after the lock.
        drop(waiters);
        drop((waker, removed));
        if answer.is_pending() {
            // The batch release's invariant 2: announced above. A permit that is handed to this
            // task wakes it.
            fence(Ordering::SeqCst);
            self.semaphore.collect();
        }
        if answer.is_pending() && self.semaphore.is_closed() {
            // Invariant 5: `close` takes the lock after it has closed.
            return Poll::Ready(Err(AcquireError));
        }
        answer
    }

    fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.semaphore.is_closed() {
            return Poll::Ready(());
        }
        let mut waker = Some(cx.waker().clone());
        let mut waiters = self.semaphore.waiters.lock();
        match self.entry {
            None => self.entry = Some(waiters.insert(waker.take())),
            Some(index) => waiters.renew(index, &mut waker),
        }
        drop(waiters);
        drop(waker);
        // Invariant 5: `close` takes the lock after it has closed.
        match self.semaphore.is_closed() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let removed = {
            let mut waiters = self.semaphore.waiters.lock();
            let n_before = waiters.line.len();
            waiters.line.retain(|&waiting| waiting != index);
            if waiters.line.len() < n_before {
                self.semaphore.clear_waiting(&waiters);
            }
            waiters.remove(index)
        };
        // Invariant 3: the task was handed a permit and has not seen it.
        if removed.is_some_and(|entry| entry.has_permit) {
            self.semaphore.release();
        }
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

impl fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}
