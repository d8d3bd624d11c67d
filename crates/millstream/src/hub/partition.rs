//! `partition`: each item to one of several subscribers.

use super::{Producer, SendError, TrySendError, Unicast, unicast};
use crate::{
    Flow,
    parts::inlet::{check_capacity, check_parts},
};

/// A producer and `n` flows; `route` says for each item which of the flows gets it.
///
/// # Demand
///
/// As [`unicast`](super::unicast()): up to `capacity` items wait for each of the flows.
/// A flow that is full holds back the items for it, and those alone.
///
/// # Termination
///
/// All flows complete and fail as the producer says, each after the items that wait for it; with an
/// error of kind `Disconnected` if the producer is dropped without either. A cancel drops the items
/// that wait for that flow; items for it come back as `Closed`.
///
/// # Panics
///
/// Unless `n` lies in `1..=65_536` and `capacity` in `1..=16_777_216`.
/// `route` is called on the thread that sends, and so is its panic.
///
/// # Examples
///
/// ```
/// use millstream::hub;
///
/// let (mut sender, flows) = hub::partition(2, 8, |n: &u64| (n % 2) as usize);
/// (0..6).for_each(|n| sender.try_send(n).unwrap());
/// sender.complete();
///
/// let parts: Vec<Vec<u64>> = flows.into_iter().map(|flow| flow.collect().wait().unwrap())
///     .collect();
/// assert_eq!(parts, [[0, 2, 4], [1, 3, 5]]);
/// ```
#[track_caller]
pub fn partition<T, F>(
    n: usize,
    capacity: usize,
    route: F,
) -> (Partitioner<T, F>, Vec<Flow<Unicast<T>>>)
where
    T: Send + 'static,
    F: FnMut(&T) -> usize,
{
    check_parts(n);
    check_capacity(capacity);
    let (producers, flows) = std::iter::repeat_with(|| unicast(capacity)).take(n).unzip();
    (Partitioner { producers, route }, flows)
}

/// The end of a [`partition`] hub that sends. There is one: its methods take `&mut self`.
///
/// Dropping it fails all streams with an error of kind `Disconnected`.
#[must_use = "dropping the partitioner fails its streams"]
pub struct Partitioner<T, F> {
    producers: Vec<Producer<T>>,
    route: F,
}

impl<T, F: FnMut(&T) -> usize> Partitioner<T, F> {
    /// Sends `item` to its flow if there is a place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back: `Full` if `capacity` items wait for its flow, `Closed` if the
    /// subscriber of its flow has canceled.
    ///
    /// # Panics
    ///
    /// If `route` names a flow that there is not.
    #[track_caller]
    pub fn try_send(&mut self, item: T) -> Result<(), TrySendError<T>> {
        self.producer(&item).try_send(item)
    }

    /// Sends `item` to its flow as soon as there is a place for it.
    /// Items for other flows wait behind it.
    ///
    /// # Errors
    ///
    /// Gives the item back if the subscriber of its flow has canceled, or cancels while this waits.
    ///
    /// # Panics
    ///
    /// If `route` names a flow that there is not.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has not sent the item, and drops it.
    pub async fn send(&mut self, item: T) -> Result<(), SendError<T>> {
        self.producer(&item).send(item).await
    }

    /// [`send`](Self::send) that blocks this thread while it waits: it looks again for some
    /// microseconds, and then sleeps.
    ///
    /// Not for async code, and not for the thread that is to make the demand.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Panics
    ///
    /// If `route` names a flow that there is not.
    pub fn send_blocking(&mut self, item: T) -> Result<(), SendError<T>> {
        self.producer(&item).send_blocking(item)
    }

    #[track_caller]
    fn producer(&mut self, item: &T) -> &mut Producer<T> {
        let index = (self.route)(item);
        let n = self.producers.len();
        match self.producers.get_mut(index) {
            Some(producer) => producer,
            None => panic!("an item was routed to flow {index} of {n}"),
        }
    }
}

impl<T, F> Partitioner<T, F> {
    /// Completes all streams, after the items that were sent.
    pub fn complete(self) {
        self.producers.into_iter().for_each(Producer::complete);
    }

    /// Fails all streams, after the items that were sent.
    pub fn fail(self, error: crate::Error) {
        self.producers.into_iter().for_each(|producer| producer.fail(error.clone()));
    }

    /// Whether the subscribers of all flows have canceled.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.producers.iter().all(Producer::is_closed)
    }
}

opaque_debug!(Partitioner<T, F>);
