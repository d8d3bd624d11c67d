//! `on_backpressure_reduce`: what waits is combined into one item.

use std::sync::{Arc, Weak};

use millstream_kernel::{Backlog, Evict, Gate, Inline, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{Flow, parts::shed::shed_queue};

impl<P: Publisher> Flow<P> {
    /// Asks the source for everything, and has `f` combine the item that waits with a newer one.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound. One item
    /// waits.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the item that waits. If `f` panics, fails with an
    /// error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let sums = millstream::range(1..=5).on_backpressure_reduce(|sum, n| sum + n);
    /// let probe = Probe::subscribe_to(sums);
    /// probe.request(1); // the source sends all five
    /// probe.request(1);
    /// assert_eq!(probe.items(), [1, 14]);
    /// ```
    #[doc(alias = "conflate")]
    pub fn on_backpressure_reduce<F>(self, f: F) -> Flow<OnBackpressureReduce<P, F>>
    where
        F: FnMut(P::Item, P::Item) -> P::Item + Send + 'static,
    {
        Flow { source: OnBackpressureReduce { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::on_backpressure_reduce`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnBackpressureReduce<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for OnBackpressureReduce<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item, P::Item) -> P::Item + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrance, queue) = shed_queue(1);
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (queue, downstream, Inline));
        let mut f = self.f;
        self.source.subscribe(entrance.subscriber(
            Arc::clone(&gate),
            move |backlog: &Backlog<P::Item>, item| {
                // Taken out first, so that `f` runs under no lock; only this side adds.
                let item = match backlog.pop() {
                    Step::Item(waiting) => f(waiting, item),
                    Step::Pending | Step::End(_) => item,
                };
                backlog.push(item, Evict::Oldest, drop);
                Ok(())
            },
        ));
    }
}

backpressure!(OnBackpressureReduce<P, F>, Shed, |_this| 1_usize);
opaque_debug!(OnBackpressureReduce<P, F>);
