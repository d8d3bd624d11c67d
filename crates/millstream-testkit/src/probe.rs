//! `Probe`: a subscriber that a test steers.

use std::{
    fmt,
    sync::Arc,
    thread::{self, ThreadId},
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use reactive_streams::{Error, Publisher, Subscriber, Subscription};

/// How long [`Probe::wait_for`] waits for a signal unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

/// The test's side of a subscriber: requests, cancels, and tells what was signaled.
///
/// # Examples
///
/// ```
/// use millstream_testkit::Probe;
///
/// let probe = Probe::subscribe_to(millstream::range(1..=3));
/// probe.request(2);
/// assert_eq!(probe.items(), [1, 2]);
/// probe.request(2);
/// assert!(probe.is_completed());
/// ```
pub struct Probe<T>(Arc<Shared<T>>);

/// The publisher's side.
pub struct ProbeSubscriber<T>(Arc<Shared<T>>);

/// A signal, and the thread it came on.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// What was signaled.
    pub signal: Signal<T>,
    /// On which thread.
    pub thread: ThreadId,
}

/// What a subscriber can be told.
#[derive(Clone, Debug)]
pub enum Signal<T> {
    /// `on_subscribe`.
    Subscribed,
    /// `on_next`.
    Next(T),
    /// `on_error`.
    Failed(Error),
    /// `on_complete`.
    Completed,
    /// The subscriber was dropped.
    Dropped,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    records: Vec<Record<T>>,
    subscription: Option<Arc<dyn Subscription>>,
    request_in_on_subscribe: u64,
    request_in_on_next: u64,
    cancel_at: Option<usize>,
    n_items: usize,
    n_signals: usize,
    patience: Duration,
}

impl<T: Send + 'static> Probe<T> {
    /// A probe that asks for nothing by itself, and its subscriber.
    #[must_use]
    pub fn new() -> (Self, ProbeSubscriber<T>) {
        let state = State {
            records: Vec::new(),
            subscription: None,
            request_in_on_subscribe: 0,
            request_in_on_next: 0,
            cancel_at: None,
            n_items: 0,
            n_signals: 0,
            patience: PATIENCE,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        (Self(Arc::clone(&shared)), ProbeSubscriber(shared))
    }

    /// A probe that is subscribed to `publisher`.
    pub fn subscribe_to(publisher: impl Publisher<Item = T>) -> Self {
        let (probe, subscriber) = Self::new();
        publisher.subscribe(subscriber);
        probe
    }

    /// Asks for `n` items from inside `on_subscribe`.
    pub fn request_in_on_subscribe(&self, n: u64) -> &Self {
        self.0.state.lock().request_in_on_subscribe = n;
        self
    }

    /// Asks for `n` items from inside each `on_next`.
    pub fn request_in_on_next(&self, n: u64) -> &Self {
        self.0.state.lock().request_in_on_next = n;
        self
    }

    /// Cancels from inside the `on_next` of item number `n`, counting from 1; with 0, from inside
    /// `on_subscribe`.
    pub fn cancel_at(&self, n: usize) -> &Self {
        self.0.state.lock().cancel_at = Some(n);
        self
    }

    /// How long the methods that wait do so without a signal before they give up; at first 20
    /// seconds.
    pub fn patience(&self, patience: Duration) -> &Self {
        self.0.state.lock().patience = patience;
        self
    }

    /// Asks for `n` items.
    ///
    /// # Panics
    ///
    /// If there was no `on_subscribe`.
    #[track_caller]
    pub fn request(&self, n: u64) {
        self.subscription().request(n);
    }

    /// Cancels.
    ///
    /// # Panics
    ///
    /// If there was no `on_subscribe`.
    #[track_caller]
    pub fn cancel(&self) {
        self.subscription().cancel();
    }

    /// The subscription.
    ///
    /// # Panics
    ///
    /// If there was no `on_subscribe`.
    #[track_caller]
    #[must_use]
    pub fn subscription(&self) -> Arc<dyn Subscription> {
        self.0.state.lock().subscription.clone().expect("on_subscribe was not called")
    }

    /// Everything that was signaled, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record<T>>
    where
        T: Clone,
    {
        self.0.state.lock().records.clone()
    }

    /// The items so far.
    #[must_use]
    pub fn items(&self) -> Vec<T>
    where
        T: Clone,
    {
        let state = self.0.state.lock();
        let items = state.records.iter().filter_map(|record| match &record.signal {
            Signal::Next(item) => Some(item.clone()),
            _ => None,
        });
        items.collect()
    }

    /// Takes the items so far out of the [records](Self::records), for items that are not `Clone`.
    #[must_use = "what is taken is dropped"]
    pub fn take_items(&self) -> Vec<T> {
        let mut state = self.0.state.lock();
        let (items, others): (Vec<_>, Vec<_>) = std::mem::take(&mut state.records)
            .into_iter()
            .partition(|record| matches!(record.signal, Signal::Next(_)));
        state.records = others;
        drop(state);
        let items = items.into_iter().filter_map(|record| match record.signal {
            Signal::Next(item) => Some(item),
            _ => None,
        });
        items.collect()
    }

    /// How many items there were.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.0.state.lock().n_items
    }

    /// Whether `on_complete` was called.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.count(|signal| matches!(signal, Signal::Completed)) == 1
    }

    /// The error that ended the stream.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.0.state.lock().records.iter().find_map(|record| match &record.signal {
            Signal::Failed(error) => Some(error.clone()),
            _ => None,
        })
    }

    /// Whether there was a terminal signal.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_completed() || self.error().is_some()
    }

    /// Whether the publisher has let go of the subscriber (rule 3.13).
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.count(|signal| matches!(signal, Signal::Dropped)) == 1
    }

    /// Waits until `is_so`, for publishers on other threads. Looks again at every signal.
    ///
    /// # Panics
    ///
    /// If no signal comes for as long as the [`patience`](Self::patience) lasts.
    #[track_caller]
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        loop {
            let n_before = self.0.state.lock().n_signals;
            if is_so(self) {
                return;
            }
            let mut state = self.0.state.lock();
            if state.n_signals == n_before {
                let patience = state.patience;
                let waited = self.0.changed.wait_for(&mut state, patience);
                drop(state);
                assert!(!waited.timed_out() || is_so(self), "waited in vain for {what}");
            }
        }
    }

    /// Waits for a terminal signal.
    ///
    /// # Panics
    ///
    /// As [`wait_for`](Self::wait_for).
    #[track_caller]
    pub fn wait_until_ended(&self) {
        self.wait_for("a terminal signal", Self::is_ended);
    }

    fn count(&self, is_such: impl Fn(&Signal<T>) -> bool) -> usize {
        self.0.state.lock().records.iter().filter(|record| is_such(&record.signal)).count()
    }
}

impl<T> Shared<T> {
    fn record(&self, signal: Signal<T>) {
        let record = Record { signal, thread: thread::current().id() };
        let mut state = self.state.lock();
        state.n_items += usize::from(matches!(record.signal, Signal::Next(_)));
        state.n_signals += 1;
        state.records.push(record);
        drop(state);
        self.changed.notify_all();
    }
}

impl<T: Send + 'static> Subscriber<T> for ProbeSubscriber<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let (n, is_canceled) = {
            let mut state = self.0.state.lock();
            if state.subscription.is_some() {
                drop(state);
                return subscription.cancel();
            }
            state.subscription = Some(Arc::clone(&subscription));
            (state.request_in_on_subscribe, state.cancel_at == Some(0))
        };
        self.0.record(Signal::Subscribed);
        if is_canceled {
            subscription.cancel();
        } else if n > 0 {
            subscription.request(n);
        }
    }

    fn on_next(&mut self, item: T) {
        self.0.record(Signal::Next(item));
        let (n, subscription, is_canceled) = {
            let state = self.0.state.lock();
            let is_canceled = state.cancel_at == Some(state.n_items);
            (state.request_in_on_next, state.subscription.clone(), is_canceled)
        };
        if let Some(subscription) = subscription {
            if is_canceled {
                subscription.cancel();
            } else if n > 0 {
                subscription.request(n);
            }
        }
    }

    fn on_error(self, error: Error) {
        self.0.record(Signal::Failed(error));
    }

    fn on_complete(self) {
        self.0.record(Signal::Completed);
    }
}

impl<T> Drop for ProbeSubscriber<T> {
    fn drop(&mut self) {
        self.0.record(Signal::Dropped);
    }
}

impl<T> Clone for Probe<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Probe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_records = self.0.state.lock().records.len();
        f.debug_struct("Probe").field("n_records", &n_records).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ProbeSubscriber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbeSubscriber").finish_non_exhaustive()
    }
}
