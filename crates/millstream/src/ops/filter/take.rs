//! `take`: passes the first items on.

use std::sync::Arc;

use millstream_kernel::{Cap, End, Upstream};
use reactive_streams::{Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::downstream::Downstream};

impl<P: Publisher> Flow<P> {
    /// Passes the first `n` items on, and then completes.
    ///
    /// # Demand
    ///
    /// Passed on, up to `n` items in all: a source behind a `take(3)` is never asked for a fourth.
    ///
    /// # Termination
    ///
    /// Completes with the `n`th item and stops the source; with an `n` of 0, as soon as it is
    /// subscribed to. Otherwise completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--|", |source| source.take(2), "--1--(2|)");
    /// ```
    #[doc(alias = "limit")]
    pub fn take(self, n: u64) -> Flow<Take<P>> {
        Flow { source: Take { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::take`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Take<P> {
    source: P,
    n: u64,
}

impl<P: Publisher> Publisher for Take<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(TakeSubscriber {
            downstream: Downstream::new(downstream),
            upstream: Upstream::unset(),
            n_left: self.n,
        });
    }
}

opaque_debug!(Take<P>);
backpressure!(Take<P>, PassThrough);

struct TakeSubscriber<S> {
    downstream: Downstream<S>,
    upstream: Upstream,
    n_left: u64,
}

impl<T, S: Subscriber<T>> Subscriber<T> for TakeSubscriber<S> {
    forward!(on_next<T>, on_error, on_complete);

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if !self.upstream.set(&subscription) {
            return;
        }
        let capped = Arc::new(Cap::new(subscription, self.n_left));
        self.downstream.on_subscribe(capped);
        if self.n_left == 0 {
            // The source was told before the downstream.
            let finished = self.downstream.end(End::Complete);
            self.downstream.settle(&self.upstream, finished);
        }
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.downstream.is_ended() {
            return Offer::Finished;
        }
        self.n_left -= 1;
        let offer = self.downstream.offer(item);
        if self.n_left > 0 || offer == Offer::Finished {
            return offer;
        }
        self.downstream.end(End::Complete)
    }
}
