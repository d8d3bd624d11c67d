//! `conflate`: one item of all that came while the downstream was busy.

use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Puts all items together that come while the downstream has no demand, so that the source
    /// never has to wait.
    ///
    /// `f` adds a later item to an earlier one; `|latest, item| *latest = item` keeps the latest.
    /// While the downstream keeps up, items pass unchanged.
    /// A source that works on the thread that asks, such as a range, runs to its end: what makes it
    /// wait is that nobody asks.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for 16 items, and for
    /// more as soon as they were put together or passed on.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the item that waits.
    /// If `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::{Probe, Puppet};
    ///
    /// let (puppet, publisher) = Puppet::new();
    /// let flow = millstream::Flow::from(publisher);
    /// let probe = Probe::subscribe_to(flow.conflate(|sum, n| *sum += n));
    /// probe.request(1);
    /// (1..=100).for_each(|n| puppet.next(n).unwrap());
    /// probe.request(1);
    /// assert_eq!(probe.items(), [1, 5049]);
    /// ```
    #[doc(alias = "on_backpressure_reduce")]
    pub fn conflate<F>(self, f: F) -> Flow<Conflate<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&mut P::Item, P::Item) + Send + 'static,
    {
        Flow { source: Conflate { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::conflate`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Conflate<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for Conflate<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&mut P::Item, P::Item) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, f } = self;
        Flow { source }.batch(usize::MAX, |item| item, f).subscribe(downstream);
    }
}

backpressure!(Conflate<P, F>, Queue, |_this| super::batch::QUEUE + 1);
opaque_debug!(Conflate<P, F>);
