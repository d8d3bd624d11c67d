//! `switch_if_empty`, `default_if_empty`: something in place of nothing.

use std::iter::Once;

use millstream_kernel::End;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow, FromIter, just,
    parts::sequence::{self, Handoff, Successor},
};

impl<P: Publisher> Flow<P> {
    /// Goes on with `other` if this flow completes without an item.
    ///
    /// `other` is not subscribed to before.
    ///
    /// # Demand
    ///
    /// Passed to this flow, and then to `other`.
    ///
    /// # Termination
    ///
    /// Completes and fails with this flow, or with `other` in its place.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{empty, range};
    ///
    /// let items = empty().switch_if_empty(range(1..3)).collect::<Vec<_>>().wait()?;
    /// assert_eq!(items, [1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "or_else")]
    pub fn switch_if_empty<Q>(self, other: Q) -> Flow<SwitchIfEmpty<P, Q>>
    where
        Q: Publisher<Item = P::Item> + Send + 'static,
    {
        Flow { source: SwitchIfEmpty { source: self.source, other } }
    }

    /// Gives `item` if this flow completes without one.
    ///
    /// # Demand
    ///
    /// Passed on unchanged; `item` waits until it is asked for.
    ///
    /// # Termination
    ///
    /// Completes and fails with this flow; completes right after `item`.
    ///
    /// # Examples
    ///
    /// ```
    /// let items = millstream::range(0..9).filter(|n| *n > 9).default_if_empty(7);
    /// assert_eq!(items.collect::<Vec<_>>().wait()?, [7]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn default_if_empty(self, item: P::Item) -> Flow<SwitchIfEmpty<P, FromIter<Once<P::Item>>>>
    where
        P::Item: Send + 'static,
    {
        Flow { source: SwitchIfEmpty { source: self.source, other: just(item).source } }
    }
}

/// Publisher returned by [`Flow::switch_if_empty`] and [`Flow::default_if_empty`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SwitchIfEmpty<P, Q> {
    source: P,
    other: Q,
}

impl<P, Q> Publisher for SwitchIfEmpty<P, Q>
where
    P: Publisher<Item: 'static>,
    Q: Publisher<Item = P::Item> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(self.source, downstream, Other(Some(self.other)));
    }
}

backpressure!(two SwitchIfEmpty<P, Q>, source max other, PassThrough, |_this| 0_usize);
opaque_debug!(SwitchIfEmpty<P, Q>);

struct Other<Q>(Option<Q>);

impl<T, Q> Successor<T> for Other<Q>
where
    T: 'static,
    Q: Publisher<Item = T> + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        match (end, self.0.take()) {
            (End::Complete, Some(other)) if !handoff.had_items() => handoff.subscribe(other),
            (end, _) => handoff.end(end),
        }
    }
}
