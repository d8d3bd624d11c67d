//! `filter`: keeps the items a predicate accepts.

use std::sync::Arc;

use millstream_kernel::Upstream;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Keeps the items for which `predicate` holds and drops the others.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. A dropped item uses no demand, so the downstream receives as many items
    /// as it asked for (rule 3.8).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--4--|", |source| source.filter(|item| "24".contains(*item)),
    ///     "-----2-----4--|");
    /// ```
    pub fn filter<F>(self, predicate: F) -> Flow<Filter<P, F>>
    where
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        Flow { source: Filter { source: self.source, predicate } }
    }
}

/// Publisher returned by [`Flow::filter`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Filter<P, F> {
    source: P,
    predicate: F,
}

impl<P, F> Publisher for Filter<P, F>
where
    P: Publisher,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(FilterSubscriber {
            downstream,
            upstream: Upstream::unset(),
            predicate: self.predicate,
        });
    }
}

opaque_debug!(Filter<P, F>);
backpressure!(Filter<P, F>, PassThrough);

struct FilterSubscriber<S, F> {
    downstream: S,
    upstream: Upstream,
    predicate: F,
}

impl<T, S, F> Subscriber<T> for FilterSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnMut(&T) -> bool + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            self.downstream.on_subscribe(subscription);
        }
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        self.downstream.initial_request()
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        if (self.predicate)(&item) {
            self.downstream.on_next(item);
        } else {
            self.upstream.request(1);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if (self.predicate)(&item) { self.downstream.offer(item) } else { Offer::Skipped }
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
