//! `flatten_results`: items that are errors end the flow.

use std::error;

use millstream_kernel::{End, Upstream};
use reactive_streams::{Error, Offer, Publisher, Subscriber};

use crate::{Flow, parts::downstream::Downstream};

impl<P: Publisher> Flow<P> {
    /// Passes on what is `Ok`, and fails with the first `Err`.
    ///
    /// For closures, iterators, streams and futures that may fail.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Fails with the first item that is an `Err`, as [`Error::other`] makes it, and stops the
    /// source; otherwise completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// let numbers = millstream::from_iter(["1", "x", "3"])
    ///     .map(|text| text.parse::<u8>())
    ///     .flatten_results();
    /// let error = numbers.collect::<Vec<_>>().wait().unwrap_err();
    /// assert_eq!(error.to_string(), "invalid digit found in string");
    /// ```
    pub fn flatten_results<T, E>(self) -> Flow<FlattenResults<P>>
    where
        P: Publisher<Item = Result<T, E>>,
        E: error::Error + Send + Sync + 'static,
    {
        Flow { source: FlattenResults { source: self.source } }
    }
}

/// Publisher returned by [`Flow::flatten_results`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FlattenResults<P> {
    source: P,
}

impl<P, T, E> Publisher for FlattenResults<P>
where
    P: Publisher<Item = Result<T, E>>,
    E: error::Error + Send + Sync + 'static,
{
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        self.source.subscribe(FlattenResultsSubscriber {
            downstream: Downstream::new(downstream),
            upstream: Upstream::unset(),
        });
    }
}

opaque_debug!(FlattenResults<P>);
backpressure!(FlattenResults<P>, PassThrough);

struct FlattenResultsSubscriber<S> {
    downstream: Downstream<S>,
    upstream: Upstream,
}

impl<T, E, S> Subscriber<Result<T, E>> for FlattenResultsSubscriber<S>
where
    E: error::Error + Send + Sync + 'static,
    S: Subscriber<T>,
{
    forward!(on_subscribe, initial_request, on_error, on_complete);

    #[inline]
    fn on_next(&mut self, item: Result<T, E>) {
        let offer = self.offer(item);
        self.downstream.settle(&self.upstream, offer);
    }

    #[inline]
    fn offer(&mut self, item: Result<T, E>) -> Offer {
        match item {
            Ok(item) => self.downstream.offer(item),
            Err(error) => self.downstream.end(End::Failed(Error::other(error))),
        }
    }
}
