//! What is judged as a publisher: something that makes publishers, and the same without types.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use reactive_streams::{BoxPublisher, Publisher};

use crate::{
    Capabilities,
    probe::{Blueprint, Identify, Recorder},
    stage::{Drive, Mode},
    trace::Call,
};

/// Makes the publishers that are judged.
///
/// A closure `|n| publisher` is one, with the defaults of the provided methods; implement the trait to
/// say more.
pub trait PublisherSubject: Send + Sync + 'static {
    /// What is published.
    type Item: 'static;

    /// A publisher of `n` items; `u64::MAX` means one that does not end before it is cancelled.
    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = Self::Item>;

    /// A publisher that fails as soon as it can, if there is such a one.
    fn create_failed_publisher(&self) -> Option<BoxPublisher<Self::Item>> {
        None
    }

    /// `k` handles of one publisher of `n` items, if a publisher can serve so many subscribers.
    fn create_shared_publisher(&self, n: u64, k: usize) -> Option<Vec<BoxPublisher<Self::Item>>> {
        let _unused = (n, k);
        None
    }

    /// A number by which items are told apart, so that their order can be judged.
    fn identify(&self, item: &Self::Item) -> Option<u64> {
        let _unused = item;
        None
    }

    /// What the publishers declare.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }
}

/// A publisher, possibly with the scheduler that its work runs on.
pub trait IntoSubject {
    /// What is published.
    type Item;
    /// The publisher.
    type Publisher: Publisher<Item = Self::Item>;

    /// The publisher, and what runs its pending work.
    fn into_parts(self) -> (Self::Publisher, Option<Drive>);
}

/// A publisher whose work runs when it is driven: on a scheduler with virtual time, say.
///
/// The second part runs all pending work and returns when there is none. Such a publisher is judged
/// without waiting.
#[derive(Clone, Copy, Debug)]
pub struct Driven<P, D>(pub P, pub D);

impl<P: Publisher> IntoSubject for P {
    type Item = P::Item;
    type Publisher = P;

    fn into_parts(self) -> (P, Option<Drive>) {
        (self, None)
    }
}

impl<P: Publisher, D: Fn() + Send + 'static> IntoSubject for Driven<P, D> {
    type Item = P::Item;
    type Publisher = P;

    fn into_parts(self) -> (P, Option<Drive>) {
        (self.0, Some(Box::new(self.1)))
    }
}

/// A closure as a subject.
pub(crate) struct Closure<F> {
    pub(crate) create: F,
    pub(crate) capabilities: Capabilities,
}

impl<F, C> PublisherSubject for Closure<F>
where
    F: Fn(u64) -> C + Send + Sync + 'static,
    C: IntoSubject<Item: 'static>,
{
    type Item = C::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = C::Item> {
        (self.create)(n)
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

/// Which publisher a check wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "no check wants the other two yet")]
pub(crate) enum Wanted {
    /// One of so many items.
    Items(u64),
    /// One that fails.
    Failed,
    /// One of so many items, for all the probes.
    Shared(u64),
}

type Subscribe = dyn Fn(Wanted, &Recorder, Vec<Blueprint>) -> Option<Mode> + Send + Sync;

/// A publisher subject without its types.
#[derive(Clone)]
pub(crate) struct ErasedPublisher {
    pub(crate) capabilities: Capabilities,
    pub(crate) subscribe: Arc<Subscribe>,
}

impl ErasedPublisher {
    pub(crate) fn new(subject: impl PublisherSubject) -> Self {
        let subject = Arc::new(subject);
        let capabilities = subject.capabilities();
        let subscribe = move |wanted, recorder: &Recorder, blueprints| {
            subscribe(&subject, wanted, recorder, blueprints)
        };
        Self { capabilities, subscribe: Arc::new(subscribe) }
    }
}

/// The one part that knows the types: makes the publisher and subscribes the probes. `None` if there
/// is no such publisher, or if the code that makes it panicked, which the recorder then knows.
fn subscribe<T: PublisherSubject>(
    subject: &Arc<T>,
    wanted: Wanted,
    recorder: &Recorder,
    blueprints: Vec<Blueprint>,
) -> Option<Mode> {
    let identify: Identify<T::Item> = {
        let subject = Arc::clone(subject);
        Arc::new(move |item| subject.identify(item))
    };
    let made = |make: &mut dyn FnMut() -> Option<Mode>| {
        catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
            recorder.fail_harness("the code that makes the publisher panicked");
            None
        })
    };
    let mut blueprints = blueprints.into_iter();
    let threads = || match subject.capabilities().asynchronous {
        true => Mode::Threads,
        false => Mode::Synchronous,
    };
    made(&mut || match wanted {
        Wanted::Items(n) => {
            let (publisher, drive) = subject.create_publisher(n).into_parts();
            let blueprint = blueprints.next()?;
            let probe = blueprint.clone().build(Arc::clone(&identify));
            recorder.guard(blueprint.id, Call::Subscribe, || publisher.subscribe(probe));
            Some(drive.map_or_else(threads, |drive: Drive| Mode::Driven(drive)))
        }
        Wanted::Failed => {
            let publisher = subject.create_failed_publisher()?;
            let blueprint = blueprints.next()?;
            let probe = blueprint.clone().build(Arc::clone(&identify));
            recorder.guard(blueprint.id, Call::Subscribe, || publisher.subscribe(probe));
            Some(threads())
        }
        Wanted::Shared(n) => {
            let publishers = subject.create_shared_publisher(n, blueprints.len())?;
            for (publisher, blueprint) in publishers.into_iter().zip(&mut blueprints) {
                let probe = blueprint.clone().build(Arc::clone(&identify));
                recorder.guard(blueprint.id, Call::Subscribe, || publisher.subscribe(probe));
            }
            Some(threads())
        }
    })
}
