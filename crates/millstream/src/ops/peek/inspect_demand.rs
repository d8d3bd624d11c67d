//! `inspect_demand`: counts what is asked for and what comes, to be read while it runs.

use std::sync::Arc;

use millstream_kernel::{Gauge, Gauges, Passed};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, ops::peek::registry::Registry};

impl<P: Publisher> Flow<P> {
    /// Counts the requests and items that pass here, under a name, in a registry that can be read
    /// and printed while the flow runs.
    ///
    /// The places of a flow stand in its registry in the order in which they are written, so that
    /// each flow has a registry of its own. Subscribing begins anew at the place: what is read is
    /// the latest subscription. For flows that stand still, see [`stalls`](crate::stalls).
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Registry, range};
    /// use millstream_testkit::Probe;
    ///
    /// let registry = Registry::new();
    /// let flow = range(1..=9)
    ///     .inspect_demand("numbers", &registry)
    ///     .filter(|n| n % 2 == 0)
    ///     .inspect_demand("even", &registry);
    /// let probe = Probe::subscribe_to(flow);
    /// probe.request(3);
    ///
    /// let [numbers, even] = &registry.stages()[..] else { unreachable!() };
    /// assert_eq!((numbers.delivered, numbers.skipped), (6, 3));
    /// assert_eq!((even.requested, even.delivered), (3, 3));
    /// println!("{registry}");
    /// ```
    pub fn inspect_demand(self, name: &str, registry: &Registry) -> Flow<InspectDemand<P>> {
        let number = registry.gauges().add(name);
        let gauges = Arc::clone(registry.gauges());
        Flow { source: InspectDemand { source: self.source, gauges, number } }
    }
}

/// Publisher returned by [`Flow::inspect_demand`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct InspectDemand<P> {
    source: P,
    gauges: Arc<Gauges>,
    /// That of the place.
    number: usize,
}

impl<P: Publisher> Publisher for InspectDemand<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let gauge = self.gauges.start(self.number);
        self.source.subscribe(InspectDemandSubscriber { downstream, gauge });
    }
}

opaque_debug!(InspectDemand<P>);
backpressure!(InspectDemand<P>, PassThrough);

struct InspectDemandSubscriber<S> {
    downstream: S,
    gauge: Arc<Gauge>,
}

impl<T, S: Subscriber<T>> Subscriber<T> for InspectDemandSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let gauge = Arc::clone(&self.gauge);
        self.downstream.on_subscribe(Arc::new(Counted { subscription, gauge }));
    }

    fn on_next(&mut self, item: T) {
        self.gauge.deliver();
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.gauge.deliver();
        let offer = self.downstream.offer(item);
        match offer {
            Offer::Accepted => {}
            Offer::Skipped => self.gauge.skip(),
            // As if it had canceled.
            Offer::Finished => self.gauge.end(Passed::Cancel),
        }
        offer
    }

    fn on_error(self, error: Error) {
        self.gauge.end(Passed::Failure);
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.gauge.end(Passed::Completion);
        self.downstream.on_complete();
    }
}

struct Counted {
    subscription: Arc<dyn Subscription>,
    gauge: Arc<Gauge>,
}

impl Subscription for Counted {
    fn request(&self, n: u64) {
        self.gauge.request(n);
        self.subscription.request(n);
    }

    fn cancel(&self) {
        self.gauge.end(Passed::Cancel);
        self.subscription.cancel();
    }
}
