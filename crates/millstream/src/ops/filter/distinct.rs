//! `distinct`: drops items that were there before.

use std::{collections::HashSet, hash::Hash};

use reactive_streams::{Publisher, Subscriber};

use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Drops items that are equal to an earlier one.
    ///
    /// All different items are remembered until the flow ends. Where they are many,
    /// [`distinct_by_key`](Self::distinct_by_key) remembers less of each, and
    /// [`distinct_until_changed`](Self::distinct_until_changed) remembers one.
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
    /// check("--1--2--1--3--|", |source| source.distinct(), "--1--2-----3--|");
    /// ```
    #[doc(alias = "unique")]
    pub fn distinct(self) -> Flow<Distinct<P>>
    where
        P::Item: Eq + Hash + Clone + Send + 'static,
    {
        self.distinct_by_key(P::Item::clone)
    }

    /// Drops items whose key is equal to that of an earlier one.
    ///
    /// All different keys are remembered until the flow ends.
    ///
    /// # Demand
    ///
    /// As [`distinct`](Self::distinct).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// let words = millstream::from_iter(["ab", "b", "a", "cd"])
    ///     .distinct_by_key(|word| word.len());
    /// assert_eq!(words.collect::<Vec<_>>().wait()?, ["ab", "b"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn distinct_by_key<K, F>(self, key: F) -> Flow<DistinctByKey<P, F>>
    where
        K: Eq + Hash + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        Flow { source: DistinctByKey { source: self.source, key } }
    }
}

/// Publisher returned by [`Flow::distinct`]: an item is its own key.
pub type Distinct<P> = DistinctByKey<P, fn(&<P as Publisher>::Item) -> <P as Publisher>::Item>;

/// Publisher returned by [`Flow::distinct_by_key`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DistinctByKey<P, F> {
    source: P,
    key: F,
}

impl<P, K, F> Publisher for DistinctByKey<P, F>
where
    P: Publisher,
    K: Eq + Hash + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, mut key } = self;
        let mut seen = HashSet::new();
        Flow { source }.filter(move |item| seen.insert(key(item))).subscribe(downstream);
    }
}

backpressure!(DistinctByKey<P, F>, PassThrough);
opaque_debug!(DistinctByKey<P, F>);
