//! The four traits.

use alloc::{boxed::Box, sync::Arc};

use crate::{Error, Offer};

/// A source of items that sends only what was asked for.
///
/// A publisher is to its subscription what `IntoIterator` is to its iterator: [`subscribe`] uses it
/// up. One that can serve several subscribers is `Clone`; one that cannot is not, and subscribing
/// to it twice does not compile (rules 1.10 and 1.11).
///
/// [`subscribe`]: Self::subscribe
///
/// # Contract
///
/// - The subscriber gets `on_subscribe` first and exactly once, even if the publisher has failed
///   already (rule 1.9), unless it makes an [`initial_request`](Subscriber::initial_request).
/// - It never gets more items than it requested (rule 1.1), and after a terminal signal or a cancel
///   it is dropped (rules 1.6 and 3.13).
/// - A publisher that calls [`offer`](Subscriber::offer) obeys the answer. One that calls
///   [`on_next`](Subscriber::on_next) need not know about offers.
pub trait Publisher {
    /// What is published.
    type Item;

    /// Connects `subscriber` to this publisher.
    ///
    /// Never panics and returns normally whatever happens: a publisher that cannot serve the
    /// subscriber signals `on_subscribe` and then `on_error` (rules 1.4 and 1.9).
    fn subscribe<S: Subscriber<Self::Item>>(self, subscriber: S);

    /// Gives all of its items to `take`, in place of being subscribed to, if they are at hand and
    /// not more than `limit`: for operators that make a publisher of each item, to which a
    /// subscription costs more than the items do. Returns how the stream ended.
    ///
    /// At hand are values, and what is computed from them without waiting. A publisher that would
    /// wait, that has an effect when it is subscribed to, or that may have more items, gives
    /// nothing. A panic passes through.
    ///
    /// # Errors
    ///
    /// The publisher itself, unchanged, if it has to be subscribed to: what the default answers.
    fn give_all<F>(self, limit: u64, take: F) -> Result<Result<(), Error>, Self>
    where
        Self: Sized,
        F: FnMut(Self::Item),
    {
        let _unused = (limit, take);
        Err(self)
    }
}

/// A receiver of items.
///
/// The receivers of the methods carry the rules: `&mut self` makes signals serial (rule 1.3), and
/// the terminal signals take `self`, so that nothing can follow them (rule 1.7).
pub trait Subscriber<T>: Send + 'static {
    /// Hands over the line back to the publisher, before any other signal. Items may be requested
    /// from within (rule 3.2).
    ///
    /// A subscriber that has a subscription already cancels the new one (rule 2.5).
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>);

    /// Receives an item that was asked for.
    fn on_next(&mut self, item: T);

    /// Ends the stream with a failure.
    fn on_error(self, error: Error)
    where
        Self: Sized;

    /// Ends the stream.
    fn on_complete(self)
    where
        Self: Sized;

    /// Takes what the subscriber is going to request from within `on_subscribe` out of it, for
    /// publishers that have items at hand: they may offer the first of them, and end the stream,
    /// before `on_subscribe` or instead of it.
    ///
    /// Called at most once, before any signal, by a publisher that knows of it; `on_subscribe` then
    /// requests nothing of it, and the publisher counts what was taken as requested. It sends by
    /// [`offer`](Self::offer) and obeys the answer.
    ///
    /// The default of 0 makes every publisher begin with `on_subscribe`. An operator that has
    /// nothing to do with the subscription passes the call on to its downstream.
    fn initial_request(&mut self) -> u64 {
        0
    }

    /// [`on_next`](Self::on_next) for publishers that can use the answer.
    ///
    /// The default calls `on_next` and answers [`Offer::Accepted`]. After [`Offer::Finished`] the
    /// publisher signals nothing more and drops the subscriber.
    fn offer(&mut self, item: T) -> Offer {
        self.on_next(item);
        Offer::Accepted
    }
}

/// One subscriber's line back to its publisher: it asks for items and it withdraws.
///
/// Both methods may be called from any thread and from inside `on_next` (rule 3.2), even at the
/// same time: more than rule 2.7 grants, because an operator and its downstream share one upstream
/// subscription. Neither panics (rules 3.15 and 3.16), and both do nothing once
/// [`cancel`](Self::cancel) was called or the stream has ended (rules 1.6, 3.6 and 3.7).
pub trait Subscription: Send + Sync {
    /// Adds `n` to the number of items the subscriber is ready to receive.
    ///
    /// Demand adds up and saturates at `u64::MAX`, which means "without bound" (rules 3.8 and
    /// 3.17). A synchronous publisher sends items before this returns (rule 3.10), except when it
    /// is called from within a signal: then they follow once that signal has returned (rule 3.3).
    ///
    /// # Errors
    ///
    /// Nothing is returned: `request(0)` is answered with `on_error` of kind
    /// [`IllegalRequest`](crate::ErrorKind::IllegalRequest) (rule 3.9).
    fn request(&self, n: u64);

    /// Adds `n` to the demand if this is called from within a signal of this subscription, on its
    /// thread, so that the publisher attends to it when the signal has returned. Returns whether it
    /// did; otherwise nothing happens.
    ///
    /// For operators that must not begin anything from where they are: such a request begins
    /// nothing. The default of `false` makes them use [`request`](Self::request) later.
    fn request_from_within(&self, n: u64) -> bool {
        let _unused = n;
        false
    }

    /// Withdraws the subscriber, which is then dropped (rule 3.13).
    ///
    /// Returns without waiting for a signal in flight on another thread, so an item that is already
    /// on its way may still arrive (rule 2.8).
    fn cancel(&self);
}

/// A stage that is a subscriber on one side and a publisher on the other.
///
/// One value cannot be given away twice, so a processor comes apart into its ends, as a channel
/// does. Each end keeps the guarantees of its trait (rule 4.1).
pub trait Processor<T> {
    /// What the publisher end publishes.
    type Item;
    /// The end that receives.
    type Subscriber: Subscriber<T>;
    /// The end that sends.
    type Publisher: Publisher<Item = Self::Item>;

    /// Takes the processor apart.
    fn split(self) -> (Self::Subscriber, Self::Publisher);
}

impl<S: Subscription + ?Sized> Subscription for Arc<S> {
    fn request(&self, n: u64) {
        (**self).request(n);
    }
    fn request_from_within(&self, n: u64) -> bool {
        (**self).request_from_within(n)
    }
    fn cancel(&self) {
        (**self).cancel();
    }
}

impl<S: Subscription + ?Sized> Subscription for Box<S> {
    fn request(&self, n: u64) {
        (**self).request(n);
    }
    fn request_from_within(&self, n: u64) -> bool {
        (**self).request_from_within(n)
    }
    fn cancel(&self) {
        (**self).cancel();
    }
}

impl<S: Subscription + ?Sized> Subscription for &S {
    fn request(&self, n: u64) {
        (**self).request(n);
    }
    fn request_from_within(&self, n: u64) -> bool {
        (**self).request_from_within(n)
    }
    fn cancel(&self) {
        (**self).cancel();
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for Box<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        (**self).on_subscribe(subscription);
    }
    fn initial_request(&mut self) -> u64 {
        (**self).initial_request()
    }
    fn on_next(&mut self, item: T) {
        (**self).on_next(item);
    }
    fn on_error(self, error: Error) {
        (*self).on_error(error);
    }
    fn on_complete(self) {
        (*self).on_complete();
    }
    fn offer(&mut self, item: T) -> Offer {
        (**self).offer(item)
    }
}

impl<P: Publisher> Publisher for Box<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<Self::Item>>(self, subscriber: S) {
        (*self).subscribe(subscriber);
    }
    fn give_all<F: FnMut(P::Item)>(self, limit: u64, take: F) -> Result<Result<(), Error>, Self> {
        (*self).give_all(limit, take).map_err(Self::new)
    }
}
