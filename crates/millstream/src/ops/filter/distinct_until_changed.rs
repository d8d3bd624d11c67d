//! `distinct_until_changed`: drops repeated items.

use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Drops items that are equal to the one right before them.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. A dropped item uses no demand, so the downstream receives as many items
    /// as it asked for (rule 3.8).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--1--2--1--|", |source| source.distinct_until_changed(), "--1-----2--1--|");
    /// ```
    #[doc(alias = "dedup")]
    #[doc(alias = "drop_repeated")]
    pub fn distinct_until_changed(self) -> Flow<DistinctUntilChanged<P>>
    where
        P::Item: PartialEq + Clone + Send + 'static,
    {
        self.distinct_until_changed_by_key(P::Item::clone)
    }

    /// Drops items whose key is equal to that of the item right before them.
    ///
    /// # Demand
    ///
    /// As [`distinct_until_changed`](Self::distinct_until_changed).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// let numbers = millstream::from_iter([1, 3, 4, 6, 7])
    ///     .distinct_until_changed_by_key(|n| n % 2);
    /// assert_eq!(numbers.collect::<Vec<_>>().wait()?, [1, 4, 7]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "dedup_by_key")]
    pub fn distinct_until_changed_by_key<K, F>(
        self,
        key: F,
    ) -> Flow<DistinctUntilChangedByKey<P, F>>
    where
        K: PartialEq + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        Flow { source: DistinctUntilChangedByKey { source: self.source, key } }
    }
}

/// Publisher returned by [`Flow::distinct_until_changed`]: an item is its own key.
pub type DistinctUntilChanged<P> =
    DistinctUntilChangedByKey<P, fn(&<P as Publisher>::Item) -> <P as Publisher>::Item>;

/// Publisher returned by [`Flow::distinct_until_changed_by_key`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DistinctUntilChangedByKey<P, F> {
    source: P,
    key: F,
}

impl<P, K, F> Publisher for DistinctUntilChangedByKey<P, F>
where
    P: Publisher,
    K: PartialEq + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, mut key } = self;
        let mut last = None;
        let is_new = move |item: &P::Item| {
            let key = Some(key(item));
            let is_new = last != key;
            if is_new {
                last = key;
            }
            is_new
        };
        Flow { source }.filter(is_new).subscribe(downstream);
    }
}

backpressure!(DistinctUntilChangedByKey<P, F>, PassThrough);
opaque_debug!(DistinctUntilChangedByKey<P, F>);
