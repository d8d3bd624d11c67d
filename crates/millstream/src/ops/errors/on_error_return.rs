//! `on_error_return`: an item in place of an error.

use reactive_streams::{Error, Publisher, Subscriber};

use crate::{Flow, FromIter, just};

impl<P: Publisher> Flow<P> {
    /// Sends the item that `f` makes of the error, and completes, when the flow fails.
    ///
    /// # Demand
    ///
    /// Passed on. The item waits until it is asked for.
    ///
    /// # Termination
    ///
    /// Completes, unless `f` panics: then it fails with an error of kind `Panicked`. An error of
    /// kind
    /// `IllegalRequest` is the downstream's own, and one of kind `Panicked` a mistake in the code:
    /// these end the flow. To go on after a panic as well, make another kind of it by
    /// [`map_err`](Self::map_err).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--#", |source| source.on_error_return(|_| '0'), "--1--(0|)");
    /// ```
    pub fn on_error_return<F>(self, f: F) -> Flow<OnErrorReturn<P, F>>
    where
        F: FnOnce(Error) -> P::Item + Send + 'static,
    {
        Flow { source: OnErrorReturn { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::on_error_return`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnErrorReturn<P, F> {
    source: P,
    f: F,
}

impl<P, F> Publisher for OnErrorReturn<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnOnce(Error) -> P::Item + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, f } = self;
        let resume = move |error| -> Flow<FromIter<std::iter::Once<P::Item>>> { just(f(error)) };
        Flow { source }.on_error_resume(resume).subscribe(downstream);
    }
}

opaque_debug!(OnErrorReturn<P, F>);
backpressure!(OnErrorReturn<P, F>, PassThrough);
