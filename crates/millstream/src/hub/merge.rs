//! `merge`: from any number of producers to one subscriber.
//!
//! As `unicast`, with a queue from many threads to one.
//! The end is an item of the queue, for which it has one place more than its capacity: the first to
//! close the semaphore puts it there.

use std::sync::Arc;

use millstream_kernel::{
    AcquireError, BatchRelease, Capacity, End, Gate, Inline, Listener, Permit, Semaphore, Slot,
    Source, Step, TryAcquireError, Wake, mpsc,
};
use reactive_streams::{Error, Publisher, Subscriber};

use super::{
    Closed, SendError, TrySendError,
    blocking::try_for_a_while,
    signal_on::{Queued, Sealed},
    unicast::disconnected,
};
use crate::{
    Flow,
    parts::outlet::signal_on,
    scheduler::{Worker, spin_wait::pause},
};

/// A sender, of which there may be clones, and the flow of what all of them send.
///
/// # Demand
///
/// The senders never see it: items that were not asked for wait in a queue of exactly `capacity`
/// items, however many senders there are. When it is full, [`try_send`](Sender::try_send) gives the
/// item back and [`send`](Sender::send) waits. Senders that wait are served in the order in which
/// they began to, one item each, and are not overtaken by others; they are woken each time a
/// quarter of the queue was taken, and when there is no item or no demand left.
///
/// The subscriber is signaled on the threads that send and on the one that requests; with
/// [`signal_on`](crate::Flow::signal_on), on a worker.
///
/// # Termination
///
/// Completes when every sender has said [`complete`](Sender::complete).
/// Fails as soon as one of them says [`fail`](Sender::fail), after the items that were sent before,
/// and closes the others. Fails with an error of kind `Disconnected` when the last sender is gone
/// and any of them was dropped without either. A cancel, or the drop of the flow, closes the
/// senders and drops the items that wait.
///
/// # Panics
///
/// Unless `capacity` lies in `1..=16_777_216`.
///
/// # Examples
///
/// ```
/// use std::thread;
///
/// use millstream::hub;
///
/// let (sender, flow) = hub::merge(4);
/// let workers: Vec<_> = (0..3_u64)
///     .map(|n| {
///         let sender = sender.clone();
///         # #[expect(clippy::disallowed_methods, reason = "threads of the user's")]
///         thread::spawn(move || {
///             (0..10).for_each(|i| sender.send_blocking(10 * n + i).unwrap());
///             sender.complete();
///         })
///     })
///     .collect();
/// sender.complete();
///
/// assert_eq!(flow.fold(0, |sum, n| sum + n).wait()?, (0..30).sum::<u64>());
/// # workers.into_iter().for_each(|worker| worker.join().unwrap());
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "mpsc")]
#[doc(alias = "merge_hub")]
#[track_caller]
pub fn merge<T: Send + 'static>(capacity: usize) -> (Sender<T>, Flow<Merge<T>>) {
    let (queue, receiver) = mpsc::bounded(Capacity::of(capacity).and_end());
    let (permits, release) = Semaphore::with_batch_release(capacity);
    let listener = Arc::new(Listener::new());
    let source = MergeSource { queue: receiver, release, next: None };
    let flow = Flow { source: Merge { source, listener: Arc::clone(&listener) } };
    let inside = Arc::new(Inside { queue, permits, listener, intact: Slot::new(()) });
    (Sender { inside, is_done: false }, flow)
}

/// An end of a [`merge`] hub that sends. A clone is another one, and the bound stays what it was.
///
/// Dropping it without [`complete`](Self::complete) or [`fail`](Self::fail) makes the stream end
/// with an error of kind `Disconnected` once the last sender is gone.
#[must_use = "dropping a sender fails its stream in the end"]
pub struct Sender<T> {
    inside: Arc<Inside<T>>,
    is_done: bool,
}

/// What the senders share. Dropped with the last of them.
struct Inside<T> {
    queue: mpsc::Sender<Message<T>>,
    permits: Arc<Semaphore>,
    listener: Arc<Listener>,
    /// Taken when a sender is dropped without an end.
    intact: Slot<()>,
}

enum Message<T> {
    Item(T),
    End(End),
}

impl<T> Sender<T> {
    /// Sends `item` if there is a place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back: `Full` if `capacity` items wait, `Closed` if the subscriber has
    /// canceled or another sender has failed the stream.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        match self.inside.permits.try_acquire() {
            Ok(permit) => self.inside.push(permit, item).map_err(TrySendError::Closed),
            Err(TryAcquireError::NoPermits) => Err(TrySendError::Full(item)),
            Err(TryAcquireError::Closed) => Err(TrySendError::Closed(item)),
        }
    }

    /// Sends `item` as soon as there is a place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back if the hub is closed, now or while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the item, and drops it; its place in the line is
    /// lost. To keep the item, wait with [`reserve`](Self::reserve).
    pub async fn send(&self, item: T) -> Result<(), SendError<T>> {
        match self.reserve().await {
            Ok(permit) => permit.send(item),
            Err(Closed) => Err(SendError(item)),
        }
    }

    /// Waits for a place, to be filled by [`SenderPermit::send`].
    /// Until then the place counts as taken.
    ///
    /// # Errors
    ///
    /// If the hub is closed, now or while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no place; its place in the line is lost.
    pub async fn reserve(&self) -> Result<SenderPermit<'_, T>, Closed> {
        let permit = self.inside.permits.acquire().await.map_err(|AcquireError| Closed)?;
        Ok(SenderPermit { sender: self, permit })
    }

    /// [`send`](Self::send) that blocks this thread while it waits: it looks again for some
    /// microseconds, and then sleeps.
    ///
    /// Not for async code, and not for the thread that is to make the demand.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_blocking(&self, item: T) -> Result<(), SendError<T>> {
        try_for_a_while(item, |item| self.try_send(item))
            .unwrap_or_else(|item| pollster::block_on(self.send(item)))
    }

    /// This sender is done. The stream completes when all of them are.
    pub fn complete(mut self) {
        self.is_done = true;
    }

    /// Fails the stream, after the items that were sent before, and closes the other senders. What
    /// they send at the same time may be dropped.
    pub fn fail(mut self, error: Error) {
        self.is_done = true;
        self.inside.end(End::Failed(error));
    }

    /// Whether the subscriber has canceled, the flow was dropped, or a sender has failed the
    /// stream.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inside.permits.is_closed()
    }

    /// Waits until [`is_closed`](Self::is_closed).
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn closed(&self) {
        self.inside.permits.closed().await;
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inside: Arc::clone(&self.inside), is_done: false }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if !self.is_done {
            self.inside.intact.take();
        }
    }
}

opaque_debug!(Sender<T>);

impl<T> Inside<T> {
    /// Fills a place that was taken.
    fn push(&self, permit: Permit<'_>, item: T) -> Result<(), T> {
        if self.permits.is_closed() {
            return Err(item);
        }
        // The outlet releases it, or nobody needs it any more.
        permit.forget();
        let pushed = self.queue.push(Message::Item(item));
        self.listener.wake_for_item();
        pushed.or_else(|rejected| match rejected.0 {
            Message::Item(item) => Err(item),
            Message::End(_) => Ok(()),
        })
    }

    fn end(&self, end: End) {
        if self.permits.close() {
            // The place beyond the capacity is this one's, so that there is room.
            let _has_room = self.queue.push(Message::End(end));
            self.listener.wake();
        }
    }
}

impl<T> Drop for Inside<T> {
    fn drop(&mut self) {
        let is_complete = self.intact.take().is_some();
        self.end(if is_complete { End::Complete } else { disconnected() });
    }
}

/// A place for one item. Dropping it frees the place.
#[must_use = "dropping a permit frees its place"]
pub struct SenderPermit<'a, T> {
    sender: &'a Sender<T>,
    permit: Permit<'a>,
}

impl<T> SenderPermit<'_, T> {
    /// Sends `item`.
    ///
    /// # Errors
    ///
    /// Gives the item back if the hub was closed meanwhile.
    pub fn send(self, item: T) -> Result<(), SendError<T>> {
        self.sender.inside.push(self.permit, item).map_err(SendError)
    }
}

impl<T> std::fmt::Debug for SenderPermit<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SenderPermit").finish_non_exhaustive()
    }
}

/// Publisher returned by [`merge`].
#[must_use = "publishers do nothing until subscribed to, and dropping this one closes its senders"]
pub struct Merge<T> {
    source: MergeSource<T>,
    listener: Arc<Listener>,
}

impl<T: Send + 'static> Publisher for Merge<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let Self { source, listener } = self;
        listener.set(Gate::start_with(|_| (source, downstream, Inline)));
    }
}

impl<T: Send + 'static> Sealed for Merge<T> {
    fn signal_on<S: Subscriber<T>>(self, worker: Worker, downstream: S) {
        signal_on(self.source, worker, &self.listener, downstream);
    }
}

impl<T: Send + 'static> Queued for Merge<T> {}

backpressure!(source Merge<T>);
opaque_debug!(Merge<T>);

/// The end of the queue that takes.
struct MergeSource<T> {
    queue: mpsc::Receiver<Message<T>>,
    release: BatchRelease,
    /// Taken from the queue by a look for the end.
    next: Option<Message<T>>,
}

impl<T: Send + 'static> Source for MergeSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    #[inline]
    fn next(&mut self) -> Step<T> {
        match self.next.take().or_else(|| self.queue.pop()) {
            Some(Message::Item(item)) => {
                self.release.release();
                Step::Item(item)
            }
            Some(Message::End(end)) => Step::End(end),
            None => {
                self.release.flush();
                Step::Pending
            }
        }
    }

    fn pause(&self, n_waited: u32) -> u32 {
        pause(n_waited, self.queue.capacity() as u64)
    }

    fn end(&mut self) -> Option<End> {
        self.release.flush();
        self.next = self.next.take().or_else(|| self.queue.pop());
        match &self.next {
            Some(Message::End(end)) => Some(end.clone()),
            _ => None,
        }
    }
}

impl<T> Drop for MergeSource<T> {
    fn drop(&mut self) {
        self.release.close();
        // The queue drops what waits; an item that crosses this is dropped with the last sender.
    }
}
