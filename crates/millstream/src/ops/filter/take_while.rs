//! `take_while`: passes items on until a predicate fails.

use std::sync::Arc;

use millstream_kernel::Upstream;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{Flow, parts::downstream::Downstream};

impl<P: Publisher> Flow<P> {
    /// Passes items on as long as `predicate` holds, and then completes.
    ///
    /// The item for which it fails is dropped, and the source is stopped.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes at the first item for which `predicate` fails; otherwise completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--|", |source| source.take_while(|item| *item < '3'), "--1--2--|");
    /// ```
    pub fn take_while<F>(self, predicate: F) -> Flow<TakeWhile<P, F>>
    where
        F: FnMut(&P::Item) -> bool + Send + 'static,
    {
        Flow { source: TakeWhile { source: self.source, predicate } }
    }
}

/// Publisher returned by [`Flow::take_while`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TakeWhile<P, F> {
    source: P,
    predicate: F,
}

impl<P, F> Publisher for TakeWhile<P, F>
where
    P: Publisher,
    F: FnMut(&P::Item) -> bool + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(TakeWhileSubscriber {
            downstream: Downstream::new(downstream),
            upstream: Upstream::unset(),
            predicate: self.predicate,
        });
    }
}

opaque_debug!(TakeWhile<P, F>);
backpressure!(TakeWhile<P, F>, PassThrough);

struct TakeWhileSubscriber<S, F> {
    /// `None` once it was completed.
    downstream: Downstream<S>,
    upstream: Upstream,
    predicate: F,
}

impl<T, S, F> Subscriber<T> for TakeWhileSubscriber<S, F>
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
        let offer = self.offer(item);
        self.upstream.settle(offer);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.downstream.is_ended() {
            return Offer::Finished;
        }
        if (self.predicate)(&item) {
            self.downstream.offer(item)
        } else {
            self.downstream.end(S::on_complete)
        }
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
