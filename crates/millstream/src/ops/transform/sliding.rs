//! `sliding`: windows of items that overlap.

use std::collections::VecDeque;

use reactive_streams::{Publisher, Subscriber};

use super::gather::{self, Gatherer};
use crate::Flow;

/// The most items that room is made for before they are there.
const ROOM: usize = 1024;

impl<P: Publisher> Flow<P> {
    /// Collects the last `n` items into a vector, each time that `step` items have come.
    ///
    /// With a `step` below `n` the vectors overlap, with one above it items between them are
    /// dropped, and with the same it is [`buffer`](Self::buffer).
    /// The last vector is shorter if items are left that were in none.
    ///
    /// # Demand
    ///
    /// The source is asked for one item at a time, while vectors are asked for, as by
    /// [`gather`](Self::gather).
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the last vector, which waits until it is asked
    /// for.
    ///
    /// # Panics
    ///
    /// If `n` or `step` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let windows = millstream::range(1..=6).sliding(3, 2).collect::<Vec<_>>().wait()?;
    /// assert_eq!(windows, [vec![1, 2, 3], vec![3, 4, 5], vec![5, 6]]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "windowed")]
    #[track_caller]
    pub fn sliding(self, n: usize, step: usize) -> Flow<Sliding<P>>
    where
        P::Item: Clone + Send + 'static,
    {
        assert!(n > 0, "a window of 0 items would never be full: use at least 1");
        assert!(step > 0, "a step of 0 items would never go on: use at least 1");
        Flow { source: Sliding { source: self.source, n, step } }
    }
}

/// Publisher returned by [`Flow::sliding`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Sliding<P> {
    source: P,
    n: usize,
    step: usize,
}

impl<P> Publisher for Sliding<P>
where
    P: Publisher<Item: Clone + Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let Self { source, n, step } = self;
        let items = VecDeque::with_capacity(n.min(ROOM));
        let windows = Windows { n, step, items, n_fresh: 0, n_to_drop: 0 };
        gather::subscribe(source, windows, downstream);
    }
}

backpressure!(Sliding<P>, Queue, |this| this.n.saturating_add(1));
opaque_debug!(Sliding<P>);

struct Windows<T> {
    n: usize,
    step: usize,
    /// Fewer than `n` between two items.
    items: VecDeque<T>,
    /// How many of them, the last ones, were in no window.
    n_fresh: usize,
    /// How many items are not to be in any.
    n_to_drop: usize,
}

impl<T: Clone + Send + 'static> Gatherer<T> for Windows<T> {
    type Outputs = std::option::IntoIter<Vec<T>>;
    type Last = std::option::IntoIter<Vec<T>>;

    fn step(&mut self, item: T) -> Self::Outputs {
        if self.n_to_drop > 0 {
            self.n_to_drop -= 1;
            return None.into_iter();
        }
        self.items.push_back(item);
        self.n_fresh += 1;
        if self.items.len() < self.n {
            return None.into_iter();
        }
        self.n_fresh = 0;
        let window = if self.step < self.n {
            let window = self.items.iter().cloned().collect();
            self.items.drain(..self.step);
            window
        } else {
            self.n_to_drop = self.step - self.n;
            self.items.drain(..).collect()
        };
        Some(window).into_iter()
    }

    fn finish(self) -> Self::Last {
        (self.n_fresh > 0).then(|| self.items.into()).into_iter()
    }
}
