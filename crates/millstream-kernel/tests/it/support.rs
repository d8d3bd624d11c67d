//! What the tests share: an item that counts its drop, a subscription, a subscriber and a source
//! that write down what happens to them.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task,
};

use millstream_kernel::{End, Gate, Source, Step};
use parking_lot::Mutex;
use reactive_streams::{Error, ErrorKind, Offer, Subscriber, Subscription};

/// An item that counts its drop.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) number: u64,
    n_dropped: Arc<AtomicUsize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.n_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes items that count their drops.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicUsize>);

impl Counter {
    pub(crate) fn item(&self, number: u64) -> Counted {
        Counted { number, n_dropped: Arc::clone(&self.0) }
    }

    pub(crate) fn n_dropped(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a subscription was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Request(u64),
    Cancel,
}

/// A subscription that writes down what it is told.
#[derive(Default)]
pub(crate) struct Line(Mutex<Vec<Told>>);

impl Line {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The same, as what a part is given.
    pub(crate) fn shared(self: &Arc<Self>) -> Arc<dyn Subscription> {
        Arc::clone(self) as Arc<dyn Subscription>
    }

    /// What it was told since the last look.
    pub(crate) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl Subscription for Line {
    fn request(&self, n: u64) {
        self.0.lock().push(Told::Request(n));
    }

    fn cancel(&self) {
        self.0.lock().push(Told::Cancel);
    }
}

/// What became of a source and its subscriber, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Item(u64),
    Completed,
    Failed(ErrorKind),
    /// The subscriber.
    Dropped,
    Advanced,
    SourceCanceled,
    SourceDropped,
}

/// The test's view of a gate.
///
/// A subscriber has a clone of it, and it keeps the subscription: the test's own lets go of that,
/// so that a stream without an end is freed with the test.
pub(crate) struct Watch {
    watched: Arc<Watched>,
    is_of_test: bool,
}

#[derive(Default)]
struct Watched {
    events: Mutex<Vec<Event>>,
    subscription: Mutex<Option<Arc<dyn Subscription>>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { watched: Arc::default(), is_of_test: true }
    }
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        Self { watched: Arc::clone(&self.watched), is_of_test: false }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_of_test {
            self.release();
        }
    }
}

impl Watch {
    /// What happened since the last look.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.watched.events.lock())
    }

    pub(crate) fn note(&self, event: Event) {
        self.watched.events.lock().push(event);
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.watched.subscription.lock().is_some()
    }

    pub(crate) fn subscription(&self) -> Arc<dyn Subscription> {
        self.watched.subscription.lock().clone().expect("the subscriber was subscribed")
    }

    /// Drops the watch's share of the subscription.
    pub(crate) fn release(&self) {
        let subscription = self.watched.subscription.lock().take();
        drop(subscription);
    }

    pub(crate) fn request(&self, n: u64) {
        self.subscription().request(n);
    }

    pub(crate) fn cancel(&self) {
        self.subscription().cancel();
    }
}

/// What items that come ahead of the subscription have in its place.
struct Nobody;

impl Subscription for Nobody {
    fn request(&self, _: u64) {}
    fn cancel(&self) {}
}

type OnSubscribe = Box<dyn FnMut(&dyn Subscription) + Send>;
type OnItem = Box<dyn FnMut(&dyn Subscription, u64) -> Offer + Send>;
type OnDrop = Box<dyn FnMut() + Send>;

/// A subscriber that writes down what happens to it, and does what the test says.
pub(crate) struct Recorder {
    watch: Watch,
    ahead: u64,
    on_subscribe: OnSubscribe,
    on_item: OnItem,
    on_end: OnDrop,
    on_drop: OnDrop,
}

impl Recorder {
    pub(crate) fn new(watch: &Watch) -> Self {
        Self {
            watch: watch.clone(),
            ahead: 0,
            on_subscribe: Box::new(|_| ()),
            on_item: Box::new(|_, _| Offer::Accepted),
            on_end: Box::new(|| ()),
            on_drop: Box::new(|| ()),
        }
    }

    pub(crate) fn on_subscribe(
        mut self,
        f: impl FnMut(&dyn Subscription) + Send + 'static,
    ) -> Self {
        self.on_subscribe = Box::new(f);
        self
    }

    pub(crate) fn on_item(
        mut self,
        f: impl FnMut(&dyn Subscription, u64) -> Offer + Send + 'static,
    ) -> Self {
        self.on_item = Box::new(f);
        self
    }

    /// Asks for `n` items ahead of the subscription.
    pub(crate) fn ahead(mut self, n: u64) -> Self {
        self.ahead = n;
        self
    }

    /// Runs in the terminal signal, after it was written down.
    pub(crate) fn on_end(mut self, f: impl FnMut() + Send + 'static) -> Self {
        self.on_end = Box::new(f);
        self
    }

    /// Runs in the drop, after it was written down.
    pub(crate) fn on_drop(mut self, f: impl FnMut() + Send + 'static) -> Self {
        self.on_drop = Box::new(f);
        self
    }
}

impl Subscriber<u64> for Recorder {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        *self.watch.watched.subscription.lock() = Some(Arc::clone(&subscription));
        (self.on_subscribe)(&subscription);
    }

    fn initial_request(&mut self) -> u64 {
        std::mem::take(&mut self.ahead)
    }

    fn on_next(&mut self, _: u64) {
        unreachable!("a gate offers");
    }

    fn offer(&mut self, item: u64) -> Offer {
        self.watch.note(Event::Item(item));
        let subscription = self.watch.watched.subscription.lock().clone();
        match subscription {
            Some(subscription) => (self.on_item)(&subscription, item),
            None => (self.on_item)(&Nobody, item),
        }
    }

    fn on_error(mut self, error: Error) {
        self.watch.note(Event::Failed(error.kind()));
        (self.on_end)();
    }

    fn on_complete(mut self) {
        self.watch.note(Event::Completed);
        (self.on_end)();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.watch.note(Event::Dropped);
        (self.on_drop)();
    }
}

type OnNext = Box<dyn FnMut() -> Step<u64> + Send>;

/// A source that writes down what happens to it, and asks a closure of the test for items.
pub(crate) struct Script {
    watch: Watch,
    next: OnNext,
    known_end: Option<u64>,
    n_given: u64,
    on_cancel: OnDrop,
    on_drop: OnDrop,
}

impl Script {
    /// Asks `next` for items.
    pub(crate) fn new(watch: &Watch, next: impl FnMut() -> Step<u64> + Send + 'static) -> Self {
        Self {
            watch: watch.clone(),
            next: Box::new(next),
            known_end: None,
            n_given: 0,
            on_cancel: Box::new(|| ()),
            on_drop: Box::new(|| ()),
        }
    }

    /// The numbers from 1 to `n`, with an end that is known in advance.
    pub(crate) fn count(watch: &Watch, n: u64) -> Self {
        let mut items: VecDeque<u64> = (1..=n).collect();
        let next = move || items.pop_front().map_or(Step::End(End::Complete), Step::Item);
        let mut script = Self::new(watch, next);
        script.known_end = Some(n);
        script
    }

    /// The numbers from 1, without end.
    pub(crate) fn endless(watch: &Watch) -> Self {
        Self::new(watch, {
            let mut last = 0;
            move || {
                last += 1;
                Step::Item(last)
            }
        })
    }

    pub(crate) fn on_cancel(mut self, f: impl FnMut() + Send + 'static) -> Self {
        self.on_cancel = Box::new(f);
        self
    }

    pub(crate) fn on_drop(mut self, f: impl FnMut() + Send + 'static) -> Self {
        self.on_drop = Box::new(f);
        self
    }

    /// Subscribes `subscriber`, with turns on the calling thread.
    pub(crate) fn start(self, subscriber: Recorder) {
        Gate::start(self, subscriber);
    }
}

impl Source for Script {
    type Item = u64;

    fn next(&mut self) -> Step<u64> {
        self.n_given += 1;
        (self.next)()
    }

    fn end(&mut self) -> Option<End> {
        (self.known_end == Some(self.n_given)).then_some(End::Complete)
    }

    fn cancel(&mut self) {
        self.watch.note(Event::SourceCanceled);
        (self.on_cancel)();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.watch.note(Event::SourceDropped);
        (self.on_drop)();
    }
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub(crate) fn n_woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl task::Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
