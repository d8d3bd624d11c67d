//! `pairwise`: each item with the one before.

use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Pairs each item with the one before it.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. The first item uses no demand.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source; without a pair, if that has fewer than two items.
    ///
    /// # Examples
    ///
    /// ```
    /// let steps = millstream::from_iter([3, 4, 9]).pairwise().map(|(before, now)| now - before);
    /// assert_eq!(steps.collect::<Vec<_>>().wait()?, [1, 5]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "zip_with_next")]
    pub fn pairwise(self) -> Flow<Pairwise<P>>
    where
        P::Item: Clone + Send + 'static,
    {
        Flow { source: Pairwise { source: self.source } }
    }
}

/// Publisher returned by [`Flow::pairwise`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Pairwise<P> {
    source: P,
}

impl<P> Publisher for Pairwise<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = (P::Item, P::Item);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let mut before: Option<P::Item> = None;
        let pair = move |item: P::Item| {
            let first = before.replace(item.clone())?;
            Some((first, item))
        };
        Flow { source: self.source }.filter_map(pair).subscribe(downstream);
    }
}

backpressure!(Pairwise<P>, Queue, |_this| 1_usize);
opaque_debug!(Pairwise<P>);
