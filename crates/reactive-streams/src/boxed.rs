//! Erased forms, for when a type has to be named or several kinds have to live together.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use crate::{Error, Offer, Publisher, Subscriber, Subscription};

/// A subscriber of items of type `T`, whatever its own type. Costs one allocation and a dynamic
/// call per signal.
pub struct BoxSubscriber<T>(Box<dyn ErasedSubscriber<T>>);

/// A publisher of items of type `T`, whatever its own type.
///
/// # Examples
///
/// ```
/// use reactive_streams::{BoxPublisher, Publisher, Subscriber};
///
/// struct Nothing;
/// impl Publisher for Nothing {
///     type Item = u8;
///     fn subscribe<S: Subscriber<u8>>(self, subscriber: S) {
/// #       struct Inert;
/// #       impl reactive_streams::Subscription for Inert {
/// #           fn request(&self, _: u64) {}
/// #           fn cancel(&self) {}
/// #       }
///         let mut subscriber = subscriber;
///         subscriber.on_subscribe(std::sync::Arc::new(Inert));
///         subscriber.on_complete();
///     }
/// }
///
/// let publishers: Vec<BoxPublisher<u8>> = vec![BoxPublisher::new(Nothing)];
/// # drop(publishers);
/// ```
pub struct BoxPublisher<T>(Box<dyn ErasedPublisher<T> + Send>);

/// A [`BoxPublisher`] that can serve several subscribers.
pub struct BoxClonePublisher<T>(Box<dyn ErasedClonePublisher<T> + Send>);

/// [`Subscriber`] with terminal signals that take a box, so that it can be a trait object.
trait ErasedSubscriber<T>: Send {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>);
    fn initial_request(&mut self) -> u64;
    fn on_next(&mut self, item: T);
    fn offer(&mut self, item: T) -> Offer;
    fn on_error(self: Box<Self>, error: Error);
    fn on_complete(self: Box<Self>);
}

impl<T, S: Subscriber<T>> ErasedSubscriber<T> for S {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        Subscriber::on_subscribe(self, subscription);
    }
    fn initial_request(&mut self) -> u64 {
        Subscriber::initial_request(self)
    }
    fn on_next(&mut self, item: T) {
        Subscriber::on_next(self, item);
    }
    fn offer(&mut self, item: T) -> Offer {
        Subscriber::offer(self, item)
    }
    fn on_error(self: Box<Self>, error: Error) {
        Subscriber::on_error(*self, error);
    }
    fn on_complete(self: Box<Self>) {
        Subscriber::on_complete(*self);
    }
}

impl<T: 'static> BoxSubscriber<T> {
    /// Erases the type of `subscriber`.
    pub fn new(subscriber: impl Subscriber<T>) -> Self {
        Self(Box::new(subscriber))
    }
}

impl<T: 'static> Subscriber<T> for BoxSubscriber<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0.on_subscribe(subscription);
    }
    fn initial_request(&mut self) -> u64 {
        self.0.initial_request()
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
    fn offer(&mut self, item: T) -> Offer {
        self.0.offer(item)
    }
}

/// [`Publisher`] with an erased subscriber, so that it can be a trait object.
trait ErasedPublisher<T> {
    fn subscribe(self: Box<Self>, subscriber: BoxSubscriber<T>);
}

impl<P> ErasedPublisher<P::Item> for P
where
    P: Publisher<Item: 'static>,
{
    fn subscribe(self: Box<Self>, subscriber: BoxSubscriber<P::Item>) {
        Publisher::subscribe(*self, subscriber);
    }
}

trait ErasedClonePublisher<T>: ErasedPublisher<T> {
    fn clone_box(&self) -> Box<dyn ErasedClonePublisher<T> + Send>;
}

impl<P> ErasedClonePublisher<P::Item> for P
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
{
    fn clone_box(&self) -> Box<dyn ErasedClonePublisher<P::Item> + Send> {
        Box::new(self.clone())
    }
}

impl<T: 'static> BoxPublisher<T> {
    /// Erases the type of `publisher`.
    pub fn new(publisher: impl Publisher<Item = T> + Send + 'static) -> Self {
        Self(Box::new(publisher))
    }
}

impl<T: 'static> Publisher for BoxPublisher<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, subscriber: S) {
        self.0.subscribe(BoxSubscriber::new(subscriber));
    }
}

impl<T: 'static> BoxClonePublisher<T> {
    /// Erases the type of `publisher`.
    pub fn new(publisher: impl Publisher<Item = T> + Clone + Send + 'static) -> Self {
        Self(Box::new(publisher))
    }
}

impl<T: 'static> Publisher for BoxClonePublisher<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, subscriber: S) {
        self.0.subscribe(BoxSubscriber::new(subscriber));
    }
}

impl<T> Clone for BoxClonePublisher<T> {
    fn clone(&self) -> Self {
        // `*`: the publisher in the box, not the box, which is a publisher as well.
        Self((*self.0).clone_box())
    }
}

impl<T> fmt::Debug for BoxSubscriber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxSubscriber").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for BoxPublisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxPublisher").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for BoxClonePublisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxClonePublisher").finish_non_exhaustive()
    }
}
