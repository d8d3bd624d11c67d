//! `Puppet`: a publisher that a test steers.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use reactive_streams::{BoxSubscriber, Demand, Error, Publisher, Subscriber, Subscription};

/// The test's side of a publisher for one subscriber. It can obey the rules and break them: what is
/// named `force_*` does not look at demand or at a cancel, and
/// [`drop_subscriber`](Self::drop_subscriber) may come without an end.
///
/// A signal that is sent from inside another one finds no subscriber.
///
/// # Examples
///
/// ```
/// use millstream_testkit::{Probe, Puppet};
///
/// let (puppet, publisher) = Puppet::new();
/// let probe = Probe::subscribe_to(publisher);
/// assert_eq!(puppet.next("too early"), Err("too early"));
/// probe.request(1);
/// assert_eq!(puppet.next("in time"), Ok(()));
/// assert_eq!(probe.items(), ["in time"]);
/// ```
pub struct Puppet<T>(Arc<Strings<T>>);

/// The subscriber's side.
pub struct PuppetPublisher<T>(Arc<Strings<T>>);

struct Strings<T> {
    /// Taken out while it is signaled.
    subscriber: Mutex<Option<BoxSubscriber<T>>>,
    line: Arc<Line>,
}

/// What the subscriber asked for.
#[derive(Default)]
struct Line(Mutex<Asked>);

#[derive(Clone, Copy, Default)]
struct Asked {
    outstanding: Demand,
    total: Demand,
    n_requests: usize,
    n_cancels: usize,
}

impl<T: Send + 'static> Puppet<T> {
    /// A puppet without a subscriber, and the publisher to subscribe to.
    #[must_use]
    pub fn new() -> (Self, PuppetPublisher<T>) {
        let strings =
            Arc::new(Strings { subscriber: Mutex::new(None), line: Arc::new(Line::default()) });
        (Self(Arc::clone(&strings)), PuppetPublisher(strings))
    }

    /// Sends an item that was asked for.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no demand, or no subscriber.
    pub fn next(&self, item: T) -> Result<(), T> {
        let Some(subscriber) = self.0.subscriber.lock().take() else { return Err(item) };
        let is_due = {
            let mut asked = self.0.line.0.lock();
            asked.n_cancels == 0 && asked.outstanding.take(1) == 1
        };
        if !is_due {
            self.put_back(subscriber);
            return Err(item);
        }
        self.signal(subscriber, item);
        Ok(())
    }

    /// Sends an item, whether or not it was asked for.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no subscriber.
    pub fn force_next(&self, item: T) -> Result<(), T> {
        let Some(subscriber) = self.0.subscriber.lock().take() else { return Err(item) };
        self.signal(subscriber, item);
        Ok(())
    }

    /// Completes, even after a cancel, which an end may cross on its way. Does nothing without a
    /// subscriber.
    pub fn complete(&self) {
        let subscriber = self.0.subscriber.lock().take();
        if let Some(subscriber) = subscriber {
            subscriber.on_complete();
        }
    }

    /// Fails, even after a cancel, as [`complete`](Self::complete).
    pub fn fail(&self, error: Error) {
        let subscriber = self.0.subscriber.lock().take();
        if let Some(subscriber) = subscriber {
            subscriber.on_error(error);
        }
    }

    /// Calls `on_subscribe` once more, with another subscription. Whether that one was canceled,
    /// as rule 2.5 asks.
    pub fn force_second_subscription(&self) -> bool {
        let second = Arc::new(Line::default());
        let subscriber = self.0.subscriber.lock().take();
        if let Some(mut subscriber) = subscriber {
            subscriber.on_subscribe(Arc::clone(&second) as Arc<dyn Subscription>);
            self.put_back(subscriber);
        }
        let n_cancels = second.0.lock().n_cancels;
        n_cancels > 0
    }

    /// Lets go of the subscriber: after a cancel, as rule 3.13 asks, or without a terminal signal.
    pub fn drop_subscriber(&self) {
        let subscriber = self.0.subscriber.lock().take();
        drop(subscriber);
    }

    /// What was asked for and not sent.
    #[must_use]
    pub fn demand(&self) -> Demand {
        self.0.line.0.lock().outstanding
    }

    /// What was asked for in all.
    #[must_use]
    pub fn requested(&self) -> Demand {
        self.0.line.0.lock().total
    }

    /// In how many requests.
    #[must_use]
    pub fn n_requests(&self) -> usize {
        self.0.line.0.lock().n_requests
    }

    /// Whether there was a cancel.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.0.line.0.lock().n_cancels > 0
    }

    fn signal(&self, mut subscriber: BoxSubscriber<T>, item: T) {
        subscriber.on_next(item);
        self.put_back(subscriber);
    }

    fn put_back(&self, subscriber: BoxSubscriber<T>) {
        *self.0.subscriber.lock() = Some(subscriber);
    }
}

impl<T: Send + 'static> Publisher for PuppetPublisher<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, subscriber: S) {
        let mut subscriber = BoxSubscriber::new(subscriber);
        let line = Arc::clone(&self.0.line);
        subscriber.on_subscribe(line as Arc<dyn Subscription>);
        *self.0.subscriber.lock() = Some(subscriber);
    }
}

impl Subscription for Line {
    fn request(&self, n: u64) {
        let mut asked = self.0.lock();
        asked.n_requests += 1;
        asked.outstanding.add(n);
        asked.total.add(n);
    }

    fn cancel(&self) {
        self.0.lock().n_cancels += 1;
    }
}

impl<T> Clone for Puppet<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Puppet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Puppet").field("demand", &self.0.line.0.lock().outstanding).finish()
    }
}

impl<T> fmt::Debug for PuppetPublisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PuppetPublisher").finish_non_exhaustive()
    }
}
