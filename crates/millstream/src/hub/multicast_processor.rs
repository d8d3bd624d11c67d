//! `multicast_processor`: a hub with many subscribers whose producer is a subscriber.

use std::{sync::Arc, time::Duration};

use millstream_kernel::{
    Deferred, End, Gate, Inline, Mailbox, Post, Poster, Source, Step, Unposted, WhenFull, post,
    post_with_past,
};
use reactive_streams::{Error, ErrorKind, Processor, Publisher, Subscriber, Subscription};

use super::Replay;
use crate::{Flow, inlet::check_capacity, scheduler::Worker};

/// A processor that passes items on to all who are subscribed to its publisher end, which can be
/// cloned; who comes later gets the last items that `replay` names first, if any.
///
/// # Demand
///
/// Starts with the first request of any subscriber. The slowest subscriber holds back all: the source
/// is asked for as many items as the fullest queue, of `capacity` items, has places for, less those
/// that are on their way. What is replayed waits in addition. While nobody is subscribed, nothing is
/// asked for, and what is still on its way is kept for replay, or dropped.
///
/// # Termination
///
/// All subscribers complete and fail with the source, after the items that wait for them, and so do
/// those who come later; with an error of kind `Disconnected` if the subscriber end is dropped without
/// an end. The source is cancelled when there is no subscriber and no clone of the publisher end.
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
        None => (post(capacity, WhenFull::Wait), None),
        Some(Replay { limit, age }) => {
            check_capacity(limit);
            let (max_age, clock) = age.unzip();
            (post_with_past(capacity, WhenFull::Wait, limit, max_age), clock)
        }
    };
    let (poster, post) = ends;
    MulticastProcessor { poster, line: Arc::new(Line { post, upstream: Deferred::new(), clock }) }
}

/// Processor returned by [`multicast_processor`].
#[must_use = "a processor does nothing before it is split and its ends are used"]
pub struct MulticastProcessor<T> {
    poster: Poster<T>,
    line: Arc<Line<T>>,
}

/// What the ends share.
struct Line<T> {
    post: Arc<Post<T>>,
    upstream: Deferred,
    clock: Option<Worker>,
}

impl<T> Line<T> {
    fn now(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, Worker::now)
    }

    /// Asks the source for what there is room for now.
    fn refill(&self, is_first: bool) {
        let n = self.post.claim(is_first);
        if n > 0 {
            self.upstream.request(n);
        }
    }

    fn cancel_if_deserted(&self) {
        if self.post.is_deserted() {
            self.upstream.cancel();
        }
    }
}

impl<T: Clone + Send + 'static> Processor<T> for MulticastProcessor<T> {
    type Item = T;
    type Subscriber = MulticastSubscriber<T>;
    type Publisher = Flow<MulticastPublisher<T>>;

    fn split(self) -> (MulticastSubscriber<T>, Flow<MulticastPublisher<T>>) {
        let Self { poster, line } = self;
        let source = MulticastPublisher(Arc::new(Handle(Arc::clone(&line))));
        (MulticastSubscriber { poster: Some(poster), line }, Flow { source })
    }
}

opaque_debug!(MulticastProcessor<T>);

/// The end of a [`multicast_processor`] that receives.
pub struct MulticastSubscriber<T> {
    /// `None` after the end.
    poster: Option<Poster<T>>,
    line: Arc<Line<T>>,
}

impl<T> MulticastSubscriber<T> {
    fn end(&mut self, end: End) {
        if let Some(poster) = self.poster.take() {
            // First, so that the subscribers that leave now do not cancel what has ended (rule 2.3).
            self.line.upstream.finish();
            poster.end(end);
        }
    }
}

impl<T: Clone + Send + 'static> Subscriber<T> for MulticastSubscriber<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.line.upstream.set(subscription);
    }

    fn on_next(&mut self, item: T) {
        let Some(poster) = &mut self.poster else { return };
        match poster.emit(item, self.line.now()) {
            // Without subscribers it is dropped.
            Ok(_) | Err(Unposted::Nobody(_) | Unposted::Deserted(_)) => {}
            Err(Unposted::Full(item)) => {
                drop(item);
                self.line.upstream.cancel();
                self.end(End::Failed(Error::new(
                    ErrorKind::Overflow,
                    "the publisher sent more items than were requested (rule 1.1)",
                )));
            }
        }
    }

    fn on_error(mut self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.end(End::Complete);
    }
}

impl<T> Drop for MulticastSubscriber<T> {
    fn drop(&mut self) {
        self.end(End::Failed(Error::new(
            ErrorKind::Disconnected,
            "the publisher dropped its subscriber without a terminal signal",
        )));
    }
}

opaque_debug!(MulticastSubscriber<T>);

/// The end of a [`multicast_processor`] that sends. A clone publishes the same.
#[must_use = "publishers do nothing until subscribed to"]
pub struct MulticastPublisher<T>(Arc<Handle<T>>);

/// Dropped with the last publisher end.
struct Handle<T>(Arc<Line<T>>);

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        self.0.post.desert();
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
        let line = &self.0.0;
        // Before `on_subscribe`, so that a cancel from inside that finds the member.
        let member = line.post.join(line.now());
        let mailbox = Arc::clone(member.mailbox());
        let outlet = Outlet { line: Arc::clone(line), mailbox, is_started: false };
        member.set_listener(Gate::start_with(|_| (outlet, downstream, Inline)));
    }
}

backpressure!(source MulticastPublisher<T>);
opaque_debug!(MulticastPublisher<T>);

/// The end that takes, of one subscriber.
struct Outlet<T> {
    line: Arc<Line<T>>,
    mailbox: Arc<Mailbox<T>>,
    is_started: bool,
}

impl<T: Send + 'static> Source for Outlet<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<T> {
        let Self { line, mailbox, is_started } = self;
        if !std::mem::replace(is_started, true) {
            line.refill(true);
        }
        let (step, may_claim) = line.post.pop_claimed(mailbox);
        if may_claim && !matches!(step, Step::End(_)) {
            line.refill(false);
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        self.mailbox.take_end()
    }
}

impl<T> Drop for Outlet<T> {
    fn drop(&mut self) {
        // The one that left may have been the slowest, or the last.
        if self.line.post.leave(&self.mailbox) > 0 {
            self.line.refill(false);
        }
        self.line.cancel_if_deserted();
    }
}
