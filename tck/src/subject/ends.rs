//! The two ends of a processor as subjects of their own.

use std::sync::Arc;

use reactive_streams::{BoxPublisher, Error, Processor, Publisher, Subscriber, Subscription};

use super::{
    declared::{ProcessorCapabilities, SubscriberCapabilities},
    probe::SubscriberProbe,
    processor::ProcessorSubject,
    publisher::{IntoSubject, PublisherSubject},
    subscriber::{SubscriberSubject, Typed},
};
use crate::{
    capabilities::{Capabilities, Numbering, Sharing},
    play::{
        probe::Identify,
        stage::Drive,
        upstream::{End, Line, Manner, Target},
    },
};

/// How many items the processors hold, where a check does not say so.
pub(crate) const BUFFER: usize = 16;

/// The publisher end, with the TCK as the upstream.
pub(super) struct AsPublisher<T>(pub(super) Arc<T>);

/// The subscriber end, with the TCK as the downstream: that reports, and is the puppet.
pub(super) struct AsSubscriber<T>(pub(super) Arc<T>);

/// A publisher end that is fed.
struct Fed<P> {
    publisher: P,
    drive: Option<Drive>,
}

impl<P: Publisher> IntoSubject for Fed<P> {
    type Item = P::Item;
    type Publisher = P;

    fn into_parts(self) -> (P, Option<Drive>) {
        (self.publisher, self.drive)
    }
}

/// The publisher end that is subscribed to last, and what happens then.
struct Last<P, F> {
    publisher: P,
    then: F,
}

impl<P: Publisher, F: FnOnce()> Publisher for Last<P, F> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        self.publisher.subscribe(subscriber);
        (self.then)();
    }
}

impl<T: ProcessorSubject> AsPublisher<T> {
    /// Sends `n` items to a subscriber end, as it requests them, and then ends the stream.
    fn feed(&self, n: u64, end: End, subscriber: impl Subscriber<T::Item>) {
        let manner = Manner { eager: true, ..Manner::default() };
        let line = Line::new(1, None, manner);
        line.allow(n);
        if n < u64::MAX {
            line.end(end);
        }
        line.start(target(&self.0, subscriber));
    }
}

impl<T: ProcessorSubject> PublisherSubject for AsPublisher<T> {
    type Item = T::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = T::Item> {
        let (subscriber, publisher) = self.0.create_processor(BUFFER).split();
        self.feed(n, End::Complete, subscriber);
        Fed { publisher, drive: self.0.drive() }
    }

    fn create_failed_publisher(&self) -> Option<BoxPublisher<T::Item>> {
        if self.0.capabilities().recovers {
            return None;
        }
        let (subscriber, publisher) = self.0.create_processor(BUFFER).split();
        self.feed(0, End::Fail, subscriber);
        Some(BoxPublisher::new(publisher))
    }

    fn create_shared_publisher(&self, n: u64, k: usize) -> Option<Vec<BoxPublisher<T::Item>>> {
        let declared = self.0.capabilities();
        // Subscribers that wait for each other are no publisher's; the processor's checks know
        // them.
        if declared.coordinated || declared.sharing == Sharing::Single {
            return None;
        }
        let (subscriber, mut publishers) = self.0.create_shared_processor(BUFFER, k)?;
        // Whoever subscribes late may miss items, so that the upstream comes last.
        let last = publishers.pop()?;
        let own = Self(Arc::clone(&self.0));
        let then = move || own.feed(n, End::Complete, subscriber);
        publishers.push(BoxPublisher::new(Last { publisher: last, then }));
        Some(publishers)
    }

    fn identify(&self, item: &T::Item) -> Option<u64> {
        self.0.identify(item)
    }

    fn capabilities(&self) -> Capabilities {
        publisher_end(&self.0.capabilities())
    }
}

/// What the publisher end of such a processor declares.
pub(crate) fn publisher_end(declared: &ProcessorCapabilities) -> Capabilities {
    let capabilities = Capabilities::new()
        .numbering(Numbering::FromZero)
        .max_length(declared.max_length)
        .depth(declared.depth)
        .sharing(declared.sharing)
        .deadline(declared.settings.deadline)
        .quiet(declared.settings.quiet)
        .budget(declared.settings.budget);
    if declared.asynchronous { capabilities.asynchronous() } else { capabilities }
}

/// What the subscriber end of such a processor declares.
pub(crate) fn subscriber_end(declared: &ProcessorCapabilities) -> SubscriberCapabilities {
    let mut capabilities = SubscriberCapabilities::new();
    capabilities.asynchronous = declared.asynchronous;
    capabilities.keeps_upstream = declared.keeps_upstream;
    capabilities.hides_errors = declared.recovers || declared.delays_errors;
    capabilities.max_length = declared.max_length;
    capabilities.settings = declared.settings;
    capabilities
}

impl<T: ProcessorSubject> SubscriberSubject for AsSubscriber<T> {
    type Item = T::Item;

    fn create_subscriber(&self, probe: SubscriberProbe<T::Item>) -> impl Subscriber<T::Item> {
        let (subscriber, publisher) = self.0.create_processor(BUFFER).split();
        publisher.subscribe(Downstream { probe, has_one: false });
        subscriber
    }

    fn create_element(&self, i: u64) -> T::Item {
        self.0.create_element(i)
    }

    fn identify(&self, item: &T::Item) -> Option<u64> {
        self.0.identify(item)
    }

    fn drive(&self) -> Option<Drive> {
        self.0.drive()
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        subscriber_end(&self.0.capabilities())
    }
}

/// What the processor sends to is what it has processed.
struct Downstream<T> {
    probe: SubscriberProbe<T>,
    has_one: bool,
}

impl<T: 'static> Subscriber<T> for Downstream<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if std::mem::replace(&mut self.has_one, true) {
            return subscription.cancel();
        }
        self.probe.on_subscribe(subscription);
    }

    fn on_next(&mut self, item: T) {
        self.probe.on_next(&item);
    }

    fn on_error(self, error: Error) {
        self.probe.on_error(&error);
    }

    fn on_complete(self) {
        self.probe.on_complete();
    }
}

/// A subscriber end without its type.
pub(super) fn target<T: ProcessorSubject>(
    subject: &Arc<T>,
    subscriber: impl Subscriber<T::Item>,
) -> Box<dyn Target> {
    let maker = Arc::clone(subject);
    Box::new(Typed {
        subscriber,
        create: move |i| maker.create_element(i),
        identify: identify(subject),
        poke: |_: &mut _, _| {},
        next: None,
    })
}

/// How the subject tells items apart.
pub(super) fn identify<T: ProcessorSubject>(subject: &Arc<T>) -> Identify<T::Item> {
    let subject = Arc::clone(subject);
    Arc::new(move |item| subject.identify(item))
}
