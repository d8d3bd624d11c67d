//! `concat`: one flow after another.

use millstream_kernel::End;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    sequence::{self, Seat, Successor},
};

impl<P: Publisher> Flow<P> {
    /// Goes on with `other` when this flow completes.
    ///
    /// `other` is not subscribed to before.
    ///
    /// # Demand
    ///
    /// Passed to the flow whose turn it is. What it did not meet is asked of the other one.
    ///
    /// # Termination
    ///
    /// Completes with `other`; fails with whichever fails first.
    ///
    /// # Examples
    ///
    /// ```
    /// let both = millstream::range(1..3).concat(millstream::range(7..9));
    /// assert_eq!(both.collect::<Vec<_>>().wait()?, [1, 2, 7, 8]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "chain")]
    pub fn concat<Q>(self, other: Q) -> Flow<Concat<P, Q>>
    where
        Q: Publisher<Item = P::Item> + Send + 'static,
    {
        Flow { source: Concat { first: self.source, second: other } }
    }
}

/// Publisher returned by [`Flow::concat`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Concat<P, Q> {
    first: P,
    second: Q,
}

impl<P, Q> Publisher for Concat<P, Q>
where
    P: Publisher<Item: 'static>,
    Q: Publisher<Item = P::Item> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(self.first, downstream, Second(Some(self.second)));
    }
}

opaque_debug!(Concat<P, Q>);

// One of them runs at a time.
backpressure!(two Concat<P, Q>, first max second, PassThrough, |_this| 0_usize);

struct Second<Q>(Option<Q>);

impl<T, Q> Successor<T> for Second<Q>
where
    T: 'static,
    Q: Publisher<Item = T> + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, seat: Seat<T, S, Self>) {
        match (end, self.0.take()) {
            (End::Complete, Some(second)) => seat.subscribe(second),
            (end, _) => seat.end(end),
        }
    }
}
