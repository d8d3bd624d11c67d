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
    pub(crate) requested: u64,
    pub(crate) delivered: u64,
    /// The most that was requested and not yet delivered.
    pub(crate) most_in_flight: u64,
}

/// A stage's counter. Counts batches, so that a lock for each is cheap.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) name: &'static str,
    count: Arc<Mutex<Count>>,
}

impl Meter {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, count: Arc::default() }
    }

    pub(crate) fn count(&self) -> Count {
        *self.count.lock()
    }

    /// `source`, counted.
    pub(crate) fn over<P: Publisher>(&self, source: P) -> Metered<P> {
        Metered { source, meter: self.clone() }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("name", &self.name).finish_non_exhaustive()
    }
}

pub(crate) struct Metered<P> {
    source: P,
    meter: Meter,
}

impl<P: Publisher> Publisher for Metered<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(MeteredSubscriber { downstream, meter: self.meter });
    }
}

struct MeteredSubscriber<S> {
    downstream: S,
    meter: Meter,
}

impl<T, S: Subscriber<T>> Subscriber<T> for MeteredSubscriber<S> {
    fn on_subscribe(&mut self, upstream: Arc<dyn Subscription>) {
        let meter = self.meter.clone();
        self.downstream.on_subscribe(Arc::new(MeteredSubscription { upstream, meter }));
    }

    fn on_next(&mut self, item: T) {
        self.meter.count.lock().delivered += 1;
        self.downstream.on_next(item);
    }

    fn offer(&mut self, item: T) -> Offer {
        let offer = self.downstream.offer(item);
        if offer != Offer::Skipped {
            self.meter.count.lock().delivered += 1;
        }
        offer
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
            let in_flight = count.requested.saturating_sub(count.delivered);
            count.most_in_flight = count.most_in_flight.max(in_flight);
        }
        self.upstream.request(n);
    }

    fn cancel(&self) {
        self.upstream.cancel();
    }
}
