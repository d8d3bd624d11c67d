//! `take_while`: passes items on until a predicate fails.

use millstream_kernel::{End, Upstream};
use reactive_streams::{Offer, Publisher, Subscriber};

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
    /// Completes at the first item for which `predicate` fails; otherwise completes and fails with
    /// the source.
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
    downstream: Downstream<S>,
    upstream: Upstream,
    predicate: F,
}

impl<T, S, F> Subscriber<T> for TakeWhileSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnMut(&T) -> bool + Send + 'static,
{
    forward!(on_subscribe, initial_request, on_next<T>, on_error, on_complete);

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.downstream.is_ended() {
            return Offer::Finished;
        }
        if (self.predicate)(&item) {
            self.downstream.offer(item)
        } else {
            self.downstream.end(End::Complete)
        }
    }
}
