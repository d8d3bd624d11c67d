//! `start_with`: items before those of a flow.

use reactive_streams::Publisher;

use crate::{Concat, Flow, FromIter, from_iter};

impl<P: Publisher> Flow<P> {
    /// Gives `items` first, and then those of this flow, which is not subscribed to before.
    ///
    /// For another flow first, see [`concat`](Self::concat).
    ///
    /// # Demand
    ///
    /// Met by `items` first. What they did not meet is asked of the flow.
    ///
    /// # Termination
    ///
    /// Completes and fails with the flow. If the iterator panics, fails with an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let items = millstream::range(1..3).start_with([7, 8]);
    /// assert_eq!(items.collect::<Vec<_>>().wait()?, [7, 8, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "prepend")]
    pub fn start_with<I>(self, items: I) -> Flow<Concat<FromIter<I::IntoIter>, P>>
    where
        I: IntoIterator<IntoIter: Send + 'static, Item = P::Item>,
        P: Send + 'static,
    {
        from_iter(items).concat(self.source)
    }
}
