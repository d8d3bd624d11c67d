//! `buffer_weighted`: items in groups that cost at most so much.

use reactive_streams::{Publisher, Subscriber};

use super::gather::{self, Gatherer};
use crate::Flow;

impl<P: Publisher> Flow<P> {
    /// Collects items into vectors that cost at most `max` in all, such as bytes.
    ///
    /// An item that would exceed that opens the next vector; one that costs more than `max` by
    /// itself has a vector of its own. An item costs at least 1, so that a vector has at most `max`
    /// items.
    ///
    /// # Demand
    ///
    /// The source is asked for one item at a time, while vectors are asked for, as by
    /// [`gather`](Self::gather).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after a vector of the items that are left, which waits
    /// until it is asked for. If `cost` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// If `max` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let lines = millstream::from_iter(["a", "bc", "defghi", "j"]);
    /// let packets = lines.buffer_weighted(4, |line| line.len() as u64);
    /// let packets = packets.collect::<Vec<_>>().wait()?;
    /// assert_eq!(packets, [vec!["a", "bc"], vec!["defghi"], vec!["j"]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "grouped_weighted")]
    #[track_caller]
    pub fn buffer_weighted<F>(self, max: u64, cost: F) -> Flow<BufferWeighted<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> u64 + Send + 'static,
    {
        assert!(max > 0, "a buffer for a cost of 0 would have no item: use at least 1");
        Flow { source: BufferWeighted { source: self.source, max, cost } }
    }
}

/// Publisher returned by [`Flow::buffer_weighted`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferWeighted<P, F> {
    source: P,
    max: u64,
    cost: F,
}

impl<P, F> Publisher for BufferWeighted<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> u64 + Send + 'static,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let groups = Groups { max: self.max, cost: self.cost, sum: 0, items: Vec::new() };
        gather::subscribe(self.source, groups, downstream);
    }
}

backpressure!(BufferWeighted<P, F>, Queue, |this| this.max.saturating_add(1));
opaque_debug!(BufferWeighted<P, F>);

struct Groups<T, F> {
    max: u64,
    cost: F,
    /// What `items` cost: at most `max`, but for one alone.
    sum: u64,
    items: Vec<T>,
}

impl<T, F> Gatherer<T> for Groups<T, F>
where
    T: Send + 'static,
    F: FnMut(&T) -> u64 + Send + 'static,
{
    type Outputs = std::option::IntoIter<Vec<T>>;
    type Last = std::option::IntoIter<Vec<T>>;

    fn step(&mut self, item: T) -> Self::Outputs {
        let cost = (self.cost)(&item).max(1);
        let sum = self.sum.saturating_add(cost);
        if self.items.is_empty() || sum <= self.max {
            self.items.push(item);
            self.sum = sum;
            // Nothing else would go in: it need not wait for the next item.
            return (sum >= self.max).then(|| self.take()).into_iter();
        }
        let group = self.take();
        self.items.push(item);
        self.sum = cost;
        Some(group).into_iter()
    }

    fn finish(self) -> Self::Last {
        Some(self.items).filter(|items| !items.is_empty()).into_iter()
    }
}

impl<T, F> Groups<T, F> {
    fn take(&mut self) -> Vec<T> {
        self.sum = 0;
        std::mem::take(&mut self.items)
    }
}
