//! `skip_last`: drops the last items.

use std::collections::VecDeque;

use millstream_kernel::Upstream;
use reactive_streams::{Offer, Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Drops the last `n` items: passes each on once there are `n` later ones.
    ///
    /// Up to `n` items are held.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. The first `n` items use no demand, because nothing is passed on for
    /// them.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source; the items that are held are dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--|", |source| source.skip_last(1), "-----1--2--|");
    /// ```
    pub fn skip_last(self, n: usize) -> Flow<SkipLast<P>>
    where
        P::Item: Send + 'static,
    {
        Flow { source: SkipLast { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::skip_last`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SkipLast<P> {
    source: P,
    n: usize,
}

impl<P> Publisher for SkipLast<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(SkipLastSubscriber {
            downstream,
            upstream: Upstream::unset(),
            n: self.n,
            held: VecDeque::new(),
        });
    }
}

backpressure!(SkipLast<P>, Queue, |this| this.n);
opaque_debug!(SkipLast<P>);

struct SkipLastSubscriber<T, S> {
    downstream: S,
    upstream: Upstream,
    n: usize,
    /// The last items so far, at most `n` of them.
    held: VecDeque<T>,
}

impl<T, S> SkipLastSubscriber<T, S> {
    /// Holds `item`, and gives the one that it pushes out.
    #[inline]
    fn shift(&mut self, item: T) -> Option<T> {
        if self.n == 0 {
            return Some(item);
        }
        let first = if self.held.len() == self.n { self.held.pop_front() } else { None };
        self.held.push_back(item);
        first
    }
}

impl<T, S> Subscriber<T> for SkipLastSubscriber<T, S>
where
    T: Send + 'static,
    S: Subscriber<T>,
{
    forward!(on_subscribe, initial_request, on_error, on_complete);

    #[inline]
    fn on_next(&mut self, item: T) {
        match self.shift(item) {
            Some(first) => self.downstream.on_next(first),
            None => self.upstream.request(1),
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.shift(item).map_or(Offer::Skipped, |first| self.downstream.offer(first))
    }
}
