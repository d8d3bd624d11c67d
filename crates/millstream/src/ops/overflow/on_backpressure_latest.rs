//! `on_backpressure_latest`: only the newest item waits.

use std::sync::{Arc, Weak};

use millstream_kernel::{Gate, Inline};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::shed::{keep_newest, shed_queue},
};

impl<P: Publisher> Flow<P> {
    /// Asks the source for everything, and keeps the newest item until it is asked for.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound. One item
    /// waits; a newer one takes its place.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the item that waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::Probe;
    ///
    /// let probe = Probe::subscribe_to(millstream::range(1..=5).on_backpressure_latest());
    /// probe.request(1); // the source sends all five
    /// probe.request(1);
    /// assert_eq!(probe.items(), [1, 5]);
    /// ```
    #[doc(alias = "conflate")]
    pub fn on_backpressure_latest(self) -> Flow<OnBackpressureLatest<P>> {
        Flow { source: OnBackpressureLatest { source: self.source } }
    }
}

/// Publisher returned by [`Flow::on_backpressure_latest`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnBackpressureLatest<P> {
    source: P,
}

impl<P> Publisher for OnBackpressureLatest<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrance, queue) = shed_queue(1);
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (queue, downstream, Inline));
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate), keep_newest));
    }
}

backpressure!(OnBackpressureLatest<P>, Shed, |_this| 1_usize);
opaque_debug!(OnBackpressureLatest<P>);
