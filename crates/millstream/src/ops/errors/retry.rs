//! `retry`: a flow that failed, again.

use millstream_kernel::End;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::sequence::{self, Handoff, Successor, may_be_mended},
};

impl<P: Publisher> Flow<P> {
    /// Subscribes to the flow again when it fails, at most `n` times; `u64::MAX` is without bound.
    ///
    /// Items that came before the failure are not taken back.
    ///
    /// # Demand
    ///
    /// Passed to the present attempt. What it did not meet is asked of the next one.
    ///
    /// # Termination
    ///
    /// Completes with the first attempt that completes; fails with the last attempt. Not tried
    /// again is an error of kind `IllegalRequest`, which is the downstream's own, and one of kind
    /// `Panicked`, which is a mistake in the code: to try those as well, make another kind of them
    /// by [`map_err`](Self::map_err).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorKind, error, just};
    ///
    /// let flaky = just(1).concat(error(Error::message("no luck")));
    /// let items = flaky.retry(1).on_error_return(|_| 0).collect::<Vec<_>>().wait()?;
    /// assert_eq!(items, [1, 1, 0]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn retry(self, n: u64) -> Flow<Retry<P>>
    where
        P: Clone + Send + 'static,
    {
        Flow { source: Retry { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::retry`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Retry<P> {
    source: P,
    n: u64,
}

impl<P> Publisher for Retry<P>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(self.source.clone(), downstream, self);
    }
}

opaque_debug!(Retry<P>);
backpressure!(Retry<P>, PassThrough);

impl<T, P> Successor<T> for Retry<P>
where
    T: 'static,
    P: Publisher<Item = T> + Clone + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        match end {
            End::Failed(error) if self.n > 0 && may_be_mended(&error) => {
                if self.n != u64::MAX {
                    self.n -= 1;
                }
                handoff.subscribe(self.source.clone());
            }
            end => handoff.end(end),
        }
    }
}
