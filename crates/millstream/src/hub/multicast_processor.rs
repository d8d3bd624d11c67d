//! `multicast_processor`: a hub with many subscribers whose producer is a subscriber.

use std::{sync::Arc, time::Duration};

use millstream_kernel::{
    Deferred, Gate, InlineForOne,
    broadcast::{self, Broadcast, Mailbox, WhenFull},
};
use reactive_streams::{Error, Processor, Publisher, Subscriber, Subscription};

use super::Replay;
use crate::{
    Flow,
    parts::{
        inlet::{check_bound, check_capacity},
        junction::{Junction, JunctionSubscriber, MailboxSource},
    },
    scheduler::Worker,
};

/// A processor that passes items on to all who are subscribed to its publisher end, which can be
/// cloned; who comes later gets the last items that `replay` names first, if any.
///
/// # Demand
///
/// Starts with the first request of any subscriber. The slowest subscriber holds back all: the
/// source is asked for as many items as the fullest queue, of `capacity` items, has places for,
/// less those that are on their way. What is replayed waits in addition. While nobody is
/// subscribed, nothing is asked for, and what is still on its way is kept for replay, or dropped.
///
/// # Termination
///
/// All subscribers complete and fail with the source, after the items that wait for them, and so do
/// those who come later; with an error of kind `Disconnected` if the subscriber end is dropped
/// without an end. The source is canceled when there is no subscriber and no clone of the publisher
/// end.
///
/// # Panics
///
/// If `capacity`, or the number of items that are kept, is 0.
///
/// # Examples
///
/// ```
/// use millstream::{Processor, hub};
///
/// let (subscriber, flow) = hub::multicast_processor(2, None).split();
/// let (sum, n) = (flow.clone().fold(0, |sum, n| sum + n), flow.count());
/// millstream::range(0..5).subscribe(subscriber);
/// assert_eq!((sum.wait()?, n.wait()?), (10, 5));
/// # Ok::<(), millstream::Error>(())
/// ```
#[track_caller]
pub fn multicast_processor<T: Clone + Send + 'static>(
    capacity: usize,
    replay: Option<Replay>,
) -> MulticastProcessor<T> {
    check_capacity(capacity);
    let (ends, clock) = match replay {
        None => (broadcast::channel(capacity, WhenFull::Wait), None),
        Some(Replay { limit, age }) => {
            check_bound(limit);
            let (max_age, clock) = age.unzip();
            (broadcast::with_replay(capacity, WhenFull::Wait, limit, max_age), clock)
        }
    };
    let (sender, broadcast) = ends;
    MulticastProcessor {
        sender,
        shared: Arc::new(Shared { broadcast, upstream: Arc::new(Deferred::new()), clock }),
    }
}

/// Processor returned by [`multicast_processor`].
#[must_use = "a processor does nothing before it is split and its ends are used"]
pub struct MulticastProcessor<T> {
    sender: broadcast::Sender<T>,
    shared: Arc<Shared<T>>,
}

/// What the ends share.
struct Shared<T> {
    broadcast: Arc<Broadcast<T>>,
    upstream: Arc<Deferred>,
    clock: Option<Worker>,
}

impl<T> Shared<T> {
    fn now(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, Worker::now)
    }

    fn cancel_if_deserted(&self) {
        if self.broadcast.is_closed() {
            self.upstream.cancel();
        }
    }
}

impl<T> Junction<T> for Arc<Shared<T>> {
    fn broadcast(&self) -> &Broadcast<T> {
        &self.broadcast
    }

    fn upstream(&self) -> &Arc<Deferred> {
        &self.upstream
    }

    fn now(&self) -> Duration {
        Shared::now(self)
    }

    fn leave(&self, mailbox: &Arc<Mailbox<T>>) {
        // The one that left may have been the slowest, or the last.
        if self.broadcast.leave(mailbox) > 0 {
            self.refill(false);
        }
        self.cancel_if_deserted();
    }
}

impl<T: Clone + Send + 'static> Processor<T> for MulticastProcessor<T> {
    type Item = T;
    type Subscriber = MulticastSubscriber<T>;
    type Publisher = Flow<MulticastPublisher<T>>;

    fn split(self) -> (MulticastSubscriber<T>, Flow<MulticastPublisher<T>>) {
        let Self { sender, shared } = self;
        let source = MulticastPublisher(Arc::new(Handle(Arc::clone(&shared))));
        (MulticastSubscriber(JunctionSubscriber::new(sender, shared)), Flow { source })
    }
}

opaque_debug!(MulticastProcessor<T>);

/// The end of a [`multicast_processor`] that receives.
pub struct MulticastSubscriber<T>(JunctionSubscriber<T, Arc<Shared<T>>>);

impl<T: Clone + Send + 'static> Subscriber<T> for MulticastSubscriber<T> {
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

opaque_debug!(MulticastSubscriber<T>);

/// The end of a [`multicast_processor`] that sends. A clone publishes the same.
#[must_use = "publishers do nothing until subscribed to"]
pub struct MulticastPublisher<T>(Arc<Handle<T>>);

/// Dropped with the last publisher end.
struct Handle<T>(Arc<Shared<T>>);

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        self.0.broadcast.close_to_new();
        self.0.cancel_if_deserted();
    }
}

impl<T> Clone for MulticastPublisher<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone + Send + 'static> Publisher for MulticastPublisher<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let shared = &self.0.0;
        // Before `on_subscribe`, so that a cancel from inside that finds the member.
        let member = shared.broadcast.join(shared.now());
        let source = MailboxSource::new(Arc::clone(shared), member.mailbox());
        member.set_listener(Gate::start_with(|_| (source, downstream, InlineForOne)));
    }
}

backpressure!(source MulticastPublisher<T>);
opaque_debug!(MulticastPublisher<T>);
