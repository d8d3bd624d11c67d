//! The subscriber that an operator puts before its downstream, under the TCK.
//!
//! The operator stands between the TCK's publisher and an end that reports what reaches it, so that
//! the rules of subscribers are judged on what the operator does with its source: how it asks,
//! passes items and ends on, cancels, and takes a second subscription.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use millstream::{
    BoxPublisher, BoxSubscriber, Error, Flow, Publisher, Subscriber, Subscription,
    scheduler::VirtualTime,
};
use reactive_streams_tck::{
    BlackBoxSubject, Overrides, Subject, SubscriberCapabilities, SubscriberProbe, SubscriberSubject,
};

/// What the TCK sends, as a flow.
pub(crate) type Sent = Flow<Capture>;

/// Hands its subscriber over instead of sending anything.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Option<BoxSubscriber<u64>>>>);

impl Publisher for Capture {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        *locked(&self.0) = Some(BoxSubscriber::new(subscriber));
    }
}

impl Capture {
    /// The subscriber of a flow from here that `run` subscribes to.
    pub(crate) fn of(run: impl FnOnce(Flow<Self>)) -> BoxSubscriber<u64> {
        let capture = Self::default();
        run(Flow::from(capture.clone()));
        capture.taken()
    }

    fn has_come(&self) -> bool {
        locked(&self.0).is_some()
    }

    fn taken(self) -> BoxSubscriber<u64> {
        let captured = locked(&self.0).take();
        captured.expect("the flow was subscribed to")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no lock is held in a panic")
}

/// Keeps an outcome, whose drop would cancel, for as long as the test's process lives.
pub(crate) fn keep<T>(outcome: T) {
    Box::leak(Box::new(outcome));
}

/// Operators that pass every item on as it is: all that the TCK sends has to reach the end.
struct Relay {
    operator: fn(Sent, &VirtualTime) -> Flow<BoxPublisher<u64>>,
    clock: VirtualTime,
}

impl SubscriberSubject for Relay {
    type Item = u64;

    fn create_subscriber(&self, probe: SubscriberProbe<u64>) -> impl Subscriber<u64> {
        let capture = Capture::default();
        let kept = Arc::default();
        let reporter = Reporter { probe, kept: Arc::clone(&kept) };
        (self.operator)(Flow::from(capture.clone()), &self.clock).subscribe(reporter);
        self.clock.run();
        if !capture.has_come() {
            // Behind a `flat_map`, a flow comes with an item that has to be asked for first.
            let subscription = locked(&kept).clone();
            subscription.expect("the end is subscribed").request(1);
            self.clock.run();
        }
        capture.taken()
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn drive(&self) -> Option<Box<dyn Fn() + Send>> {
        Some(drive(&self.clock))
    }
}

/// Operators that make something else of the items: what they do with their source is judged alone.
struct Changer {
    operator: fn(Sent, &VirtualTime),
    capabilities: SubscriberCapabilities,
    clock: VirtualTime,
}

impl BlackBoxSubject for Changer {
    type Item = u64;
    type Subscriber = BoxSubscriber<u64>;

    fn create_subscriber(&self) -> BoxSubscriber<u64> {
        Capture::of(|flow| {
            (self.operator)(flow, &self.clock);
            self.clock.run();
        })
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn drive(&self) -> Option<Box<dyn Fn() + Send>> {
        Some(drive(&self.clock))
    }

    fn capabilities(&self) -> SubscriberCapabilities {
        self.capabilities
    }
}

fn drive(clock: &VirtualTime) -> Box<dyn Fn() + Send> {
    let clock = clock.clone();
    Box::new(move || clock.advance(Duration::from_secs(1)))
}

/// The end of a relay's flow.
struct Reporter {
    probe: SubscriberProbe<u64>,
    kept: Arc<Mutex<Option<Arc<dyn Subscription>>>>,
}

impl Subscriber<u64> for Reporter {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        // An operator without a state leaves a second one to its downstream.
        let mut kept = locked(&self.kept);
        if kept.is_some() {
            drop(kept);
            return subscription.cancel();
        }
        *kept = Some(Arc::clone(&subscription));
        drop(kept);
        self.probe.on_subscribe(subscription);
    }

    fn on_next(&mut self, item: u64) {
        self.probe.on_next(&item);
    }

    fn on_error(self, error: Error) {
        self.probe.on_error(&error);
    }

    fn on_complete(self) {
        self.probe.on_complete();
    }
}

/// Makes every check of subscribers on a flow from the TCK to an end that reports.
#[track_caller]
pub(crate) fn judge_relay(name: &str, operator: fn(Sent, &VirtualTime) -> Flow<BoxPublisher<u64>>) {
    judge(&Subject::subscriber(name, Relay { operator, clock: VirtualTime::new() }));
}

/// Makes the checks of subscribers that need no reports.
#[track_caller]
pub(crate) fn judge_changer(
    name: &str,
    operator: fn(Sent, &VirtualTime),
    capabilities: SubscriberCapabilities,
) {
    judge(&Subject::black_box(name, Changer { operator, capabilities, clock: VirtualTime::new() }));
}

#[track_caller]
fn judge(subject: &Subject) {
    let mut n_executed = 0;
    let mut failures = Vec::new();
    for check in subject.checks() {
        let outcome = subject.run(check.name, Overrides::default());
        n_executed += usize::from(outcome.verdict.is_executed());
        if outcome.verdict.is_failure() {
            failures.push(outcome.message());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(n_executed > 20, "of the checks, {n_executed} were made");
}
