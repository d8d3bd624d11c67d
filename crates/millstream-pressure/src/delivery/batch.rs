//! `batch_acked`: several deliveries as one, with one acknowledgement for all.

use std::time::Duration;

use millstream::{
    Flow, Publisher, Subscriber,
    parts::inlet::check_capacity,
    scheduler::{Scheduler, Worker},
};

use super::{Acknowledge, Acknowledgement, Delivery, Envelope, Settlement};
use crate::parts::OneWorker;

/// The acknowledgements of a batch: what becomes of it becomes of each.
pub struct BatchAck<A: Acknowledge>(Vec<Acknowledgement<A>>);

impl<A: Acknowledge> Acknowledge for BatchAck<A> {
    fn settle(self, settlement: Settlement) {
        Acknowledgement::settle_all(self.0, settlement);
    }

    fn settle_all(all: Vec<Self>, settlement: Settlement) {
        Acknowledgement::settle_all(all.into_iter().flat_map(|batch| batch.0), settlement);
    }

    fn extend(&self) {
        self.0.iter().for_each(Acknowledgement::extend);
    }
}

/// Publisher returned by [`FlowExt::batch_acked`](crate::FlowExt::batch_acked).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BatchAcked<P> {
    source: P,
    worker: Worker,
    n: usize,
    limit: Duration,
}

impl<P> BatchAcked<P> {
    #[track_caller]
    pub(crate) fn new(source: P, scheduler: &impl Scheduler, n: usize, limit: Duration) -> Self {
        check_capacity(n);
        Self { source, worker: scheduler.worker(), n, limit }
    }
}

impl<P, T, A> Publisher for BatchAcked<P>
where
    P: Publisher<Item = Delivery<T, A>>,
    T: Send + 'static,
    A: Acknowledge,
{
    type Item = Delivery<Vec<T>, BatchAck<A>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, worker, n, limit } = self;
        Flow::from(source)
            .buffer_timeout(&OneWorker(worker), n, limit)
            .map(Delivery::batch)
            .subscribe(downstream);
    }
}

impl<T, A: Acknowledge> Delivery<Vec<T>, BatchAck<A>> {
    /// Several deliveries as one, whose acknowledgement is that of all of them: it has the earliest
    /// of their times, the last of their positions, and the largest of their attempts.
    pub fn batch(group: Vec<Delivery<T, A>>) -> Self {
        let mut payloads = Vec::with_capacity(group.len());
        let mut acknowledgements = Vec::with_capacity(group.len());
        let mut whole = Envelope::default();
        for delivery in group {
            let (payload, envelope, acknowledgement) = delivery.into_parts();
            payloads.push(payload);
            acknowledgements.push(acknowledgement);
            whole.time = [whole.time, envelope.time].into_iter().flatten().min();
            whole.attempt = whole.attempt.max(envelope.attempt);
            whole.position = envelope.position;
        }
        Delivery::from_parts(payloads, whole, Acknowledgement::new(BatchAck(acknowledgements)))
    }
}

millstream::opaque_debug!(BatchAcked<P>);
millstream::backpressure!(BatchAcked<P>, Queue, |this| this.n.saturating_mul(2));

impl<A: Acknowledge> std::fmt::Debug for BatchAck<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchAck").field("n", &self.0.len()).finish_non_exhaustive()
    }
}
