//! `map_err`: another error in place of an error.

use std::{error, sync::Arc};

use millstream_kernel::guard::caught;
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Fails with the error that `f` makes of the flow's error.
    ///
    /// An error of the user's own comes out as [`Error::other`] makes it, and an [`Error`] as it
    /// is. To say where an error came from, see [`checkpoint`](Self::checkpoint).
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes with the source; fails with what `f` returns, or with an error of kind `Panicked`
    /// if it panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorKind};
    ///
    /// let error = millstream::error::<u8>(Error::message("no answer"))
    ///     .map_err(|error| Error::with_source(ErrorKind::Timeout, "gave up", error))
    ///     .count()
    ///     .wait()
    ///     .unwrap_err();
    /// assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, "gave up"));
    /// ```
    #[doc(alias = "on_error_map")]
    pub fn map_err<E, F>(self, f: F) -> Flow<MapErr<P, F>>
    where
        E: error::Error + Send + Sync + 'static,
        F: FnOnce(Error) -> E + Send + 'static,
    {
        Flow { source: MapErr { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::map_err`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapErr<P, F> {
    source: P,
    f: F,
}

impl<P, E, F> Publisher for MapErr<P, F>
where
    P: Publisher,
    E: error::Error + Send + Sync + 'static,
    F: FnOnce(Error) -> E + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.source.subscribe(MapErrSubscriber { downstream, f: self.f });
    }
}

backpressure!(MapErr<P, F>, PassThrough);
opaque_debug!(MapErr<P, F>);

struct MapErrSubscriber<S, F> {
    downstream: S,
    f: F,
}

impl<T, E, S, F> Subscriber<T> for MapErrSubscriber<S, F>
where
    E: error::Error + Send + Sync + 'static,
    S: Subscriber<T>,
    F: FnOnce(Error) -> E + Send + 'static,
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
        let Self { downstream, f } = self;
        // A panic would end the flow without a signal.
        let error = caught(|| Error::other(f(error)));
        downstream.on_error(error.unwrap_or_else(|panicked| panicked));
    }

    fn on_complete(self) {
        self.downstream.on_complete();
    }
}
