//! `collect_map`, `collect_multimap`: all items in a map.

use std::{collections::HashMap, hash::Hash};

use reactive_streams::Publisher;

use crate::{Flow, Outcome};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and puts its items into a map by their key; of items with the same key, the
    /// last is kept.
    ///
    /// The map grows with the flow. For a map of another kind, [`collect`](Self::collect) takes
    /// pairs.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the map when the flow completes, and its error when it fails; the items
    /// before the failure are then dropped. If `key` panics, the outcome is an error of kind
    /// `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let by_length = millstream::from_iter(["a", "bc", "d"]).collect_map(|s| s.len()).wait()?;
    /// assert_eq!((by_length[&1], by_length[&2]), ("d", "bc"));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "to_map")]
    pub fn collect_map<K, F>(self, mut key: F) -> Outcome<HashMap<K, P::Item>>
    where
        P::Item: Send + 'static,
        K: Eq + Hash + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        self.map(move |item| (key(&item), item)).collect()
    }

    /// Runs the flow and puts its items into a map of vectors by their key, in order.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// As [`collect_map`](Self::collect_map).
    ///
    /// # Examples
    ///
    /// ```
    /// let by_length = millstream::from_iter(["a", "bc", "d"]).collect_multimap(|s| s.len())
    ///     .wait()?;
    /// assert_eq!(by_length[&1], ["a", "d"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "to_multimap")]
    pub fn collect_multimap<K, F>(self, mut key: F) -> Outcome<HashMap<K, Vec<P::Item>>>
    where
        P::Item: Send + 'static,
        K: Eq + Hash + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        self.fold(HashMap::<K, Vec<P::Item>>::new(), move |mut map, item| {
            map.entry(key(&item)).or_default().push(item);
            map
        })
    }
}
