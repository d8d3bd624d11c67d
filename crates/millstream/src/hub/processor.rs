//! `processor`: a queue whose ends are a subscriber and a publisher.

use std::sync::Arc;

use millstream_kernel::{Gate, InlineForOne, Listener};
use reactive_streams::{Error, Processor, Publisher, Subscriber, Subscription};

use crate::{
    Flow,
    parts::inlet::{Entrance, Inlet, InletSubscriber, inlet},
};

/// A processor that passes items on through a queue, for a publisher and a subscriber that do not
/// know of each other.
///
/// # Demand
///
/// Starts with the downstream's first request: then `capacity` items are asked for, and three
/// quarters of that again whenever as many were passed on. Up to `capacity` items wait.
///
/// # Termination
///
/// Completes and fails with the source, after the items that wait; fails with an error of kind
/// `Disconnected` if the subscriber end is dropped without an end. A cancel, or the drop of the
/// publisher end, cancels the source.
///
/// # Panics
///
/// If `capacity` is 0.
///
/// # Examples
///
/// ```
/// use millstream::{Processor, hub};
///
/// let (subscriber, flow) = hub::processor(2).split();
/// let outcome = flow.collect::<Vec<_>>();
/// millstream::range(0..5).subscribe(subscriber);
/// assert_eq!(outcome.wait()?, [0, 1, 2, 3, 4]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn processor<T: Send + 'static>(capacity: usize) -> QueueProcessor<T> {
    let (entrance, inlet) = inlet(capacity);
    QueueProcessor { entrance, inlet }
}

/// Processor returned by [`processor`].
#[must_use = "a processor does nothing before it is split and its ends are used"]
pub struct QueueProcessor<T> {
    entrance: Entrance<T>,
    inlet: Inlet<T>,
}

/// The end of a [`processor`] that receives.
pub struct QueueSubscriber<T>(InletSubscriber<T, Arc<Listener>>);

/// The end of a [`processor`] that sends.
#[must_use = "publishers do nothing until subscribed to, and dropping this one cancels its source"]
pub struct QueuePublisher<T> {
    /// `None` once subscribed to.
    inlet: Option<Inlet<T>>,
    listener: Arc<Listener>,
}

impl<T: Send + 'static> Processor<T> for QueueProcessor<T> {
    type Item = T;
    type Subscriber = QueueSubscriber<T>;
    type Publisher = Flow<QueuePublisher<T>>;

    fn split(self) -> (QueueSubscriber<T>, Flow<QueuePublisher<T>>) {
        let listener = Arc::new(Listener::new());
        let subscriber = QueueSubscriber(self.entrance.subscriber(Arc::clone(&listener)));
        (subscriber, Flow { source: QueuePublisher { inlet: Some(self.inlet), listener } })
    }
}

impl<T: Send + 'static> Subscriber<T> for QueueSubscriber<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0.on_subscribe(subscription);
    }

    fn on_next(&mut self, item: T) {
        self.0.on_next(item);
    }

    fn on_error(self, error: Error) {
        self.0.on_error(error);
    }

    fn on_complete(self) {
        self.0.on_complete();
    }
}

impl<T: Send + 'static> Publisher for QueuePublisher<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(mut self, downstream: S) {
        let Some(inlet) = self.inlet.take() else { return };
        self.listener.set(Gate::start_with(|_| (inlet, downstream, InlineForOne)));
    }
}

impl<T> Drop for QueuePublisher<T> {
    fn drop(&mut self) {
        if let Some(inlet) = &self.inlet {
            inlet.cancel();
        }
    }
}

opaque_debug!(QueueProcessor<T>);
opaque_debug!(QueueSubscriber<T>);
backpressure!(source QueuePublisher<T>);
opaque_debug!(QueuePublisher<T>);
