//! `skip`: drops the first items.

use millstream_kernel::Upstream;
use reactive_streams::{Offer, Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Drops the first `n` items.
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
    /// check("--1--2--3--|", |source| source.skip(2), "--------3--|");
    /// ```
    pub fn skip(self, n: u64) -> Flow<Skip<P>> {
        Flow { source: Skip { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::skip`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Skip<P> {
    source: P,
    n: u64,
}

impl<P> Publisher for Skip<P>
where
    P: Publisher,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(SkipSubscriber {
            downstream,
            upstream: Upstream::unset(),
            n: self.n,
        });
    }
}

opaque_debug!(Skip<P>);
backpressure!(Skip<P>, PassThrough);

struct SkipSubscriber<S> {
    downstream: S,
    upstream: Upstream,
    n: u64,
}

impl<T, S> Subscriber<T> for SkipSubscriber<S>
where
    S: Subscriber<T>,
{
    forward!(on_subscribe, initial_request, on_error, on_complete);

    #[inline]
    fn on_next(&mut self, item: T) {
        if self.n == 0 {
            return self.downstream.on_next(item);
        }
        self.n -= 1;
        self.upstream.request(1);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.n == 0 {
            return self.downstream.offer(item);
        }
        self.n -= 1;
        Offer::Skipped
    }
}
