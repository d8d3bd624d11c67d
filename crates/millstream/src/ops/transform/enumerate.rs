//! `enumerate`: numbers the items.

use std::sync::Arc;

use reactive_streams::{Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Pairs each item with its number, counting from 0.
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
    /// let items = millstream::from_iter(["a", "b"]).enumerate().collect::<Vec<_>>().wait()?;
    /// assert_eq!(items, [(0, "a"), (1, "b")]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "index")]
    #[doc(alias = "zip_with_index")]
    pub fn enumerate(self) -> Flow<Enumerate<P>> {
        Flow { source: Enumerate { source: self.source } }
    }
}

/// Publisher returned by [`Flow::enumerate`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Enumerate<P> {
    source: P,
}

impl<P> Publisher for Enumerate<P>
where
    P: Publisher,
{
    type Item = (u64, P::Item);

    fn subscribe<S: Subscriber<(u64, P::Item)>>(self, downstream: S) {
        self.source.subscribe(EnumerateSubscriber { downstream, n_items: 0 });
    }
}

opaque_debug!(Enumerate<P>);
backpressure!(Enumerate<P>, PassThrough);

struct EnumerateSubscriber<S> {
    downstream: S,
    n_items: u64,
}

impl<T, S> Subscriber<T> for EnumerateSubscriber<S>
where
    S: Subscriber<(u64, T)>,
{
    forward!(initial_request, on_error, on_complete);

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let index = self.n_items;
        self.n_items += 1;
        self.downstream.on_next((index, item));
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let index = self.n_items;
        self.n_items += 1;
        self.downstream.offer((index, item))
    }
}
