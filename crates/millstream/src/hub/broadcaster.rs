//! Shared: the ends of a hub with many subscribers.
//!
//! `multicast`, `latest` and `replay` differ in what is kept for whom; what they share is here.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use millstream_kernel::{
    End, Gate, InlineForOne, Source, Step,
    broadcast::{self, Broadcast, Mailbox, WhenFull},
};
use reactive_streams::{Error, Publisher, Subscriber};

use super::{SendError, TrySendError, Unheard, blocking::try_for_a_while};
use crate::{Flow, scheduler::Worker};

/// The end that sends, of a hub with many subscribers. There is one: its methods take `&mut self`.
///
/// Dropping it fails all streams with an error of kind `Disconnected`; see
/// [`complete`](Self::complete) and [`fail`](Self::fail).
#[must_use = "dropping the broadcaster fails its streams"]
pub struct Broadcaster<T> {
    sender: broadcast::Sender<T>,
    unheard: Unheard,
    clock: Option<Worker>,
}

/// What became of an item that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many subscribers get it.
    pub n_subscribers: usize,
    /// How many times a subscriber's queue was full and an item was dropped: this one, or an older
    /// one in its place.
    pub n_dropped: usize,
    /// How many subscribers were ended because they lag behind.
    pub n_ended: usize,
}

/// What a hub with many subscribers is made of.
pub(super) struct Plan {
    pub(super) capacity: usize,
    pub(super) when_full: WhenFull,
    pub(super) unheard: Unheard,
    /// How many items are replayed, and how old they may be by which clock.
    pub(super) past: Option<(usize, Option<(Duration, Worker)>)>,
}

impl Plan {
    pub(super) fn open<T>(self) -> (Broadcaster<T>, Flow<Multicast<T>>) {
        let Self { capacity, when_full, unheard, past } = self;
        let (sender, broadcast, clock) = match past {
            None => {
                let (sender, broadcast) = broadcast::channel(capacity, when_full);
                (sender, broadcast, None)
            }
            Some((limit, age)) => {
                let (max_age, clock) = age.unzip();
                let (sender, broadcast) =
                    broadcast::with_replay(capacity, when_full, limit, max_age);
                (sender, broadcast, clock)
            }
        };
        let handle = Arc::new(Handle { broadcast, clock: clock.clone() });
        (Broadcaster { sender, unheard, clock }, Flow { source: Multicast { handle } })
    }
}

fn now(clock: Option<&Worker>) -> Duration {
    clock.map_or(Duration::ZERO, Worker::now)
}

impl<T: Clone> Broadcaster<T> {
    /// Sends `item` to all subscribers if the hub's policy lets it.
    ///
    /// # Errors
    ///
    /// Gives the item back, which was then sent to nobody: `Full` if the slowest subscriber's queue
    /// is, `NoSubscriber` if there is none and the hub is to wait for one, `Closed` if there is
    /// none and no flow is left to subscribe to.
    pub fn try_send(&mut self, item: T) -> Result<Sent, TrySendError<T>> {
        match self.sender.send(item, now(self.clock.as_ref())) {
            Ok(delivery) => Ok(Sent {
                n_subscribers: delivery.n_delivered,
                n_dropped: delivery.n_dropped,
                n_ended: delivery.n_ended,
            }),
            Err(broadcast::SendError::Full(item)) => Err(TrySendError::Full(item)),
            Err(broadcast::SendError::Closed(item)) => Err(TrySendError::Closed(item)),
            Err(broadcast::SendError::NoSubscriber(item)) => match self.unheard {
                Unheard::Wait => Err(TrySendError::NoSubscriber(item)),
                Unheard::Drop => Ok(Sent::default()),
            },
        }
    }

    /// Sends `item` to all subscribers as soon as the hub's policy lets it.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no subscriber and no flow is left to subscribe to, now or
    /// while this waits.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent the item to nobody, and drops it.
    pub async fn send(&mut self, item: T) -> Result<Sent, SendError<T>> {
        let mut item = Some(item);
        poll_fn(|cx| {
            let mut is_registered = false;
            while let Some(next) = item.take() {
                match self.try_send(next) {
                    Ok(sent) => return Poll::Ready(Ok(sent)),
                    Err(TrySendError::Closed(item)) => return Poll::Ready(Err(SendError(item))),
                    Err(TrySendError::Full(back) | TrySendError::NoSubscriber(back)) => {
                        item = Some(back);
                    }
                }
                if is_registered {
                    return Poll::Pending;
                }
                // There may be room by now: it looks once more.
                self.sender.register(cx.waker());
                is_registered = true;
            }
            Poll::Pending
        })
        .await
    }

    /// [`send`](Self::send) that blocks this thread while it waits: it looks again for some
    /// microseconds, and then sleeps.
    ///
    /// Not for async code, and not for a thread that is to make the demand.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_blocking(&mut self, item: T) -> Result<Sent, SendError<T>> {
        try_for_a_while(item, |item| self.try_send(item))
            .unwrap_or_else(|item| pollster::block_on(self.send(item)))
    }
}

impl<T> Broadcaster<T> {
    /// Completes all streams, after the items that wait, and those of who subscribes later.
    pub fn complete(self) {
        self.sender.end(End::Complete);
    }

    /// Fails all streams, after the items that wait, and those of who subscribes later.
    pub fn fail(self, error: Error) {
        self.sender.end(End::Failed(error));
    }

    /// How many subscribers there are.
    #[must_use]
    pub fn n_subscribers(&self) -> usize {
        self.sender.broadcast().n_members()
    }

    /// Whether there is no subscriber, and no flow left to subscribe to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.broadcast().is_closed()
    }

    /// Waits until [`is_closed`](Self::is_closed).
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn closed(&mut self) {
        poll_fn(|cx| {
            self.sender.register(cx.waker());
            if self.is_closed() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

opaque_debug!(Broadcaster<T>);

/// Publisher returned by hubs with many subscribers. A clone publishes the same.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Multicast<T> {
    handle: Arc<Handle<T>>,
}

/// Dropped with the last flow.
struct Handle<T> {
    broadcast: Arc<Broadcast<T>>,
    clock: Option<Worker>,
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        self.broadcast.close_to_new();
    }
}

impl<T> Clone for Multicast<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T: Clone + Send + 'static> Publisher for Multicast<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let Handle { broadcast, clock } = &*self.handle;
        // Before `on_subscribe`, so that a cancel from inside that finds the member.
        let member = broadcast.join(now(clock.as_ref()));
        let source = MailboxSource {
            broadcast: Arc::clone(broadcast),
            mailbox: Arc::clone(member.mailbox()),
        };
        member.set_listener(Gate::start_with(|_| (source, downstream, InlineForOne)));
    }
}

backpressure!(source Multicast<T>);
opaque_debug!(Multicast<T>);

/// The end that takes, of one subscriber.
struct MailboxSource<T> {
    broadcast: Arc<Broadcast<T>>,
    mailbox: Arc<Mailbox<T>>,
}

impl<T: Send + 'static> Source for MailboxSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    #[inline]
    fn next(&mut self) -> Step<T> {
        self.broadcast.pop(&self.mailbox)
    }

    fn end(&mut self) -> Option<End> {
        self.mailbox.take_end()
    }
}

impl<T> Drop for MailboxSource<T> {
    fn drop(&mut self) {
        self.broadcast.leave(&self.mailbox);
    }
}
