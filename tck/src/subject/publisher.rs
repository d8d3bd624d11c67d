//! What is judged as a publisher: something that makes publishers, and the same without types.

use std::{
    any::{Any, TypeId},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use reactive_streams::{BoxPublisher, Publisher};

use crate::{
    capabilities::{Capabilities, Numbering},
    play::probe::{Blueprint, Identify, Probe, Recorder},
    play::stage::{Drive, Mode},
    play::{item::Item, turns::Turns},
    trace::Call,
};

/// Makes the publishers that are judged.
///
/// A closure `|n| publisher` is one, with the defaults of the provided methods; implement the trait
/// to say more.
pub trait PublisherSubject: Send + Sync + 'static {
    /// What is published.
    type Item: 'static;

    /// A publisher of `n` items; `u64::MAX` means one that does not end before it is canceled.
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
    /// Default: the item, if it is an unsigned number, or an [`Item`](crate::reference::Item).
    fn identify(&self, item: &Self::Item) -> Option<u64> {
        number_of(item)
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
        ordered::<C::Item>(self.capabilities)
    }
}

/// Two closures as a subject: the second one makes publishers that fail.
pub(crate) struct WithFailing<F, G> {
    pub(crate) create: F,
    pub(crate) fail: G,
    pub(crate) capabilities: Capabilities,
}

impl<F, G, C, P> PublisherSubject for WithFailing<F, G>
where
    F: Fn(u64) -> C + Send + Sync + 'static,
    G: Fn() -> P + Send + Sync + 'static,
    C: IntoSubject<Item: 'static>,
    P: Publisher<Item = C::Item> + Send + 'static,
{
    type Item = C::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = C::Item> {
        (self.create)(n)
    }

    fn create_failed_publisher(&self) -> Option<BoxPublisher<C::Item>> {
        Some(BoxPublisher::new((self.fail)()))
    }

    fn capabilities(&self) -> Capabilities {
        ordered::<C::Item>(self.capabilities)
    }
}

/// A closure that makes publishers which can be subscribed to again (rule 1.11).
pub(crate) struct Cloneable<F> {
    pub(crate) create: F,
    pub(crate) capabilities: Capabilities,
}

impl<F, P> PublisherSubject for Cloneable<F>
where
    F: Fn(u64) -> P + Send + Sync + 'static,
    P: Publisher<Item: 'static> + Clone + Send + 'static,
{
    type Item = P::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = P::Item> {
        (self.create)(n)
    }

    fn create_shared_publisher(&self, n: u64, k: usize) -> Option<Vec<BoxPublisher<P::Item>>> {
        let publisher = (self.create)(n);
        Some((0..k).map(|_| BoxPublisher::new(publisher.clone())).collect())
    }

    fn capabilities(&self) -> Capabilities {
        ordered::<P::Item>(self.capabilities)
    }
}

/// A closure that is given the scheduler of its publisher.
pub(crate) struct OnTurns<F> {
    pub(crate) create: F,
    pub(crate) capabilities: Capabilities,
}

impl<F, P> PublisherSubject for OnTurns<F>
where
    F: Fn(u64, &Turns) -> P + Send + Sync + 'static,
    P: Publisher<Item: 'static>,
{
    type Item = P::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = P::Item> {
        let turns = Turns::new();
        let publisher = (self.create)(n, &turns);
        Driven(publisher, move || turns.drive())
    }

    fn capabilities(&self) -> Capabilities {
        ordered::<P::Item>(self.capabilities)
    }
}

/// Numbers that a closure makes for a length are taken for those below it.
fn ordered<T: 'static>(mut capabilities: Capabilities) -> Capabilities {
    let is_number = [TypeId::of::<u64>(), TypeId::of::<Item>()].contains(&TypeId::of::<T>());
    capabilities.numbering = capabilities.numbering.or(is_number.then_some(Numbering::Consecutive));
    capabilities
}

/// The number of an item that is one.
fn number_of(item: &dyn Any) -> Option<u64> {
    fn get<T: Copy + Into<u64> + 'static>(item: &dyn Any) -> Option<u64> {
        item.downcast_ref::<T>().map(|number| (*number).into())
    }
    let counted = || item.downcast_ref::<Item>().map(Item::id);
    get::<u64>(item)
        .or_else(|| get::<u32>(item))
        .or_else(|| get::<u16>(item))
        .or_else(|| get::<u8>(item))
        .or_else(counted)
}

/// Which publisher a check wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// What is waited for: not for drops that show only when they are looked for.
    pub(crate) fn awaited(&self) -> Self {
        let mut awaited = self.clone();
        awaited.capabilities.retention &= !self.capabilities.collected;
        awaited
    }

    pub(crate) fn new(subject: impl PublisherSubject) -> Self {
        let subject = Arc::new(subject);
        let capabilities = subject.capabilities();
        let subscribe = move |wanted, recorder: &Recorder, blueprints| {
            subscribe(&subject, wanted, recorder, blueprints)
        };
        Self { capabilities, subscribe: Arc::new(subscribe) }
    }
}

/// The one part that knows the types: makes the publisher and subscribes the probes.
/// `None` if there is no such publisher, or if the code that makes it panicked, which the recorder
/// then knows.
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
    let capabilities = subject.capabilities();
    let own_mode = match capabilities.asynchronous {
        true => Mode::Threads,
        false => Mode::Synchronous,
    };
    let mut blueprints = blueprints.into_iter();
    let n_probes = blueprints.len();
    let mut connect = |publisher: BoxedSubscribe<'_, T::Item>| {
        if let Some(blueprint) = blueprints.next() {
            let (id, probe) = (blueprint.id, blueprint.build(Arc::clone(&identify)));
            recorder.guard(id, Call::Subscribe, || publisher(probe));
        }
    };
    let make = || {
        let (publisher, drive) = match wanted {
            Wanted::Items(n) => subject.create_publisher(n).into_parts(),
            Wanted::Failed if capabilities.fails => subject.create_publisher(0).into_parts(),
            Wanted::Failed => {
                let publisher = subject.create_failed_publisher()?;
                connect(Box::new(|probe| publisher.subscribe(probe)));
                return Some(own_mode);
            }
            Wanted::Shared(n) => {
                for publisher in subject.create_shared_publisher(n, n_probes)? {
                    connect(Box::new(|probe| publisher.subscribe(probe)));
                }
                return Some(own_mode);
            }
        };
        connect(Box::new(|probe| publisher.subscribe(probe)));
        Some(drive.map_or(own_mode, Mode::Driven))
    };
    let made = catch_unwind(AssertUnwindSafe(|| {
        if TypeId::of::<T::Item>() == TypeId::of::<Item>() {
            recorder.ledger().watch(make)
        } else {
            make()
        }
    }));
    made.unwrap_or_else(|_| {
        recorder.fail_harness("the code that makes the publisher panicked");
        None
    })
}

type BoxedSubscribe<'a, T> = Box<dyn FnOnce(Probe<T>) + 'a>;
