//! `checkpoint`: a name in the errors that pass.

use std::{fmt, sync::Arc};

use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Puts `name` before the message of an error that passes, so that it says where it came from.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes with the source; fails with its error, of the same kind and cause.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::Error;
    ///
    /// let orders = millstream::error::<u8>(Error::message("no answer")).checkpoint("orders");
    /// let error = orders.map(u64::from).checkpoint("report").count().wait().unwrap_err();
    /// assert_eq!(error.to_string(), "report: orders: no answer");
    /// ```
    #[doc(alias = "name")]
    #[doc(alias = "named")]
    pub fn checkpoint<N>(self, name: N) -> Flow<Checkpoint<P, N>>
    where
        N: fmt::Display + Send + 'static,
    {
        Flow { source: Checkpoint { source: self.source, name } }
    }
}

/// Publisher returned by [`Flow::checkpoint`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Checkpoint<P, N> {
    source: P,
    name: N,
}

impl<P, N> Publisher for Checkpoint<P, N>
where
    P: Publisher,
    N: fmt::Display + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let name = self.name;
        self.source.subscribe(CheckpointSubscriber { downstream, name });
    }
}

backpressure!(Checkpoint<P, N>, PassThrough);
opaque_debug!(Checkpoint<P, N>);

struct CheckpointSubscriber<S, N> {
    downstream: S,
    name: N,
}

impl<T, S, N> Subscriber<T> for CheckpointSubscriber<S, N>
where
    S: Subscriber<T>,
    N: fmt::Display + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn initial_request(&mut self) -> u64 {
        self.downstream.initial_request()
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    fn on_error(self, error: Error) {
        let Self { downstream, name } = self;
        // A name whose `Display` panics must not keep the error back.
        let named = millstream_kernel::guard::caught(|| error.context(name));
        downstream.on_error(named.unwrap_or(error));
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
