//! `stage_tests!`: everything that can be asked of an operator, in one line.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use millstream::{
    BoxPublisher, BoxSubscriber, Error, Flow, Publisher, Subscriber, Subscription,
    scheduler::VirtualTime,
};
use millstream_kernel::Upstream;
use parking_lot::Mutex;
use reactive_streams_tck::{
    BlackBoxSubject, Capabilities, Drive, Driven, IntoSubject, Numbering, PublisherSubject,
    Subject, SubscriberCapabilities, SubscriberProbe, SubscriberSubject,
};

use crate::{Item, Items};

/// Tests an operator: one test for each check of the TCK on it as a publisher and on what it does
/// with its source, and one of [chaos](crate::chaos::check_items) with a look for leaks, all beside
/// a model.
///
/// The tests stand in a module of the given name. The operator is a closure from a flow of
/// [`Item`](crate::Item)s and a [`VirtualTime`](crate::VirtualTime) to a flow; the model is a
/// closure from a list of items to the list that the operator makes of it. It also says how many
/// items the source has to have for the publisher of as many as a check asks for.
///
/// `publisher: capabilities` and `subscriber: capabilities` may follow, for an operator that the
/// model does not say enough about: one that ends early, say, takes so many items of its source.
///
/// # Examples
///
/// ```
/// use millstream_testkit::stage_tests;
/// use reactive_streams_tck::SubscriberCapabilities;
///
/// stage_tests!(odd, |source, _| source.filter(|n| n.number() % 2 == 1), |items| {
///     items.iter().filter(|n| n.number() % 2 == 1).cloned().collect()
/// });
///
/// stage_tests!(
///     the_first_three,
///     |source, _| source.take(3),
///     |items| items.iter().take(3).cloned().collect(),
///     subscriber: SubscriberCapabilities::new().takes(3),
/// );
/// ```
#[macro_export]
macro_rules! stage_tests {
    (
        $name:ident, $operator:expr, $model:expr
        $(, publisher: $publisher:expr)? $(, subscriber: $subscriber:expr)? $(,)?
    ) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the closures may need nothing from outside")]
            use super::*;

            mod publisher {
                #[allow(unused_imports, reason = "the closures may need nothing from outside")]
                use super::*;

                $crate::stage::tck::publisher_tests!(
                    subject tck,
                    $crate::stage::publisher(
                        stringify!($name),
                        $operator,
                        $model,
                        [$($publisher)?].first().copied(),
                    )
                );
            }

            mod subscriber {
                #[allow(unused_imports, reason = "the closures may need nothing from outside")]
                use super::*;

                $crate::stage::tck::subscriber_tests!(tck, subject: |_: &str| {
                    $crate::stage::subscriber(
                        stringify!($name),
                        $operator,
                        $model,
                        [$($subscriber)?].first().copied(),
                    )
                });
            }

            #[test]
            fn chaos() {
                $crate::stage::chaos($operator, $model);
            }
        }
    };
}

#[doc(hidden)]
pub use reactive_streams_tck as tck;

/// What an operator that is tested is put behind.
pub type StageSource = BoxPublisher<Item>;

/// Lengths up to this are those of the model; more are cut off a flow that goes on.
const LONGEST: u64 = 512;

/// The operator as a publisher: the subject of [`stage_tests!`](crate::stage_tests).
///
/// Without `capabilities`, the model says how many items there can be.
pub fn publisher<P, O, M>(
    name: &str,
    operator: O,
    model: M,
    capabilities: Option<Capabilities>,
) -> Subject
where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static> + Send + 'static,
    O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P> + Send + Sync + 'static,
    M: Fn(&[Item]) -> Vec<P::Item> + Send + Sync + 'static,
{
    let (half, whole) = (n_of(&model, LONGEST), n_of(&model, 2 * LONGEST));
    let capabilities = capabilities.unwrap_or_else(|| {
        let all = Capabilities::new().numbering(Numbering::Any);
        if half == whole { all.max_length(whole) } else { all }
    });
    Subject::publisher(name, StagePublisher { operator, model, capabilities })
}

/// What the operator does with its source: the subject of [`stage_tests!`](crate::stage_tests).
pub fn subscriber<P, O, M>(
    name: &str,
    operator: O,
    model: M,
    capabilities: Option<SubscriberCapabilities>,
) -> Subject
where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
    O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P> + Send + Sync + 'static,
    M: Fn(&[Item]) -> Vec<P::Item>,
{
    let items = Items::new();
    let sent: Vec<Item> = items.numbers(0..64).collect();
    let come = model(&sent);
    let numbers: Vec<_> = come.iter().filter_map(|item| number_of(item)).collect();
    let passes_all = numbers.iter().eq(sent.iter().map(|item| &**item));
    let capabilities = capabilities.unwrap_or_default();
    let stage = StageSubscriber { operator, items, capabilities, clock: VirtualTime::new() };
    if passes_all { Subject::subscriber(name, stage) } else { Subject::black_box(name, stage) }
}

/// [`check_items`](crate::chaos::check_items) for a closure of [`stage_tests!`](crate::stage_tests).
///
/// # Panics
///
/// As it does.
#[track_caller]
pub fn chaos<P>(
    operator: impl Fn(Flow<StageSource>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[Item]) -> Vec<P::Item>,
) where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    crate::chaos::check_items(|source, clock| operator(source.boxed(), clock), model);
}

/// How many items the model makes of `n`.
fn n_of<T>(model: impl Fn(&[Item]) -> Vec<T>, n: u64) -> u64 {
    let items = Items::new();
    model(&items.numbers(0..n).collect::<Vec<_>>()).len() as u64
}

/// The number of an item that is still one.
fn number_of(item: &dyn Any) -> Option<u64> {
    item.downcast_ref::<Item>().map(Item::number)
}

struct StagePublisher<O, M> {
    operator: O,
    model: M,
    capabilities: Capabilities,
}

impl<P, O, M> PublisherSubject for StagePublisher<O, M>
where
    P: Publisher<Item: Send + 'static> + Send + 'static,
    O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P> + Send + Sync + 'static,
    M: Fn(&[Item]) -> Vec<P::Item> + Send + Sync + 'static,
{
    type Item = P::Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = P::Item> {
        let clock = VirtualTime::new();
        let items = Items::new();
        // The fewest that the source can have. The model makes more of more, or as much.
        let is_enough = |n_items: &u64| n_of(&self.model, *n_items) >= n;
        let n_items = if n <= LONGEST { (0..=4 * LONGEST).find(is_enough) } else { None };
        let numbers = items.numbers(0..n_items.unwrap_or(u64::MAX));
        let flow = (self.operator)(millstream::from_iter(numbers).boxed(), &clock);
        let is_exact = n_items.is_some_and(|n_items| n_of(&self.model, n_items) == n);
        let publisher = if is_exact { Made::All(flow) } else { Made::Beginning(flow, n) };
        Driven(publisher, drive(&clock))
    }

    fn identify(&self, item: &P::Item) -> Option<u64> {
        number_of(item)
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

/// A flow of as many items as a check asks for.
enum Made<P> {
    All(Flow<P>),
    Beginning(Flow<P>, u64),
}

impl<P: Publisher> Publisher for Made<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, subscriber: S) {
        match self {
            Self::All(flow) => flow.subscribe(subscriber),
            Self::Beginning(flow, u64::MAX) => flow.subscribe(subscriber),
            Self::Beginning(flow, n) => flow.take(n).subscribe(subscriber),
        }
    }
}

struct StageSubscriber<O> {
    operator: O,
    items: Items,
    capabilities: SubscriberCapabilities,
    clock: VirtualTime,
}

impl<O> StageSubscriber<O> {
    /// The subscriber of the operator, with `end` behind it.
    fn make<P, S>(&self, end: S, request: impl Fn()) -> BoxSubscriber<Item>
    where
        P: Publisher,
        O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P>,
        S: Subscriber<P::Item>,
    {
        let capture = Capture::default();
        (self.operator)(Flow::from(capture.clone()).boxed(), &self.clock).subscribe(end);
        self.clock.run();
        if capture.0.lock().is_none() {
            // It subscribes when it is asked.
            request();
            self.clock.run();
        }
        let captured = capture.0.lock().take();
        captured.expect("the operator subscribed to its source")
    }
}

impl<P, O> SubscriberSubject for StageSubscriber<O>
where
    P: Publisher<Item: Send + 'static>,
    O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P> + Send + Sync + 'static,
{
    type Item = Item;

    fn create_subscriber(&self, probe: SubscriberProbe<Item>) -> impl Subscriber<Item> {
        let kept = Kept::default();
        self.make(Reporter { probe, kept: kept.clone() }, || kept.request(1))
    }

    fn create_element(&self, i: u64) -> Item {
        self.items.item(i)
    }

    fn identify(&self, item: &Item) -> Option<u64> {
        Some(item.number())
    }

    fn drive(&self) -> Option<Drive> {
        Some(Box::new(drive(&self.clock)))
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        self.capabilities
    }
}

impl<P, O> BlackBoxSubject for StageSubscriber<O>
where
    P: Publisher<Item: Send + 'static>,
    O: Fn(Flow<StageSource>, &VirtualTime) -> Flow<P> + Send + Sync + 'static,
{
    type Item = Item;
    type Subscriber = BoxSubscriber<Item>;

    fn create_subscriber(&self) -> BoxSubscriber<Item> {
        self.make(TakesAll(Upstream::unset()), || {})
    }

    fn create_element(&self, i: u64) -> Item {
        self.items.item(i)
    }

    fn identify(&self, item: &Item) -> Option<u64> {
        Some(item.number())
    }

    fn drive(&self) -> Option<Drive> {
        Some(Box::new(drive(&self.clock)))
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        self.capabilities
    }
}

/// Hands its subscriber over, for the TCK to signal.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Option<BoxSubscriber<Item>>>>);

impl Publisher for Capture {
    type Item = Item;

    fn subscribe<S: Subscriber<Item>>(self, subscriber: S) {
        *self.0.lock() = Some(BoxSubscriber::new(subscriber));
    }
}

/// The first subscription.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<Arc<dyn Subscription>>>>);

impl Kept {
    /// Keeps the first one, and cancels a second (rule 2.5), which an operator without a state
    /// leaves to its downstream.
    fn keep(&self, subscription: &Arc<dyn Subscription>) -> bool {
        let mut kept = self.0.lock();
        if kept.is_some() {
            drop(kept);
            subscription.cancel();
            return false;
        }
        *kept = Some(Arc::clone(subscription));
        true
    }

    fn request(&self, n: u64) {
        let kept = self.0.lock().clone();
        if let Some(subscription) = kept {
            subscription.request(n);
        }
    }
}

/// The end of an operator that passes every item on.
struct Reporter {
    probe: SubscriberProbe<Item>,
    kept: Kept,
}

impl<T: Send + 'static> Subscriber<T> for Reporter {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.kept.keep(&subscription) {
            self.probe.on_subscribe(subscription);
        }
    }

    fn on_next(&mut self, item: T) {
        if let Some(item) = (&item as &dyn Any).downcast_ref::<Item>() {
            self.probe.on_next(item);
        }
    }

    fn on_error(self, error: Error) {
        self.probe.on_error(&error);
    }

    fn on_complete(self) {
        self.probe.on_complete();
    }
}

/// The end of an operator that makes something else of its items.
struct TakesAll(Upstream);

impl<T> Subscriber<T> for TakesAll {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.0.set(&subscription) {
            subscription.request(u64::MAX);
        }
    }

    fn on_next(&mut self, _: T) {}
    fn on_error(self, _: Error) {}
    fn on_complete(self) {}
}

fn drive(clock: &VirtualTime) -> impl Fn() + Send + use<> {
    let clock = clock.clone();
    move || clock.advance(Duration::from_secs(1))
}
