//! `inspect`: looks at each item on its way.

use std::sync::Arc;

use reactive_streams::{Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Calls `f` with each item on its way.
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
    /// let mut seen = 0;
    /// let total = millstream::range(1..=3)
    ///     .inspect(move |n| {
    ///         seen += 1;
    ///         assert_eq!(*n, seen);
    ///     })
    ///     .count()
    ///     .wait()?;
    /// assert_eq!(total, 3);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "tap")]
    #[doc(alias = "do_on_next")]
    pub fn inspect<F>(self, f: F) -> Flow<Inspect<P, F>>
    where
        F: FnMut(&P::Item) + Send + 'static,
    {
        Flow { source: Inspect { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::inspect`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Inspect<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for Inspect<P, F>
where
    P: Publisher,
    F: FnMut(&P::Item) + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(InspectSubscriber { downstream, f: self.f });
    }
}

opaque_debug!(Inspect<P, F>);
backpressure!(Inspect<P, F>, PassThrough);

struct InspectSubscriber<S, F> {
    downstream: S,
    f: F,
}

impl<T, S, F> Subscriber<T> for InspectSubscriber<S, F>
where
    S: Subscriber<T>,
    F: FnMut(&T) + Send + 'static,
{
    forward!(initial_request, on_error, on_complete);

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        (self.f)(&item);
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        (self.f)(&item);
        self.downstream.offer(item)
    }
}
