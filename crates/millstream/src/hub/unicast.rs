//! `unicast`: from one producer to one subscriber.
//!
//! A queue from one thread to another, a [`Semaphore`] that bounds it and in which the producer
//! waits, and a [`Listener`] through which the producer wakes a subscriber that may come later.

use std::sync::Arc;

use millstream_kernel::{
    AcquireError, BatchRelease, Capacity, End, Listener, Semaphore, TryAcquireError, Wake, spsc,
};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use super::{
    Closed, SendError, TrySendError,
    blocking::try_for_a_while,
    signal_on::{Queued, Sealed},
};
use crate::{
    Flow,
    parts::outlet::{Keeper, Outlet, signal_on},
    scheduler::Worker,
};

/// A producer, and the flow of what it sends.
///
/// Items may be sent before the flow is subscribed to; up to `capacity` of them wait.
///
/// # Demand
///
/// The producer never sees it: items that were not asked for wait in a queue of exactly `capacity`
/// items, and when that is full, [`try_send`](Producer::try_send) gives the item back and
/// [`send`](Producer::send) waits, until a quarter of the queue was taken, or there is no item or no demand
/// left. The subscriber is signaled on the thread that sends or on the one that requests, whichever
/// makes an item due; with [`signal_on`](crate::Flow::signal_on), on a worker.
///
/// # Termination
///
/// Completes and fails as the producer says, after the items that were sent. Fails with an error of
/// kind `Disconnected` if the producer is dropped without either.
/// A cancel, or the drop of the flow, closes the producer and drops the items that wait.
///
/// # Panics
///
/// Unless `capacity` lies in `1..=16_777_216`.
///
/// # Examples
///
/// ```
/// use millstream::hub::{self, TrySendError};
///
/// let (mut producer, flow) = hub::unicast(2);
/// producer.try_send('a')?;
/// producer.try_send('b')?;
/// assert_eq!(producer.try_send('c'), Err(TrySendError::Full('c')));
/// producer.complete();
///
/// assert_eq!(flow.collect::<Vec<_>>().wait()?, ['a', 'b']);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "sink")]
#[doc(alias = "channel")]
#[track_caller]
pub fn unicast<T: Send + 'static>(capacity: usize) -> (Producer<T>, Flow<Unicast<T>>) {
    let (queue, consumer) = spsc::bounded(Capacity::of(capacity));
    let (permits, release) = Semaphore::with_batch_release(capacity);
    let listener = Arc::new(Listener::new());
    let outlet = Outlet::new(consumer, Places(release));
    let flow = Flow { source: Unicast { outlet, listener: Arc::clone(&listener) } };
    (Producer { queue: Some(queue), permits, listener }, flow)
}

/// The end of a [`unicast`] hub that sends. There is one: its methods take `&mut self`.
///
/// Dropping it fails the stream with an error of kind `Disconnected`; see
/// [`complete`](Self::complete) and [`fail`](Self::fail).
#[must_use = "dropping the producer fails its stream"]
pub struct Producer<T> {
    /// `None` once the end was given.
    queue: Option<spsc::Producer<T>>,
    permits: Arc<Semaphore>,
    listener: Arc<Listener>,
}

impl<T> Producer<T> {
    /// Sends `item` if there is a place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back: `Full` if `capacity` items wait, `Closed` if the subscriber has
    /// canceled.
    pub fn try_send(&mut self, item: T) -> Result<(), TrySendError<T>> {
        match self.permits.try_acquire() {
            Ok(permit) => {
                push(permit, &mut self.queue, &self.listener, item).map_err(TrySendError::Closed)
            }
            Err(TryAcquireError::NoPermits) => Err(TrySendError::Full(item)),
            Err(TryAcquireError::Closed) => Err(TrySendError::Closed(item)),
        }
    }

    /// Sends `item` as soon as there is a place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back if the subscriber has canceled, or cancels while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the item, and drops it.
    /// To keep the item, wait with
    /// [`reserve`](Self::reserve).
    pub async fn send(&mut self, item: T) -> Result<(), SendError<T>> {
        match self.reserve().await {
            Ok(permit) => permit.send(item),
            Err(Closed) => Err(SendError(item)),
        }
    }

    /// Waits for a place, to be filled by [`Permit::send`].
    ///
    /// # Errors
    ///
    /// If the subscriber has canceled, or cancels while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no place.
    pub async fn reserve(&mut self) -> Result<Permit<'_, T>, Closed> {
        let Self { queue, permits, listener } = self;
        let permit = permits.acquire().await.map_err(|AcquireError| Closed)?;
        Ok(Permit { queue, listener, permit })
    }

    /// [`send`](Self::send) that blocks this thread while it waits: it looks again for some
    /// microseconds, and then sleeps.
    ///
    /// Not for async code, and not for the thread that is to make the demand.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_blocking(&mut self, item: T) -> Result<(), SendError<T>> {
        try_for_a_while(item, |item| self.try_send(item))
            .unwrap_or_else(|item| pollster::block_on(self.send(item)))
    }

    /// Completes the stream, after the items that were sent.
    pub fn complete(mut self) {
        self.end(End::Complete);
    }

    /// Fails the stream, after the items that were sent.
    pub fn fail(mut self, error: Error) {
        self.end(End::Failed(error));
    }

    /// Whether the subscriber has canceled, or the flow was dropped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    /// Waits until the subscriber cancels, or the flow is dropped.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn closed(&mut self) {
        self.permits.closed().await;
    }

    fn end(&mut self, end: End) {
        if let Some(queue) = self.queue.take() {
            queue.close(end);
            self.listener.wake();
        }
    }
}

/// Appends an item, for which there is a place since there is a permit.
#[inline]
fn push<T>(
    permit: millstream_kernel::Permit<'_>,
    queue: &mut Option<spsc::Producer<T>>,
    listener: &Listener,
    item: T,
) -> Result<(), T> {
    let Some(queue) = queue.as_mut().filter(|_| !permit.is_closed()) else { return Err(item) };
    // The outlet releases it.
    permit.forget();
    let pushed = queue.push(item);
    listener.wake_for_item();
    pushed.map_err(|rejected| rejected.0)
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.end(disconnected());
    }
}

opaque_debug!(Producer<T>);

/// How a stream ends whose producer was dropped.
pub(super) fn disconnected() -> End {
    End::Failed(Error::new(
        ErrorKind::Disconnected,
        "the producer was dropped: end a stream with `complete` or `fail`",
    ))
}

/// A place for one item. Dropping it frees the place.
#[must_use = "dropping a permit frees its place"]
pub struct Permit<'a, T> {
    queue: &'a mut Option<spsc::Producer<T>>,
    listener: &'a Listener,
    permit: millstream_kernel::Permit<'a>,
}

impl<T> Permit<'_, T> {
    /// Sends `item`.
    ///
    /// # Errors
    ///
    /// Gives the item back if the subscriber has canceled meanwhile.
    pub fn send(self, item: T) -> Result<(), SendError<T>> {
        push(self.permit, self.queue, self.listener, item).map_err(SendError)
    }
}

impl<T> std::fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Publisher returned by [`unicast`].
#[must_use = "publishers do nothing until subscribed to, and dropping this one closes its producer"]
pub struct Unicast<T> {
    outlet: Outlet<T, Places>,
    listener: Arc<Listener>,
}

impl<T: Send + 'static> Publisher for Unicast<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.outlet.subscribe(&self.listener, downstream);
    }
}

impl<T: Send + 'static> Sealed for Unicast<T> {
    fn signal_on<S: Subscriber<T>>(self, worker: Worker, downstream: S) {
        signal_on(self.outlet, worker, &self.listener, downstream);
    }
}

impl<T: Send + 'static> Queued for Unicast<T> {}

backpressure!(source Unicast<T>);
opaque_debug!(Unicast<T>);

impl<T> Unicast<T> {
    /// Returns the queue, and through whom a gate that empties it is woken.
    pub(crate) fn into_parts(self) -> (Outlet<T, Places>, Arc<Listener>) {
        (self.outlet, self.listener)
    }
}

/// Frees the places of items that were taken.
pub(crate) struct Places(BatchRelease);

impl Keeper for Places {
    fn dropped() -> End {
        disconnected()
    }

    #[inline]
    fn taken(&mut self) {
        self.0.release();
    }

    #[inline]
    fn idle(&mut self) {
        self.0.flush();
    }

    fn closed(&mut self) {
        self.0.close();
    }
}
