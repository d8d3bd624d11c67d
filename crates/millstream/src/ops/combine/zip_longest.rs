//! `zip_longest`: two flows side by side, to the end of the longer one.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use super::zip::Column;
use crate::{
    Flow,
    parts::{fan_in::PREFETCH, inlet::inlet, start::Start},
};

impl<P: Publisher> Flow<P> {
    /// Pairs the items of this flow with those of `other`, with `None` in place of those of the one
    /// that has completed.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
    /// more whenever as many pairs were passed on. Up to 32 items of each flow wait for the other.
    ///
    /// # Termination
    ///
    /// Completes when both have, and fails with the first that fails, after the pairs that its
    /// items are part of; the other is canceled, and what waits of it is dropped.
    /// A cancel reaches both.
    ///
    /// # Examples
    ///
    /// ```
    /// let pairs = millstream::range(1..4).zip_longest(millstream::just('a'));
    /// let pairs = pairs.collect::<Vec<_>>().wait()?;
    /// assert_eq!(pairs, [(Some(1), Some('a')), (Some(2), None), (Some(3), None)]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "zip_all")]
    pub fn zip_longest<Q: Publisher>(self, other: Q) -> Flow<ZipLongest<P, Q>> {
        Flow { source: ZipLongest { source: self.source, other } }
    }
}

/// Publisher returned by [`Flow::zip_longest`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ZipLongest<P, Q> {
    source: P,
    other: Q,
}

impl<P, Q> Publisher for ZipLongest<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item: Send + 'static>,
{
    type Item = (Option<P::Item>, Option<Q::Item>);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let (first, left) = inlet(PREFETCH);
        let (second, right) = inlet(PREFETCH);
        let (signal, start) = Start::new();
        let (left, right) = (Side::new(Column::new(left)), Side::new(Column::new(right)));
        let source = ZipLongestSource { start, left, right };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        first.subscribe_to(self.source, Arc::clone(&gate));
        second.subscribe_to(self.other, Arc::clone(&gate));
        signal.give(gate);
    }
}

backpressure!(two ZipLongest<P, Q>, source saturating_add other, Queue, |_this| 2 * (PREFETCH + 1));
opaque_debug!(ZipLongest<P, Q>);

/// One of the two flows.
struct Side<T> {
    column: Column<T>,
    /// Whether it has completed, and its last item is in a pair.
    is_over: bool,
}

impl<T> Side<T> {
    fn new(column: Column<T>) -> Self {
        Self { column, is_over: false }
    }

    /// Sees to its part of the next pair: `Pending` if that is not known yet.
    fn fill(&mut self) -> Step<()> {
        if self.is_over {
            return Step::Item(());
        }
        match self.column.fill() {
            Step::End(End::Complete) => {
                self.is_over = true;
                Step::Item(())
            }
            step => step,
        }
    }

    fn take(&mut self) -> Option<T> {
        let item = self.column.item.take()?;
        self.column.inlet.release(1);
        Some(item)
    }

    /// A failure, if no pair comes before it.
    fn failure(&mut self) -> Option<End> {
        if self.is_over {
            return None;
        }
        let end = self.column.end()?;
        self.is_over = true;
        matches!(end, End::Failed(_)).then_some(end)
    }
}

struct ZipLongestSource<T, U> {
    start: Start,
    left: Side<T>,
    right: Side<U>,
}

impl<T, U> ZipLongestSource<T, U> {
    fn close(&self, end: End) -> End {
        self.left.column.inlet.cancel();
        self.right.column.inlet.cancel();
        end
    }
}

impl<T, U> Source for ZipLongestSource<T, U>
where
    T: Send + 'static,
    U: Send + 'static,
{
    type Item = (Option<T>, Option<U>);
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Self::Item> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        match (self.left.fill(), self.right.fill()) {
            (Step::End(end), _) | (_, Step::End(end)) => Step::End(self.close(end)),
            (Step::Pending, _) | (_, Step::Pending) => Step::Pending,
            (Step::Item(()), Step::Item(())) => match (self.left.take(), self.right.take()) {
                (None, None) => Step::End(End::Complete),
                pair => Step::Item(pair),
            },
        }
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.left.failure().or_else(|| self.right.failure()) {
            return Some(self.close(end));
        }
        (self.left.is_over && self.right.is_over).then_some(End::Complete)
    }

    fn cancel(&mut self) {
        self.left.column.inlet.cancel();
        self.right.column.inlet.cancel();
    }
}
