//! `for_each_acked`: works on deliveries, and acknowledges each that was dealt with.

use std::future::Future;

use millstream::{Flow, Order, Outcome, Publisher, scheduler};

use super::{Acknowledge, Delivery, Envelope, MapAsyncAcked, Unprocessed};

#[track_caller]
pub(crate) fn for_each_acked<P, F, Fut, T, A>(source: P, concurrency: usize, f: F) -> Outcome<()>
where
    P: Publisher<Item = Delivery<T, A>>,
    F: FnMut(T, &Envelope) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Unprocessed>> + Send + 'static,
    T: Send + 'static,
    A: Acknowledge,
{
    // By completion, so that one that takes long holds back no other's acknowledgement.
    let order = Order::Completion;
    Flow::from(MapAsyncAcked::new(source, &scheduler::ambient(), concurrency, order, f))
        .for_each(Delivery::ack)
}
