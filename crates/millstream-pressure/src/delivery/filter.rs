//! `filter_acked`: keeps the deliveries that a predicate accepts, and acknowledges the others.

use millstream::{Flow, Publisher, Subscriber};

use super::{Acknowledge, Delivery};

/// Publisher returned by [`FlowExt::filter_acked`](crate::FlowExt::filter_acked).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FilterAcked<P, F> {
    source: P,
    predicate: F,
}

impl<P, F> FilterAcked<P, F> {
    pub(crate) const fn new(source: P, predicate: F) -> Self {
        Self { source, predicate }
    }
}

impl<P, F, T, A> Publisher for FilterAcked<P, F>
where
    P: Publisher<Item = Delivery<T, A>>,
    F: FnMut(&T) -> bool + Send + 'static,
    T: Send + 'static,
    A: Acknowledge,
{
    type Item = Delivery<T, A>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let mut predicate = self.predicate;
        let keep = move |delivery: Delivery<T, A>| {
            if predicate(&delivery.payload) {
                return Some(delivery);
            }
            delivery.ack();
            None
        };
        Flow::from(self.source).filter_map(keep).subscribe(downstream);
    }
}

millstream::opaque_debug!(FilterAcked<P, F>);
millstream::backpressure!(FilterAcked<P, F>, PassThrough);
