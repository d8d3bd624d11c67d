//! What is judged, without its types.

mod declared;
mod ends;
mod erased_processor;
mod probe;
mod processor;
mod publisher;
mod subscriber;

use std::fmt;

pub use declared::{ProcessorCapabilities, SubscriberCapabilities};
pub(crate) use ends::BUFFER;
#[cfg(feature = "cli")]
pub(crate) use ends::{publisher_end, subscriber_end};
#[cfg(feature = "cli")]
pub(crate) use erased_processor::MadeProcessor;
pub(crate) use erased_processor::{ErasedProcessor, Subscribe};
pub(crate) use probe::Reports;
pub use probe::{Probed, Puppet, SubscriberProbe};
pub use processor::{Ends, ProcessorSubject};
pub use publisher::{Driven, IntoSubject, PublisherSubject};
pub(crate) use publisher::{ErasedPublisher, Wanted};
pub(crate) use subscriber::ErasedSubscriber;
#[cfg(feature = "cli")]
pub(crate) use subscriber::Made;
#[cfg(test)]
pub(crate) use subscriber::Typed;
pub use subscriber::{BlackBoxSubject, SubscriberSubject};

use reactive_streams::{Processor, Publisher, Subscriber};

use crate::{
    capabilities::Capabilities,
    play::turns::Turns,
    settings::{Overrides, Settings},
};

/// Something that is judged: a name, what it declares, and how it is reached.
#[derive(Clone)]
pub struct Subject {
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) kind: Kind,
}

/// What is reached, by what it is.
#[derive(Clone)]
pub(crate) enum Kind {
    Publisher(ErasedPublisher),
    Subscriber(ErasedSubscriber),
    Processor(Box<ErasedProcessor>),
}

impl Subject {
    /// A subject that makes publishers.
    pub fn publisher(name: impl Into<String>, subject: impl PublisherSubject) -> Self {
        let publisher = ErasedPublisher::new(subject);
        let settings = publisher.capabilities.settings;
        Self { name: name.into(), settings, kind: Kind::Publisher(publisher) }
    }

    /// A subject that is a closure: it makes a publisher for a number of items.
    pub fn of<C: IntoSubject<Item: 'static>>(
        name: impl Into<String>,
        capabilities: Capabilities,
        create: impl Fn(u64) -> C + Send + Sync + 'static,
    ) -> Self {
        Self::publisher(name, publisher::Closure { create, capabilities })
    }

    /// A subject that is two closures: one makes a publisher for a number of items, the other one a
    /// publisher that fails as soon as it can.
    pub fn with_failing<C, P>(
        name: impl Into<String>,
        capabilities: Capabilities,
        create: impl Fn(u64) -> C + Send + Sync + 'static,
        fail: impl Fn() -> P + Send + Sync + 'static,
    ) -> Self
    where
        C: IntoSubject<Item: 'static>,
        P: Publisher<Item = C::Item> + Send + 'static,
    {
        Self::publisher(name, publisher::WithFailing { create, fail, capabilities })
    }

    /// A subject that makes subscribers which report what they process.
    pub fn subscriber(name: impl Into<String>, subject: impl SubscriberSubject) -> Self {
        Self::erased_subscriber(name.into(), ErasedSubscriber::white_box(subject))
    }

    /// A subject that is a closure: it makes a subscriber of numbers that reports to the probe.
    pub fn subscriber_of<S: Subscriber<u64>>(
        name: impl Into<String>,
        capabilities: SubscriberCapabilities,
        create: impl Fn(SubscriberProbe<u64>) -> S + Send + Sync + 'static,
    ) -> Self {
        Self::subscriber(name, subscriber::Closure { create, capabilities })
    }

    /// A subject that makes subscribers which are judged from outside alone.
    pub fn black_box(name: impl Into<String>, subject: impl BlackBoxSubject) -> Self {
        Self::erased_subscriber(name.into(), ErasedSubscriber::black_box(subject))
    }

    /// A subject that is a closure: it makes a subscriber of numbers that knows nothing of the TCK.
    pub fn black_box_of<S: Subscriber<u64>>(
        name: impl Into<String>,
        capabilities: SubscriberCapabilities,
        create: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        Self::black_box(name, subscriber::Closure { create, capabilities })
    }

    fn erased_subscriber(name: String, subscriber: ErasedSubscriber) -> Self {
        let settings = subscriber.capabilities.settings;
        Self { name, settings, kind: Kind::Subscriber(subscriber) }
    }

    /// A subject that makes processors. Each end is judged as what it is, by checks whose names
    /// begin with `publisher::` and `subscriber::`, and the whole for what goes through.
    pub fn processor(name: impl Into<String>, subject: impl ProcessorSubject) -> Self {
        let processor = ErasedProcessor::new(subject);
        let settings = processor.capabilities.settings;
        Self { name: name.into(), settings, kind: Kind::Processor(Box::new(processor)) }
    }

    /// A subject that is a closure: it makes a processor of numbers that holds so many.
    pub fn processor_of<P>(
        name: impl Into<String>,
        capabilities: ProcessorCapabilities,
        create: impl Fn(usize) -> P + Send + Sync + 'static,
    ) -> Self
    where
        P: Processor<u64, Item = u64, Publisher: Send + 'static>,
    {
        Self::processor(name, processor::Closure { create, capabilities })
    }

    /// A subject that is a closure: it makes a publisher that can be subscribed to again, for a
    /// number of items.
    ///
    /// What clones of it give to several subscribers is declared with
    /// [`Capabilities::sharing`](crate::Capabilities::sharing), and judged (rule 1.11).
    pub fn cloneable<P>(
        name: impl Into<String>,
        capabilities: Capabilities,
        create: impl Fn(u64) -> P + Send + Sync + 'static,
    ) -> Self
    where
        P: Publisher<Item: 'static> + Clone + Send + 'static,
    {
        Self::publisher(name, publisher::Cloneable { create, capabilities })
    }

    /// A subject that is a closure: it makes a publisher for a number of items, whose work runs on
    /// the scheduler that it is given. It is judged without threads and without waiting.
    pub fn on_turns<P>(
        name: impl Into<String>,
        capabilities: Capabilities,
        create: impl Fn(u64, &Turns) -> P + Send + Sync + 'static,
    ) -> Self
    where
        P: Publisher<Item: 'static>,
    {
        Self::publisher(name, publisher::OnTurns { create, capabilities })
    }

    /// The same under another name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it declares, with what was given from outside in place of it.
    pub(crate) fn settings(&self, overrides: Overrides) -> Settings {
        self.settings.with(overrides)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("name", &self.name).finish_non_exhaustive()
    }
}
