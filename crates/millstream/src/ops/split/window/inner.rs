//! Shared: a flow that an operator hands out, and fills item by item.
//!
//! The operator holds the [`Feed`], the end that pushes; the [`Inner`] is a publisher for one
//! subscriber, who may be on another thread, come late, or never.
//! It tells the operator of places that are free again, and of its own end, by waking it: the
//! operator's gate, which then looks.
//!
//! # Invariants
//!
//! 1. At most `capacity` items wait that were not taken.
//! 2. The operator is woken whenever three quarters of `ahead` items were taken.
//!    So one that stopped because `ahead` of them waited, or more, is woken before the last of
//!    these is taken.
//! 3. An operator that was woken by the end of its flow finds the feed closed.

use std::sync::Arc;

use millstream_kernel::{Capacity, End, Listener, Prefetch, Wake, spsc};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded,
    parts::outlet::{Keeper, Outlet},
};

/// The operator's end. Dropped without an [`end`](Self::end), it fails its flow.
pub(crate) struct Feed<T> {
    /// `None` once the end was given.
    queue: Option<spsc::Producer<T>>,
    capacity: usize,
    listener: Arc<Listener>,
}

/// The subscriber's end. Dropped, it closes the feed.
pub(crate) struct Inner<T> {
    outlet: Outlet<T, Operator>,
    listener: Arc<Listener>,
}

/// A flow in which at most `capacity` items wait; `operator` is woken when places among the first
/// `ahead` are free again, and when nobody will take an item any more.
///
/// # Panics
///
/// Unless both lie in `1..=Capacity::MAX`.
pub(crate) fn inner<T: Send + 'static>(
    capacity: usize,
    ahead: usize,
    operator: Arc<dyn Wake>,
) -> (Feed<T>, Inner<T>) {
    let (producer, consumer) = spsc::bounded(Capacity::of(capacity));
    let places = Prefetch::new(Capacity::of(ahead));
    let listener = Arc::new(Listener::new());
    let outlet = Outlet::new(consumer, Operator { gate: operator, places });
    let feed = Feed { queue: Some(producer), capacity, listener: Arc::clone(&listener) };
    (feed, Inner { outlet, listener })
}

impl<T> Feed<T> {
    /// Appends an item. Its subscriber hears of it by [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no place for it.
    #[inline]
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        match &mut self.queue {
            Some(queue) => queue.push(item).map_err(|rejected| rejected.0),
            None => Err(item),
        }
    }

    /// Tells the subscriber of what was pushed, which may take it at once, on this thread.
    #[inline]
    pub(crate) fn flush(&self) {
        self.listener.wake();
    }

    /// How many items wait.
    #[inline]
    pub(crate) fn n_waiting(&mut self) -> usize {
        self.queue.as_mut().map_or(0, spsc::Producer::n_queued)
    }

    /// Appends an item for which there is room, and drops it if nobody will take it.
    pub(crate) fn give(&mut self, item: T) {
        let rejected = if self.is_closed() { Some(item) } else { self.push(item).err() };
        drop(rejected);
    }

    /// Whether an item may be given: there is a place, or nobody who takes.
    pub(crate) fn has_room(&mut self) -> bool {
        let has_place = self.n_waiting() < self.capacity && self.queue.is_some();
        has_place || self.is_closed()
    }

    /// Whether nobody will take an item any more: the subscriber has canceled, or the flow was
    /// dropped.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.as_ref().is_none_or(spsc::Producer::is_abandoned)
    }

    /// Ends the flow, after the items that were pushed.
    pub(crate) fn end(mut self, end: End) {
        if let Some(queue) = self.queue.take() {
            queue.close(end);
        }
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        // Closes the queue, if that was not done before.
        self.queue = None;
        self.listener.wake();
    }
}

impl<T: Send + 'static> Inner<T> {
    pub(crate) fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.outlet.subscribe(&self.listener, downstream);
    }
}

/// Some consecutive items of a flow: see [`Flow::window`](crate::Flow::window) and
/// [`Flow::window_timeout`](crate::Flow::window_timeout).
///
/// It serves one subscriber, who may come at any time and from any thread, and who is signaled on
/// the thread that requests or on that of the source. Dropped, it is canceled.
#[must_use = "publishers do nothing until subscribed to, and the items of one that is dropped are lost"]
pub struct Window<T> {
    pub(super) inner: Inner<T>,
    pub(super) n: usize,
}

impl<T: Send + 'static> Publisher for Window<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.inner.subscribe(downstream);
    }
}

impl<T> Backpressure for Window<T> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        self.n as u64
    }
}

impl<T> Bounded for Window<T> {}
opaque_debug!(Window<T>);

/// Wakes the operator.
struct Operator {
    gate: Arc<dyn Wake>,
    /// Counts what was taken since it was last woken for that.
    places: Prefetch,
}

impl Keeper for Operator {
    fn dropped() -> End {
        let message = "the flow of flows that this one belongs to has failed";
        End::Failed(Error::new(ErrorKind::Disconnected, message))
    }

    #[inline]
    fn taken(&mut self) {
        if self.places.consume(1).is_some() {
            self.gate.wake();
        }
    }

    fn closed(&mut self) {
        self.gate.wake();
    }
}
