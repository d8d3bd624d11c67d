//! `map`: turns each item into another.

use std::sync::Arc;

use reactive_streams::{Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Turns each item into another.
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
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--|", |source| source.map(|item| item.to_digit(10).unwrap() * 3), "--3--6--|");
    /// ```
    pub fn map<U, F>(self, f: F) -> Flow<Map<P, F>>
    where
        F: FnMut(P::Item) -> U + Send + 'static,
    {
        Flow { source: Map { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Map<P, F> {
    source: P,
    f: F,
}

impl<P, U, F> Publisher for Map<P, F>
where
    P: Publisher,
    F: FnMut(P::Item) -> U + Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        self.source.subscribe(MapSubscriber { downstream, f: self.f });
    }
}

opaque_debug!(Map<P, F>);
backpressure!(Map<P, F>, PassThrough);

struct MapSubscriber<S, F> {
    downstream: S,
    f: F,
}

impl<T, U, S, F> Subscriber<T> for MapSubscriber<S, F>
where
    S: Subscriber<U>,
    F: FnMut(T) -> U + Send + 'static,
{
    forward!(initial_request, on_error, on_complete);

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next((self.f)(item));
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer((self.f)(item))
    }
}
