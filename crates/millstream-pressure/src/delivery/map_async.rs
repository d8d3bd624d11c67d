//! `map_async_acked`: work on deliveries, several at a time.

use std::{future::Future, time::Duration};

use millstream::{
    Error, ErrorKind, Flow, Order, Publisher, Subscriber,
    scheduler::{Scheduler, Worker},
};

use super::{Acknowledge, Delivery, Envelope};
use crate::parts::OneWorker;

/// Why a delivery was not dealt with, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unprocessed {
    /// It is to be delivered again.
    Retry {
        /// After this time.
        after: Duration,
    },
    /// It is to go to the dead letters.
    Reject {
        /// Why.
        reason: String,
    },
}

impl Unprocessed {
    /// It is to be delivered again after a time.
    #[must_use]
    pub const fn retry(after: Duration) -> Self {
        Self::Retry { after }
    }

    /// It is to go to the dead letters, for this reason.
    #[must_use]
    pub fn reject(reason: impl ToString) -> Self {
        Self::Reject { reason: reason.to_string() }
    }

    /// It could not be handed on, for this error: it is to go to the dead letters if its size or
    /// form is to blame (an error of kind `Overflow` or `InvalidData`), and to be delivered again
    /// after `again` otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{Error, ErrorKind};
    /// use millstream_pressure::Unprocessed;
    ///
    /// let second = Duration::from_secs(1);
    /// let late = Error::new(ErrorKind::Timeout, "no answer");
    /// assert_eq!(Unprocessed::by_kind(&late, second), Unprocessed::retry(second));
    /// let large = Error::new(ErrorKind::Overflow, "2 MB");
    /// assert_eq!(Unprocessed::by_kind(&large, second), Unprocessed::reject("2 MB"));
    /// ```
    #[must_use]
    pub fn by_kind(error: &Error, again: Duration) -> Self {
        match error.kind() {
            ErrorKind::Overflow | ErrorKind::InvalidData => Self::reject(error),
            _ => Self::retry(again),
        }
    }
}

/// Publisher returned by [`FlowExt::map_async_acked`](crate::FlowExt::map_async_acked) and its
/// like.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapAsyncAcked<P, F> {
    source: P,
    worker: Worker,
    concurrency: usize,
    order: Order,
    f: F,
}

impl<P, F> MapAsyncAcked<P, F> {
    #[track_caller]
    pub(crate) fn new(
        source: P,
        scheduler: &impl Scheduler,
        concurrency: usize,
        order: Order,
        f: F,
    ) -> Self {
        millstream::parts::inlet::check_capacity(concurrency);
        Self { source, worker: scheduler.worker(), concurrency, order, f }
    }
}

impl<P, F, Fut, T, U, A> Publisher for MapAsyncAcked<P, F>
where
    P: Publisher<Item = Delivery<T, A>>,
    F: FnMut(T, &Envelope) -> Fut + Send + 'static,
    Fut: Future<Output = Result<U, Unprocessed>> + Send + 'static,
    T: Send + 'static,
    U: Send + 'static,
    A: Acknowledge,
{
    type Item = Delivery<U, A>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, worker, concurrency, order, mut f } = self;
        let run = move |delivery: Delivery<T, A>| {
            let (payload, envelope, acknowledgement) = delivery.into_parts();
            let work = f(payload, &envelope);
            async move {
                match work.await {
                    Ok(payload) => Some(Delivery::from_parts(payload, envelope, acknowledgement)),
                    Err(Unprocessed::Retry { after }) => {
                        acknowledgement.nack(after);
                        None
                    }
                    Err(Unprocessed::Reject { reason }) => {
                        acknowledgement.reject(reason);
                        None
                    }
                }
            }
        };
        Flow::from(source)
            .map_async_on(&OneWorker(worker), concurrency, order, run)
            .filter_map(|delivery| delivery)
            .subscribe(downstream);
    }
}

millstream::opaque_debug!(MapAsyncAcked<P, F>);
millstream::backpressure!(MapAsyncAcked<P, F>, Queue, |this| this.concurrency);
