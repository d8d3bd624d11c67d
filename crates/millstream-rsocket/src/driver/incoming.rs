//! What streams receive, and their subscribers.

use std::sync::Arc;

use millstream_kernel::guard::{caught, muted};
use reactive_streams::{BoxSubscriber, Demand, Error, Offer, Subscriber};

use super::Driver;
use crate::{
    Payload,
    link::{Alive, Begin, Call, Stream},
    proto::Interaction,
};

/// The receiving half of a stream.
pub(super) struct Incoming {
    stream: Arc<Stream>,
    pub(super) interaction: Interaction,
    pub(super) is_ours: bool,
    /// `None` until it has come.
    pub(super) subscriber: Option<BoxSubscriber<Payload>>,
    /// What was asked for and not passed on to the protocol.
    pub(super) demand: Demand,
    /// What a request of ours begins with, until it was sent.
    pub(super) begin: Option<Begin>,
    /// The first item of a channel of the peer's, until it was asked for.
    pub(super) first: Option<Payload>,
    /// How it ended, until the subscriber has come and taken the first item.
    end: Option<Option<Error>>,
    /// The connection does not end before it.
    _alive: Option<Arc<Alive>>,
}

impl Incoming {
    pub(super) fn of_call(call: Call) -> Self {
        let Call { stream, interaction, begin, alive } = call;
        Self {
            stream,
            interaction,
            is_ours: true,
            subscriber: None,
            demand: Demand::ZERO,
            begin: Some(begin),
            first: None,
            end: None,
            _alive: alive,
        }
    }

    /// A channel of the peer's, and whether nothing comes after its first item.
    pub(super) fn of_channel(stream: Arc<Stream>, first: Payload, is_complete: bool) -> Self {
        Self {
            stream,
            interaction: Interaction::Channel,
            is_ours: false,
            subscriber: None,
            demand: Demand::ZERO,
            begin: None,
            first: Some(first),
            end: is_complete.then_some(None),
            _alive: None,
        }
    }

    /// Gives the subscriber an item.
    fn offer(&mut self, item: Payload) -> Result<Offer, Error> {
        match &mut self.subscriber {
            Some(subscriber) => caught(|| subscriber.offer(item)),
            None => Ok(Offer::Finished),
        }
    }

    /// Lets go of the subscriber, which is told how the stream ended, if it did and the subscriber
    /// has not canceled.
    pub(super) fn end(&mut self, end: Option<Option<Error>>) {
        let Some(subscriber) = self.subscriber.take() else { return };
        let is_first = self.stream.slot().cancel();
        muted(move || match end {
            Some(None) if is_first => subscriber.on_complete(),
            Some(Some(error)) if is_first => subscriber.on_error(error),
            _ => drop(subscriber),
        });
    }
}

impl<T> Driver<T> {
    /// Goes on with a stream after its subscriber has come, or has asked for something.
    pub(super) fn go_on(&mut self, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(incoming) = &mut entry.incoming else { return };
        if incoming.begin.is_some() {
            return self.open_if_asked(key);
        }
        if incoming.subscriber.is_some()
            && !incoming.demand.is_zero()
            && let Some(first) = incoming.first.take()
        {
            incoming.demand.take(1);
            if !self.deliver(key, first) {
                return;
            }
        }
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(incoming) = &mut entry.incoming else { return };
        if incoming.first.is_none()
            && let Some(id) = entry.id
        {
            let demand = std::mem::take(&mut incoming.demand);
            self.connection.request(id, demand.get());
        }
        if let Some(end) = incoming.end.take() {
            self.receiving_ended(key, end);
        }
    }

    /// Gives a subscriber an item. Returns whether it goes on.
    pub(super) fn deliver(&mut self, key: u64, item: Payload) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        let Some(incoming) = &mut entry.incoming else { return false };
        if incoming.stream.slot().is_canceled() {
            // Its ring is behind frames that came together with this one.
            self.cancel(key);
            return false;
        }
        match incoming.offer(item) {
            Ok(Offer::Accepted) => return true,
            Ok(Offer::Skipped) => {
                incoming.demand.add(1);
                if let Some(id) = entry.id {
                    let demand = std::mem::take(&mut incoming.demand);
                    self.connection.request(id, demand.get());
                }
                return true;
            }
            // It wants no more, or has panicked.
            Ok(Offer::Finished) | Err(_) => self.cancel(key),
        }
        false
    }

    /// Nothing more comes: the subscriber is told, or will be.
    pub(super) fn receiving_ended(&mut self, key: u64, error: Option<Error>) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(incoming) = &mut entry.incoming else { return };
        if incoming.subscriber.is_none() || (incoming.first.is_some() && error.is_none()) {
            incoming.end = Some(error);
            return;
        }
        if let Some(mut incoming) = entry.incoming.take() {
            incoming.end(Some(error));
        }
        self.forget_if_over(key);
    }
}
