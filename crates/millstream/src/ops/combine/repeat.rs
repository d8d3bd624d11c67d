//! `repeat`: a flow, again and again.

use millstream_kernel::End;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::sequence::{self, Handoff, Successor},
};

impl<P: Publisher> Flow<P> {
    /// Runs the flow `n` times in all; 0 counts as 1.
    ///
    /// `u64::MAX` repeats until the flow fails or the downstream cancels. A source that is empty is
    /// subscribed to `n` times all the same, in constant stack.
    ///
    /// # Demand
    ///
    /// Passed to the present run. What it did not meet is asked of the next one.
    ///
    /// # Termination
    ///
    /// Completes after the last run; fails with the first run that fails.
    ///
    /// # Examples
    ///
    /// ```
    /// let items = millstream::range(1..3).repeat(2).collect::<Vec<_>>().wait()?;
    /// assert_eq!(items, [1, 2, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn repeat(self, n: u64) -> Flow<Repeat<P>>
    where
        P: Clone + Send + 'static,
    {
        Flow { source: Repeat { source: self.source, n } }
    }
}

/// Publisher returned by [`Flow::repeat`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Repeat<P> {
    source: P,
    n: u64,
}

impl<P> Publisher for Repeat<P>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(self.source.clone(), downstream, self);
    }
}

opaque_debug!(Repeat<P>);
backpressure!(Repeat<P>, PassThrough);

impl<T, P> Successor<T> for Repeat<P>
where
    T: 'static,
    P: Publisher<Item = T> + Clone + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        if self.n > 1 && matches!(end, End::Complete) {
            if self.n != u64::MAX {
                self.n -= 1;
            }
            handoff.subscribe(self.source.clone());
        } else {
            handoff.end(end);
        }
    }
}
