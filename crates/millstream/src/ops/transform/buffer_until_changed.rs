//! `buffer_until_changed`: neighbors that are alike, in groups.

use reactive_streams::{Publisher, Subscriber};

use super::gather::{self, Gatherer};
use crate::{Backpressure, BackpressureKind, Flow};

impl<P: Publisher> Flow<P> {
    /// Collects items into a vector as long as each equals the one before.
    ///
    /// A vector grows until another item comes: bound it by
    /// [`buffer_weighted`](Self::buffer_weighted) where the source is not to be trusted.
    ///
    /// # Demand
    ///
    /// The source is asked for one item at a time, while vectors are asked for, as by
    /// [`gather`](Self::gather).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after a vector of the items that are left, which waits
    /// until it is asked for. If the comparison panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let runs = millstream::from_iter("aabccc".chars())
    ///     .buffer_until_changed()
    ///     .map(|letters| letters.into_iter().collect::<String>());
    /// assert_eq!(runs.collect::<Vec<_>>().wait()?, ["aa", "b", "ccc"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn buffer_until_changed(self) -> Flow<BufferUntilChanged<P>>
    where
        P::Item: Clone + PartialEq + Send + 'static,
    {
        self.buffer_until_changed_by_key(P::Item::clone)
    }

    /// Collects items into a vector as long as `key` returns the same for each as for the one
    /// before.
    ///
    /// A vector grows until another key comes. For groups of items that are not neighbors, see
    /// [`group_by`](Self::group_by).
    ///
    /// # Demand
    ///
    /// As [`buffer_until_changed`](Self::buffer_until_changed).
    ///
    /// # Termination
    ///
    /// As [`buffer_until_changed`](Self::buffer_until_changed).
    ///
    /// # Examples
    ///
    /// ```
    /// let tens = millstream::from_iter([11, 15, 21, 12]).buffer_until_changed_by_key(|n| n / 10);
    /// assert_eq!(tens.collect::<Vec<_>>().wait()?, [vec![11, 15], vec![21], vec![12]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "grouped_adjacent_by")]
    #[doc(alias = "chunk_by")]
    pub fn buffer_until_changed_by_key<K, F>(self, key: F) -> Flow<BufferUntilChangedByKey<P, F>>
    where
        P::Item: Send + 'static,
        K: PartialEq + Send + 'static,
        F: FnMut(&P::Item) -> K + Send + 'static,
    {
        Flow { source: BufferUntilChangedByKey { source: self.source, key } }
    }
}

/// Publisher returned by [`Flow::buffer_until_changed`]: an item is its own key.
pub type BufferUntilChanged<P> =
    BufferUntilChangedByKey<P, fn(&<P as Publisher>::Item) -> <P as Publisher>::Item>;

/// Publisher returned by [`Flow::buffer_until_changed_by_key`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferUntilChangedByKey<P, F> {
    source: P,
    key: F,
}

impl<P, K, F> Publisher for BufferUntilChangedByKey<P, F>
where
    P: Publisher<Item: Send + 'static>,
    K: PartialEq + Send + 'static,
    F: FnMut(&P::Item) -> K + Send + 'static,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let runs = Runs { key: self.key, current: None, items: Vec::new() };
        gather::subscribe(self.source, runs, downstream);
    }
}

// A group ends when the key changes, so that nothing bounds it.
impl<P, F> Backpressure for BufferUntilChangedByKey<P, F> {
    const KIND: BackpressureKind = BackpressureKind::Unbounded;

    fn max_in_flight(&self) -> u64 {
        u64::MAX
    }
}

opaque_debug!(BufferUntilChangedByKey<P, F>);

struct Runs<T, K, F> {
    key: F,
    /// The key of `items`.
    current: Option<K>,
    items: Vec<T>,
}

impl<T, K, F> Gatherer<T> for Runs<T, K, F>
where
    T: Send + 'static,
    K: PartialEq + Send + 'static,
    F: FnMut(&T) -> K + Send + 'static,
{
    type Outputs = std::option::IntoIter<Vec<T>>;
    type Last = std::option::IntoIter<Vec<T>>;

    fn step(&mut self, item: T) -> Self::Outputs {
        let key = (self.key)(&item);
        let is_other = self.current.as_ref().is_some_and(|current| *current != key);
        let run = is_other.then(|| std::mem::take(&mut self.items));
        self.current = Some(key);
        self.items.push(item);
        run.into_iter()
    }

    fn finish(self) -> Self::Last {
        Some(self.items).filter(|items| !items.is_empty()).into_iter()
    }
}
