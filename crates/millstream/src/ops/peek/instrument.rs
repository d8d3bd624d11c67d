//! `instrument`: a span around what passes.

use std::sync::Arc;

use millstream_kernel::Upstream;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};
use tracing::Span;

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Enters `span` around each signal on its way down, and around each request and cancel on its
    /// way up.
    ///
    /// What the downstream does with an item, and what a source does that works on the thread that
    /// asks, is in the span. Needs the feature `tracing`.
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
    /// let span = tracing::info_span!("numbers");
    /// let flow = millstream::range(0..3).instrument(span)
    ///     .inspect(|n| tracing::info!(n, "in a span"));
    /// assert_eq!(flow.count().wait()?, 3);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn instrument(self, span: Span) -> Flow<Instrument<P>> {
        Flow { source: Instrument { source: self.source, span } }
    }
}

/// Publisher returned by [`Flow::instrument`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Instrument<P> {
    source: P,
    span: Span,
}

impl<P: Publisher> Publisher for Instrument<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, span } = self;
        let subscriber =
            InstrumentSubscriber { downstream, upstream: Upstream::unset(), span: span.clone() };
        span.in_scope(|| source.subscribe(subscriber));
    }
}

backpressure!(Instrument<P>, PassThrough);
opaque_debug!(Instrument<P>);

struct InstrumentSubscriber<S> {
    downstream: S,
    upstream: Upstream,
    span: Span,
}

impl<T, S: Subscriber<T>> Subscriber<T> for InstrumentSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            let span = self.span.clone();
            let subscription = Arc::new(InstrumentSubscription { upstream: subscription, span });
            self.span.in_scope(|| self.downstream.on_subscribe(subscription));
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let _entered = self.span.enter();
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let _entered = self.span.enter();
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        let Self { downstream, span, .. } = self;
        span.in_scope(|| downstream.on_error(error));
    }

    fn on_complete(self) {
        let Self { downstream, span, .. } = self;
        span.in_scope(|| downstream.on_complete());
    }
}

struct InstrumentSubscription {
    upstream: Arc<dyn Subscription>,
    span: Span,
}

impl Subscription for InstrumentSubscription {
    fn request(&self, n: u64) {
        self.span.in_scope(|| self.upstream.request(n));
    }

    fn cancel(&self) {
        self.span.in_scope(|| self.upstream.cancel());
    }
}
