//! `min`, `max`, `min_by_key`, `max_by_key`: the least and the greatest item.

use reactive_streams::Publisher;

use crate::{Flow, Outcome};

impl<P: Publisher> Flow<P> {
    /// Runs the flow and keeps its least item; of equal ones, the first.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// The outcome is the item when the flow completes, `None` if there was none, and the flow's
    /// error when it fails.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::from_iter([3, 1, 2]).min().wait()?, Some(1));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn min(self) -> Outcome<Option<P::Item>>
    where
        P::Item: Ord + Send + 'static,
    {
        self.reduce(Ord::min)
    }

    /// Runs the flow and keeps its greatest item; of equal ones, the last.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// As [`min`](Self::min).
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::from_iter([1, 3, 2]).max().wait()?, Some(3));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn max(self) -> Outcome<Option<P::Item>>
    where
        P::Item: Ord + Send + 'static,
    {
        self.reduce(Ord::max)
    }

    /// Runs the flow and keeps the item for which `key` returns the least; of equal ones, the
    /// first.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// As [`min`](Self::min). If `key` panics, the outcome is an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(millstream::from_iter(["abc", "d"]).min_by_key(|s| s.len()).wait()?, Some("d"));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn min_by_key<K, F>(self, mut key: F) -> Outcome<Option<P::Item>>
    where
        P::Item: Send + 'static,
        K: Ord + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        self.reduce(move |a, b| if key(&b) < key(&a) { b } else { a })
    }

    /// Runs the flow and keeps the item for which `key` returns the greatest; of equal ones, the
    /// last.
    ///
    /// # Demand
    ///
    /// Unbounded.
    ///
    /// # Termination
    ///
    /// As [`min_by_key`](Self::min_by_key).
    ///
    /// # Examples
    ///
    /// ```
    /// let longest = millstream::from_iter(["abc", "d"]).max_by_key(|s| s.len()).wait()?;
    /// assert_eq!(longest, Some("abc"));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn max_by_key<K, F>(self, mut key: F) -> Outcome<Option<P::Item>>
    where
        P::Item: Send + 'static,
        K: Ord + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        self.reduce(move |a, b| if key(&b) < key(&a) { a } else { b })
    }
}
