//! `on_backpressure_drop`: what nobody asked for goes.

use std::sync::Arc;

use millstream_kernel::{Allowance, Upstream, after_turn};
use reactive_streams::{Demand, Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Asks the source for everything, and hands the items for which there is no demand to
    /// `on_dropped`.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound. No item
    /// waits.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. If `on_dropped` panics, fails with an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let probe = Probe::subscribe_to(millstream::range(1..=5).on_backpressure_drop(drop));
    /// probe.request(2);
    /// assert_eq!(probe.items(), [1, 2]);
    /// assert!(probe.is_completed());
    /// ```
    pub fn on_backpressure_drop<F>(self, on_dropped: F) -> Flow<OnBackpressureDrop<P, F>>
    where
        F: FnMut(P::Item) + Send + 'static,
    {
        Flow { source: OnBackpressureDrop { source: self.source, on_dropped } }
    }
}

/// Publisher returned by [`Flow::on_backpressure_drop`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnBackpressureDrop<P, F> {
    source: P,
    on_dropped: F,
}

impl<P, F> Publisher for OnBackpressureDrop<P, F>
where
    P: Publisher,
    F: FnMut(P::Item) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(DropSubscriber {
            downstream,
            upstream: Upstream::unset(),
            allowance: None,
            on_dropped: self.on_dropped,
        });
    }
}

backpressure!(OnBackpressureDrop<P, F>, Shed);
opaque_debug!(OnBackpressureDrop<P, F>);

struct DropSubscriber<S, F> {
    downstream: S,
    upstream: Upstream,
    /// What the downstream has asked for.
    allowance: Option<Arc<Allowance>>,
    on_dropped: F,
}

impl<T, S, F> Subscriber<T> for DropSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnMut(T) + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            let allowance = Arc::new(Allowance::new(subscription, Demand::UNBOUNDED.get()));
            self.allowance = Some(Arc::clone(&allowance));
            self.downstream.on_subscribe(allowance);
        }
    }

    fn on_next(&mut self, item: T) {
        // The source's demand is without bound, so a skipped item needs no other in its place.
        if self.offer(item) == Offer::Finished {
            self.upstream.cancel();
        }
    }

    fn offer(&mut self, item: T) -> Offer {
        let Some(allowance) = &self.allowance else { return Offer::Finished };
        let is_asked_for = allowance.take() || {
            // What those on this thread have put off may ask for more.
            after_turn::flush();
            allowance.take()
        };
        if !is_asked_for {
            (self.on_dropped)(item);
            return Offer::Skipped;
        }
        let offer = self.downstream.offer(item);
        if offer == Offer::Skipped {
            allowance.give_back();
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
