//! `filter_map`: turns each item into another, or drops it.

use millstream_kernel::Upstream;
use reactive_streams::{Offer, Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Turns each item into another, and drops those for which `f` returns `None`.
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
    /// check("--1--x--3--|", |source| source.filter_map(|item| item.to_digit(10)), "--1-----3--|");
    /// ```
    pub fn filter_map<U, F>(self, f: F) -> Flow<FilterMap<P, F>>
    where
        F: FnMut(P::Item) -> Option<U> + Send + 'static,
    {
        Flow { source: FilterMap { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::filter_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FilterMap<P, F> {
    source: P,
    f: F,
}

impl<P, U, F> Publisher for FilterMap<P, F>
where
    P: Publisher,
    F: FnMut(P::Item) -> Option<U> + Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        self.source.subscribe(FilterMapSubscriber {
            downstream,
            upstream: Upstream::unset(),
            f: self.f,
        });
    }
}

opaque_debug!(FilterMap<P, F>);
backpressure!(FilterMap<P, F>, PassThrough);

struct FilterMapSubscriber<S, F> {
    downstream: S,
    upstream: Upstream,
    f: F,
}

impl<T, U, S, F> Subscriber<T> for FilterMapSubscriber<S, F>
where
    S: Subscriber<U>,
    F: FnMut(T) -> Option<U> + Send + 'static,
{
    forward!(on_subscribe, initial_request, on_error, on_complete);

    #[inline]
    fn on_next(&mut self, item: T) {
        match (self.f)(item) {
            Some(item) => self.downstream.on_next(item),
            None => self.upstream.request(1),
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        match (self.f)(item) {
            Some(item) => self.downstream.offer(item),
            None => Offer::Skipped,
        }
    }
}
