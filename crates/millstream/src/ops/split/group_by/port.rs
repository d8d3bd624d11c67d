//! Shared: one of many subscribers that a single gate serves.
//!
//! A gate of its own for each of them would have a turn for each item.
//! Here the operator's source holds the subscribers, one [`Port`] each, and signals them inside of
//! its own turn; a [`PortSubscription`] is what a subscriber has in its hands, and rings for a
//! turn.

use std::sync::Arc;

use millstream_kernel::{
    End, ReadySet, SubscriberSlot, Wake,
    guard::{caught, muted},
};
use reactive_streams::{Error, Offer, Subscriber, Subscription};

/// A subscriber as the source sees it.
pub(crate) struct Port<S> {
    slot: Arc<SubscriberSlot<S>>,
    subscriber: Option<S>,
    /// Demand that was taken from the slot and is not used up.
    demand: u64,
    /// For a subscriber that asked for nothing (rule 3.9), and is not there yet.
    failure: Option<Error>,
}

/// What the subscriber asks by.
pub(crate) struct PortSubscription<S> {
    slot: Arc<SubscriberSlot<S>>,
    /// Where a ring is noted, and by which number.
    number: Option<(Arc<ReadySet>, usize)>,
    gate: Arc<dyn Wake>,
}

impl<S> Port<S> {
    pub(crate) fn new() -> Self {
        Self { slot: Arc::new(SubscriberSlot::new()), subscriber: None, demand: 0, failure: None }
    }

    /// What a subscription to this port is made of.
    pub(crate) fn slot(&self) -> Arc<SubscriberSlot<S>> {
        Arc::clone(&self.slot)
    }

    /// Whether the subscriber has withdrawn or ended, or will never come.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.slot.is_canceled()
    }

    /// What was asked for and is not used up, as far as it was looked at.
    pub(crate) fn demand(&self) -> u64 {
        self.demand
    }

    /// Lets go of the subscriber, without a signal.
    pub(crate) fn leave(&mut self) {
        self.slot.cancel();
        let late = self.slot.take().subscriber;
        let subscriber = self.subscriber.take();
        muted(|| drop(subscriber));
        muted(|| drop(late));
    }
}

impl<S> Port<S> {
    /// Sees to what was asked since.
    pub(crate) fn attend<T>(&mut self)
    where
        S: Subscriber<T>,
    {
        let changes = self.slot.take();
        self.demand = self.demand.saturating_add(changes.demand);
        if changes.subscriber.is_some() {
            self.subscriber = changes.subscriber;
        }
        if changes.is_illegal {
            self.failure.get_or_insert_with(Error::illegal_request);
        }
        if self.is_over() {
            self.leave();
        } else if self.subscriber.is_some()
            && let Some(error) = self.failure.take()
        {
            self.end(End::Failed(error));
        }
    }

    /// Whether an item may be given now.
    #[inline]
    pub(crate) fn is_ready<T>(&mut self) -> bool
    where
        S: Subscriber<T>,
    {
        if self.demand == 0 || self.subscriber.is_none() {
            self.attend();
        }
        self.demand > 0 && self.subscriber.is_some() && !self.is_over()
    }

    /// Gives an item to a subscriber that [is ready](Self::is_ready).
    #[inline]
    pub(crate) fn give<T>(&mut self, item: T)
    where
        S: Subscriber<T>,
    {
        let Some(subscriber) = &mut self.subscriber else { return };
        match caught(|| subscriber.offer(item)) {
            Ok(Offer::Accepted) if self.demand == u64::MAX => {}
            Ok(Offer::Accepted) => self.demand -= 1,
            Ok(Offer::Skipped) => {}
            Ok(Offer::Finished) => self.leave(),
            Err(error) => self.end(End::Failed(error)),
        }
    }

    /// Ends the subscriber, if it has come.
    pub(crate) fn end<T>(&mut self, end: End)
    where
        S: Subscriber<T>,
    {
        if let Some(subscriber) = self.subscriber.take() {
            let is_first = self.slot.cancel();
            // A canceled subscriber gets no signal.
            muted(|| if is_first { end.signal(subscriber) } else { drop(subscriber) });
        }
    }

    /// Whether the subscriber is there, so that it can be ended.
    pub(crate) fn is_attached(&self) -> bool {
        self.subscriber.is_some()
    }
}

impl<S> PortSubscription<S> {
    /// A subscription that rings for a turn of `gate`; a number says which one rang.
    pub(crate) fn new(
        slot: Arc<SubscriberSlot<S>>,
        number: Option<(Arc<ReadySet>, usize)>,
        gate: Arc<dyn Wake>,
    ) -> Self {
        Self { slot, number, gate }
    }

    /// Subscribes: signals `on_subscribe`, and leaves the subscriber for the port.
    pub(crate) fn subscribe<T>(self: Arc<Self>, mut subscriber: S)
    where
        S: Subscriber<T>,
    {
        let subscription = Arc::clone(&self);
        match caught(|| subscriber.on_subscribe(subscription)) {
            Ok(()) => self.ring(self.slot.attach(subscriber)),
            Err(error) => {
                self.cancel();
                muted(|| subscriber.on_error(error));
            }
        }
    }

    fn ring(&self, is_due: bool) {
        if is_due {
            if let Some((ready, index)) = &self.number {
                ready.set(*index);
            }
            self.gate.wake();
        }
    }
}

impl<S: Send> Subscription for PortSubscription<S> {
    fn request(&self, n: u64) {
        self.ring(self.slot.request(n));
    }

    fn cancel(&self) {
        self.ring(self.slot.cancel());
    }
}
