//! An operator of the example's own: counts what passes a stage.
//!
//! It is also an example of an operator outside of the library: a publisher, its subscriber, and a
//! subscription that stands between.

use std::{fmt, sync::Arc};

use millstream::{Error, Offer, Publisher, Subscriber, Subscription};
use parking_lot::Mutex;

/// What passed a stage.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// What the next stage asked of this one.
    pub(crate) requested: u64,
    /// What came in, or was begun.
    entered: u64,
    /// What went out.
    pub(crate) delivered: u64,
    /// The most that was in and not yet out: waiting before the stage, or inside it.
    pub(crate) most_in_flight: u64,
}

/// A stage's counter. No item is so small that a lock for each matters: the smallest are minutes
/// and batches of lines.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) name: &'static str,
    /// What it counts.
    pub(crate) items: &'static str,
    count: Arc<Mutex<Count>>,
}

impl Meter {
    pub(crate) fn new(name: &'static str, items: &'static str) -> Self {
        Self { name, items, count: Arc::default() }
    }

    pub(crate) fn count(&self) -> Count {
        *self.count.lock()
    }

    /// Notes items that come in.
    pub(crate) fn enter(&self, n: u64) {
        let mut count = self.count.lock();
        count.entered += n;
        let in_flight = count.entered.saturating_sub(count.delivered);
        count.most_in_flight = count.most_in_flight.max(in_flight);
    }

    /// Notes items that go out.
    pub(crate) fn deliver(&self, n: u64) {
        self.count.lock().delivered += n;
    }

    /// `source`, which is what the stage gives, counted here as delivered and as coming into
    /// `next`.
    pub(crate) fn over<P: Publisher>(&self, source: P, next: Option<&Self>) -> Metered<P> {
        Metered { source, ends: Ends { meter: self.clone(), next: next.cloned() } }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("name", &self.name).finish_non_exhaustive()
    }
}

pub(crate) struct Metered<P> {
    source: P,
    ends: Ends,
}

/// The stage that an item leaves, and the one that it comes to.
struct Ends {
    meter: Meter,
    next: Option<Meter>,
}

impl Ends {
    /// Before the item is passed on, because it may be through the next stage when that returns.
    fn pass(&self) {
        self.meter.deliver(1);
        if let Some(next) = &self.next {
            next.enter(1);
        }
    }
}

impl<P: Publisher> Publisher for Metered<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(MeteredSubscriber { downstream, ends: self.ends });
    }
}

struct MeteredSubscriber<S> {
    downstream: S,
    ends: Ends,
}

impl<T, S: Subscriber<T>> Subscriber<T> for MeteredSubscriber<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        let meter = self.ends.meter.clone();
        self.downstream.on_subscribe(Arc::new(MeteredSubscription { upstream, meter }));
    }

    fn on_next(&mut self, item: T) {
        self.ends.pass();
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        self.ends.pass();
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}

struct MeteredSubscription {
    upstream: Arc<dyn Subscription>,
    meter: Meter,
}

impl Subscription for MeteredSubscription {
    fn request(&self, n: u64) {
        {
            let mut count = self.meter.count.lock();
            count.requested = count.requested.saturating_add(n);
        }
        self.upstream.request(n);
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}
