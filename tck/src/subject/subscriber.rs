//! What is judged as a subscriber: something that makes subscribers, and the same without types.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use reactive_streams::{Error, Offer, Subscriber, Subscription};

use super::{
    declared::SubscriberCapabilities,
    probe::{Reports, SubscriberProbe},
};
use crate::{
    play::probe::{Identify, Recorder},
    play::stage::{Drive, Mode},
    play::upstream::Target,
};

/// Makes the subscribers that are judged, where they can report what they process: white boxes.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use reactive_streams::{Error, Subscriber, Subscription};
/// use reactive_streams_tck::{Overrides, Subject, SubscriberProbe, SubscriberSubject, Verdict};
///
/// struct Printer { kept: Option<Arc<dyn Subscription>>, probe: SubscriberProbe<String> }
///
/// impl Subscriber<String> for Printer {
///     fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
///         if self.kept.is_some() {
///             return subscription.cancel();
///         }
///         self.probe.on_subscribe(Arc::clone(&subscription));
///         self.kept = Some(subscription);
///     }
///     fn on_next(&mut self, item: String) {
///         self.probe.on_next(&item);
///     }
///     fn on_error(self, error: Error) {
///         self.probe.on_error(&error);
///     }
///     fn on_complete(self) {
///         self.probe.on_complete();
///     }
/// }
///
/// struct Printers;
///
/// impl SubscriberSubject for Printers {
///     type Item = String;
///     fn create_subscriber(&self, probe: SubscriberProbe<String>) -> impl Subscriber<String> {
///         Printer { kept: None, probe }
///     }
///     fn create_element(&self, i: u64) -> String {
///         i.to_string()
///     }
///     fn identify(&self, item: &String) -> Option<u64> {
///         item.parse().ok()
///     }
/// }
///
/// let subject = Subject::subscriber("printer", Printers);
/// for check in subject.checks() {
///     let outcome = subject.run(check.name, Overrides::default());
///     assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
/// }
/// ```
pub trait SubscriberSubject: Send + Sync + 'static {
    /// What is received.
    type Item: Send + 'static;

    /// A subscriber that reports to `probe` what it processes.
    fn create_subscriber(&self, probe: SubscriberProbe<Self::Item>) -> impl Subscriber<Self::Item>;

    /// The item of number `i`.
    fn create_element(&self, i: u64) -> Self::Item;

    /// A number by which items are told apart, so that their order can be judged.
    fn identify(&self, item: &Self::Item) -> Option<u64> {
        let _unused = item;
        None
    }

    /// Runs the work that the subscribers have pending, if it runs when it is driven.
    fn drive(&self) -> Option<Drive> {
        None
    }

    /// What the subscribers declare.
    fn capabilities(&self) -> SubscriberCapabilities {
        SubscriberCapabilities::new()
    }
}

/// Makes the subscribers that are judged from outside alone: black boxes.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use reactive_streams::{Error, Subscriber, Subscription};
/// use reactive_streams_tck::{BlackBoxSubject, Overrides, Subject};
///
/// /// Requests everything at once and forgets it.
/// #[derive(Default)]
/// struct Sink(Option<Arc<dyn Subscription>>);
///
/// impl Subscriber<u64> for Sink {
///     fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
///         match self.0 {
///             Some(_) => subscription.cancel(),
///             None => self.0.insert(subscription).request(u64::MAX),
///         }
///     }
///     fn on_next(&mut self, _: u64) {}
///     fn on_error(self, _: Error) {}
///     fn on_complete(self) {}
/// }
///
/// struct Sinks;
///
/// impl BlackBoxSubject for Sinks {
///     type Item = u64;
///     type Subscriber = Sink;
///     fn create_subscriber(&self) -> Sink {
///         Sink::default()
///     }
///     fn create_element(&self, i: u64) -> u64 {
///         i
///     }
/// }
///
/// let outcome = Subject::black_box("sink", Sinks)
///     .run("rule_2_5_second_subscription_is_canceled", Overrides::default());
/// assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
/// ```
pub trait BlackBoxSubject: Send + Sync + 'static {
    /// What is received.
    type Item: Send + 'static;
    /// What receives it.
    type Subscriber: Subscriber<Self::Item>;

    /// A subscriber.
    fn create_subscriber(&self) -> Self::Subscriber;

    /// The item of number `i`.
    fn create_element(&self, i: u64) -> Self::Item;

    /// A number by which items are told apart, so that a trace shows which one was sent.
    fn identify(&self, item: &Self::Item) -> Option<u64> {
        let _unused = item;
        None
    }

    /// Pokes a subscriber from outside that does not request before it is poked.
    fn trigger_request(&self, subscriber: &mut Self::Subscriber, n: u64) {
        let _unused = (subscriber, n);
    }

    /// Runs the work that the subscribers have pending, if it runs when it is driven.
    fn drive(&self) -> Option<Drive> {
        None
    }

    /// What the subscribers declare.
    fn capabilities(&self) -> SubscriberCapabilities {
        SubscriberCapabilities::new()
    }
}

/// A closure that makes subscribers of numbers.
pub(crate) struct Closure<F> {
    pub(crate) create: F,
    pub(crate) capabilities: SubscriberCapabilities,
}

impl<F, S> SubscriberSubject for Closure<F>
where
    F: Fn(SubscriberProbe<u64>) -> S + Send + Sync + 'static,
    S: Subscriber<u64>,
{
    type Item = u64;

    fn create_subscriber(&self, probe: SubscriberProbe<u64>) -> impl Subscriber<u64> {
        (self.create)(probe)
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        self.capabilities
    }
}

impl<F, S> BlackBoxSubject for Closure<F>
where
    F: Fn() -> S + Send + Sync + 'static,
    S: Subscriber<u64>,
{
    type Item = u64;
    type Subscriber = S;

    fn create_subscriber(&self) -> S {
        (self.create)()
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        self.capabilities
    }
}

/// A subscriber that was made, and what belongs to it.
pub(crate) struct Made {
    pub(crate) target: Box<dyn Target>,
    /// How it works, if not as it declares.
    pub(crate) mode: Option<Mode>,
    /// `None` for a black box.
    pub(crate) reports: Option<Arc<Reports>>,
}

type Create = dyn Fn(&Recorder) -> Option<Made> + Send + Sync;

/// A subscriber subject without its types.
#[derive(Clone)]
pub(crate) struct ErasedSubscriber {
    pub(crate) capabilities: SubscriberCapabilities,
    pub(crate) reports: bool,
    /// `None` if the code that makes the subscriber panicked, which the recorder then knows.
    pub(crate) create: Arc<Create>,
}

impl ErasedSubscriber {
    pub(crate) fn white_box<T: SubscriberSubject>(subject: T) -> Self {
        let subject = Arc::new(subject);
        let capabilities = subject.capabilities();
        let create = move |recorder: &Recorder| {
            let identify: Identify<T::Item> = {
                let subject = Arc::clone(&subject);
                Arc::new(move |item| subject.identify(item))
            };
            let reports = Reports::new(recorder);
            let probe = SubscriberProbe::new(&reports, &identify);
            made(recorder, || Made {
                target: Box::new(Typed {
                    subscriber: subject.create_subscriber(probe),
                    create: {
                        let subject = Arc::clone(&subject);
                        move |i| subject.create_element(i)
                    },
                    identify,
                    poke: |_: &mut _, _| {},
                    next: None,
                }),
                mode: subject.drive().map(Mode::Driven),
                reports: Some(reports),
            })
        };
        Self { capabilities, reports: true, create: Arc::new(create) }
    }

    pub(crate) fn black_box<T: BlackBoxSubject>(subject: T) -> Self {
        let subject = Arc::new(subject);
        let capabilities = subject.capabilities();
        let create = move |recorder: &Recorder| {
            let [maker, identifier, poker] = std::array::from_fn(|_| Arc::clone(&subject));
            made(recorder, || Made {
                target: Box::new(Typed {
                    subscriber: subject.create_subscriber(),
                    create: move |i| maker.create_element(i),
                    identify: Arc::new(move |item| identifier.identify(item)),
                    poke: move |subscriber: &mut _, n| poker.trigger_request(subscriber, n),
                    next: None,
                }),
                mode: subject.drive().map(Mode::Driven),
                reports: None,
            })
        };
        Self { capabilities, reports: false, create: Arc::new(create) }
    }
}

fn made(recorder: &Recorder, make: impl FnOnce() -> Made) -> Option<Made> {
    let made = catch_unwind(AssertUnwindSafe(make)).ok();
    if made.is_none() {
        recorder.fail_harness("the code that makes the subscriber panicked");
    }
    made
}

/// A subscriber with the parts that know its types.
pub(crate) struct Typed<T, S, C, P> {
    pub(crate) subscriber: S,
    pub(crate) create: C,
    pub(crate) identify: Identify<T>,
    pub(crate) poke: P,
    pub(crate) next: Option<T>,
}

impl<T, S, C, P> Target for Typed<T, S, C, P>
where
    T: Send + 'static,
    S: Subscriber<T>,
    C: Fn(u64) -> T + Send,
    P: Fn(&mut S, u64) + Send,
{
    fn initial_request(&mut self) -> u64 {
        self.subscriber.initial_request()
    }

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.subscriber.on_subscribe(subscription);
    }

    fn prepare(&mut self, index: u64) -> Option<u64> {
        let item = self.next.insert((self.create)(index));
        (self.identify)(item)
    }

    fn on_next(&mut self) {
        if let Some(item) = self.next.take() {
            self.subscriber.on_next(item);
        }
    }

    fn offer(&mut self) -> Offer {
        self.next.take().map_or(Offer::Accepted, |item| self.subscriber.offer(item))
    }

    fn on_error(self: Box<Self>, error: Error) {
        self.subscriber.on_error(error);
    }

    fn on_complete(self: Box<Self>) {
        self.subscriber.on_complete();
    }

    fn trigger(&mut self, n: u64) {
        (self.poke)(&mut self.subscriber, n);
    }
}
