//! `from_crossbeam`, `send_to_crossbeam`: a channel of crossbeam's, on a thread of the bridge's
//! own.
//!
//! Such a channel can only be waited for by blocking, and it tells nobody that something has
//! changed. A worker that others use must not be blocked, so that each subscription has a thread.
//! It waits for the channel and for a nudge, which a cancel gives it.

use std::{
    future::poll_fn,
    sync::{Arc, Weak},
    task::{Context, Poll, Wake, Waker},
};

use crossbeam_channel::{Receiver, Select, Sender, TrySendError, bounded};
use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Offer, Publisher, Subscriber, Subscription};

use super::intake::{Intake, outcome_of};
use crate::{
    Flow, Once, Outcome, from_stream_on,
    scheduler::{OnWorker, Pool, Scheduler},
};

/// The items of a channel.
///
/// Each subscription has a thread of its own, which blocks in the channel while items are wanted,
/// and ends with the subscription. Clones of the flow share the channel: each item goes to one of
/// them.
///
/// # Demand
///
/// An item is received when it is asked for. The bridge holds none, so that the channel's capacity
/// is all that waits, and senders wait once it is full.
///
/// # Termination
///
/// Completes when all senders are dropped and the items before were received.
/// A cancel wakes the thread and drops the receiver; an item that it receives at that moment is
/// dropped.
///
/// # Panics
///
/// If the system cannot start a thread, when it is subscribed to.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = crossbeam_channel::bounded(2);
/// let sum = millstream::bridge::from_crossbeam(receiver).fold(0, |sum, n| sum + n);
/// for n in 1..=4 {
///     sender.send(n)?;
/// }
/// drop(sender);
/// assert_eq!(sum.wait()?, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_crossbeam<T: Send + 'static>(receiver: Receiver<T>) -> Flow<FromCrossbeam<T>> {
    FromCrossbeam(receiver).into()
}

/// Publisher returned by [`from_crossbeam`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromCrossbeam<T>(Receiver<T>);

impl<T: Send + 'static> Publisher for FromCrossbeam<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let (nudge, nudged) = bounded(1);
        let source = Received { items: self.0, nudged };
        let downstream = NudgingSubscriber { downstream, nudge };
        Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
            let worker = Pool::named("millstream-crossbeam", 1).worker();
            (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
        });
    }
}

opaque_debug!(FromCrossbeam<T>);
backpressure!(source FromCrossbeam<T>);

struct Received<T> {
    items: Receiver<T>,
    nudged: Receiver<()>,
}

impl<T: Send + 'static> Source for Received<T> {
    type Item = T;

    // Receiving may wait.
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<T> {
        let mut select = Select::new();
        let items = select.recv(&self.items);
        select.recv(&self.nudged);
        let ready = select.select();
        if ready.index() != items {
            // A cancel, or nobody holds the subscription any more.
            let _seen = ready.recv(&self.nudged);
            return Step::Pending;
        }
        match ready.recv(&self.items) {
            Ok(item) => Step::Item(item),
            Err(_) => Step::End(End::Complete),
        }
    }
}

impl<P: Publisher> Flow<P> {
    /// Sends the items into a channel, whose receiver decides how fast.
    ///
    /// It has a thread of its own, which blocks while the channel is full, and ends with the
    /// outcome.
    ///
    /// # Demand
    ///
    /// One item at a time, when the channel has room, or a receiver waits at one without capacity.
    /// Where another sender takes the place meanwhile, that one item waits here.
    ///
    /// # Termination
    ///
    /// The outcome is `()` when the flow has completed and its last item was sent, and the error
    /// when the flow fails; the sender is dropped in either case.
    /// When all receivers are dropped, the flow is canceled and the outcome is an error of kind
    /// `Disconnected`: at once if the channel is full, otherwise when the next item comes, which is
    /// dropped, because the channel does not tell before.
    /// Dropping the outcome wakes the thread, and drops an item that waits.
    ///
    /// # Panics
    ///
    /// If the system cannot start a thread.
    ///
    /// # Examples
    ///
    /// ```
    /// let (sender, receiver) = crossbeam_channel::bounded(1);
    /// let sent = millstream::range(0..3).send_to_crossbeam(sender);
    /// assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
    /// sent.wait()?;
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn send_to_crossbeam(self, sender: Sender<P::Item>) -> Outcome<()>
    where
        P::Item: Send + 'static,
    {
        let (nudge, nudged) = bounded(1);
        let waker = Waker::from(Arc::new(Nudge(nudge.clone())));
        let send = send(Intake::of(self.source), Room { sender, nudged, waker });
        let pool = Pool::named("millstream-crossbeam", 1);
        outcome_of(Nudging { source: from_stream_on(&pool, Once::new(send)), nudge })
    }
}

async fn send<T: Send + 'static>(mut intake: Intake<T>, room: Room<T>) -> Result<(), Error> {
    loop {
        let is_over = poll_fn(|cx| match intake.poll_end(&mut Context::from_waker(&room.waker)) {
            Poll::Ready(end) => Poll::Ready(end.map(|()| true)),
            Poll::Pending => room.poll(cx).map(|()| Ok(false)),
        });
        if is_over.await? {
            return Ok(());
        }
        let Some(mut item) = poll_fn(|cx| intake.poll_next(cx)).await? else { return Ok(()) };
        loop {
            match room.sender.try_send(item) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => item = back,
                Err(TrySendError::Disconnected(_)) => {
                    let message = "all receivers of the channel were dropped";
                    return Err(Error::new(ErrorKind::Disconnected, message));
                }
            }
            poll_fn(|cx| room.poll(cx)).await;
        }
    }
}

/// Where the thread waits for room.
struct Room<T> {
    sender: Sender<T>,
    nudged: Receiver<()>,
    /// Nudges.
    waker: Waker,
}

impl<T> Room<T> {
    /// Blocks until there is room or no receiver; pending after a nudge, so that the gate looks for
    /// a cancel.
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut select = Select::new();
        let room = select.send(&self.sender);
        select.recv(&self.nudged);
        if select.ready() == room {
            return Poll::Ready(());
        }
        let _seen = self.nudged.try_recv();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

struct Nudge(Sender<()>);

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        // One that is full is on its way.
        let _sent = self.0.try_send(());
    }
}

/// A publisher whose subscription nudges when it cancels.
struct Nudging<P> {
    source: P,
    nudge: Sender<()>,
}

impl<P: Publisher> Publisher for Nudging<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(NudgingSubscriber { downstream, nudge: self.nudge });
    }
}

struct NudgingSubscriber<S> {
    downstream: S,
    nudge: Sender<()>,
}

impl<T, S: Subscriber<T>> Subscriber<T> for NudgingSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let nudge = self.nudge.clone();
        self.downstream.on_subscribe(Arc::new(NudgingSubscription { subscription, nudge }));
    }

    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}

struct NudgingSubscription {
    subscription: Arc<dyn Subscription>,
    nudge: Sender<()>,
}

impl Subscription for NudgingSubscription {
    fn request(&self, n: u64) {
        self.subscription.request(n);
    }

    fn cancel(&self) {
        self.subscription.cancel();
        let _sent = self.nudge.try_send(());
    }
}
