//! `skip_while`: drops items until a predicate fails.

use millstream_kernel::Upstream;
use reactive_streams::{Offer, Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Drops items as long as `predicate` holds, and then none.
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
    /// check("--1--2--1--|", |source| source.skip_while(|item| *item == '1'), "-----2--1--|");
    /// ```
    pub fn skip_while<F>(self, predicate: F) -> Flow<SkipWhile<P, F>>
    where
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        Flow { source: SkipWhile { source: self.source, predicate } }
    }
}

/// Publisher returned by [`Flow::skip_while`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SkipWhile<P, F> {
    source: P,
    predicate: F,
}

impl<P, F> Publisher for SkipWhile<P, F>
where
    P: Publisher,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(SkipWhileSubscriber {
            downstream,
            upstream: Upstream::unset(),
            predicate: self.predicate,
            is_open: false,
        });
    }
}

opaque_debug!(SkipWhile<P, F>);
backpressure!(SkipWhile<P, F>, PassThrough);

struct SkipWhileSubscriber<S, F> {
    downstream: S,
    upstream: Upstream,
    predicate: F,
    is_open: bool,
}

impl<S, F> SkipWhileSubscriber<S, F> {
    /// Whether `item` passes.
    #[inline]
    fn opens<T>(&mut self, item: &T) -> bool
    where
        F: FnMut(&T) -> bool,
    {
        self.is_open = self.is_open || !(self.predicate)(item);
        self.is_open
    }
}

impl<T, S, F> Subscriber<T> for SkipWhileSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnMut(&T) -> bool + Send + 'static,
{
    forward!(on_subscribe, initial_request, on_error, on_complete);

    #[inline]
    fn on_next(&mut self, item: T) {
        if self.opens(&item) {
            self.downstream.on_next(item);
        } else {
            self.upstream.request(1);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.opens(&item) { self.downstream.offer(item) } else { Offer::Skipped }
    }
}
