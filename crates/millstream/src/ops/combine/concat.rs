//! `concat`: one flow after another.

use millstream_kernel::End;
use reactive_streams::{Error, Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::sequence::{self, Handoff, Successor},
};

impl<P: Publisher> Flow<P> {
    /// Goes on with `other` when this flow completes.
    ///
    /// `other` is not subscribed to before.
    ///
    /// An item passes through each `concat` that was put around its flow: a loop that joins `n`
    /// flows this way costs the square of `n`, and each takes stack, as do pages that are joined
    /// with `defer` of the next. [`concat_all`](crate::concat_all) and
    /// [`concat_map`](Flow::concat_map) join any number in constant stack, at one step an item.
    ///
    /// # Demand
    ///
    /// Passed to the flow whose turn it is. What it did not meet is asked of the other one.
    ///
    /// # Termination
    ///
    /// Completes with `other`; fails with whichever fails first. [`error_mode`](Flow::error_mode)
    /// may have `other` run after a failure.
    ///
    /// # Examples
    ///
    /// ```
    /// let both = millstream::range(1..3).concat(millstream::range(7..9));
    /// assert_eq!(both.collect::<Vec<_>>().wait()?, [1, 2, 7, 8]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    ///
    /// Pages, of which each is asked for when the one before was passed on:
    ///
    /// ```
    /// let page = |n: u64| millstream::range(10 * n..10 * n + 10);
    /// let items = millstream::range(0..100_000).concat_map(page).take(25);
    /// assert_eq!(items.last().wait()?, Some(24));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "chain")]
    pub fn concat<Q>(self, other: Q) -> Flow<Concat<P, Q>>
    where
        Q: Publisher<Item = P::Item> + Send + 'static,
    {
        let mode = ErrorMode::Immediate;
        Flow { source: Concat { first: self.source, second: other, mode } }
    }
}

impl<P, Q> Flow<Concat<P, Q>> {
    /// [`concat`](Self::concat) with another policy for failures: with [`Delayed`](ErrorMode::Delayed),
    /// `other` begins after a failure as well. One flow runs at a time, so that
    /// [`Boundary`](ErrorMode::Boundary) is [`Immediate`](ErrorMode::Immediate).
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`Flow::concat`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Concat<P, Q> {
    first: P,
    second: Q,
    mode: ErrorMode,
}

impl<P, Q> Publisher for Concat<P, Q>
where
    P: Publisher<Item: 'static>,
    Q: Publisher<Item = P::Item> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { first, second, mode } = self;
        let second = Second { flow: Some(second), mode, failure: None };
        sequence::subscribe(first, downstream, second);
    }
}

opaque_debug!(Concat<P, Q>);

// One of them runs at a time.
backpressure!(two Concat<P, Q>, first max second, PassThrough, |_this| 0_usize);

struct Second<Q> {
    flow: Option<Q>,
    mode: ErrorMode,
    /// That of the first, which waits for the end.
    failure: Option<Error>,
}

impl<T, Q> Successor<T> for Second<Q>
where
    T: 'static,
    Q: Publisher<Item = T> + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        match (end, self.flow.take()) {
            (End::Complete, Some(second)) => handoff.subscribe(second),
            (End::Failed(error), Some(second)) if self.mode == ErrorMode::Delayed => {
                self.failure = Some(error);
                handoff.subscribe(second);
            }
            (end, _) => handoff.end(self.failure.take().map_or(end, End::Failed)),
        }
    }
}
