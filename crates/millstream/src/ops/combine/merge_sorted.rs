//! `merge_sorted`, `merge_sorted_by_key`: the items of several sorted flows, sorted.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

/// The items of several flows, each of which is sorted, in ascending order.
///
/// The least of the flows' next items comes next; of equal ones, that of the flow that is earlier
/// in the list. So nothing comes before each flow has an item or has completed, and the slowest
/// flow sets the pace. If a flow is not sorted, what comes out is not sorted either, and nothing is
/// lost.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were passed on. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes when all flows have; at once if there are none.
/// Fails with a flow that fails, in place of its next item; the others are canceled, and what waits
/// of them is dropped. A cancel reaches every flow.
///
/// # Examples
///
/// ```
/// use millstream::{from_iter, merge_sorted};
///
/// let items = merge_sorted([from_iter(vec![1, 4, 9]), from_iter(vec![2, 3, 4])]);
/// assert_eq!(items.collect::<Vec<_>>().wait()?, [1, 2, 3, 4, 4, 9]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "merge_comparing")]
#[doc(alias = "merge_ordered")]
pub fn merge_sorted<P>(flows: impl IntoIterator<Item = P>) -> Flow<MergeSorted<P>>
where
    P: Publisher<Item: Ord>,
{
    Flow { source: MergeSorted { flows: flows.into_iter().collect() } }
}

/// The items of several flows, each of which is sorted by `key`, in ascending order of it.
///
/// Of equal keys, the item of the flow that is earlier in the list comes first. [`Reverse`] makes
/// the order a descending one.
///
/// # Demand
///
/// As [`merge_sorted`].
///
/// # Termination
///
/// As [`merge_sorted`]. If `key` panics, fails with an error of kind `Panicked`.
///
/// # Examples
///
/// ```
/// use millstream::{from_iter, merge_sorted_by_key};
///
/// let items = merge_sorted_by_key([from_iter(["a", "ccc"]), from_iter(["x", "yy"])], |s| s.len());
/// assert_eq!(items.collect::<Vec<_>>().wait()?, ["a", "x", "yy", "ccc"]);
/// # Ok::<(), millstream::Error>(())
/// ```
pub fn merge_sorted_by_key<P, K, F>(
    flows: impl IntoIterator<Item = P>,
    key: F,
) -> Flow<MergeSortedByKey<P, F>>
where
    P: Publisher,
    K: Ord,
    F: FnMut(&P::Item) -> K + Clone + Send + 'static,
{
    Flow { source: MergeSortedByKey { flows: flows.into_iter().collect(), key } }
}

/// Publisher returned by [`merge_sorted_by_key`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergeSortedByKey<P, F> {
    flows: Vec<P>,
    key: F,
}

impl<P, K, F> Publisher for MergeSortedByKey<P, F>
where
    P: Publisher<Item: Send + 'static>,
    K: Ord + Send + 'static,
    F: FnMut(&P::Item) -> K + Clone + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { flows, key } = self;
        let keyed = flows.into_iter().map(|source| {
            let mut key = key.clone();
            Flow { source }.map(move |item| Keyed { key: key(&item), item })
        });
        merge_sorted(keyed).map(|keyed| keyed.item).subscribe(downstream);
    }
}

impl<P: Backpressure, F> Backpressure for MergeSortedByKey<P, F> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let each = self.flows.iter().map(Backpressure::max_in_flight);
        each.fold(0, |sum: u64, n| sum.saturating_add(n).saturating_add(PREFETCH as u64 + 1))
    }
}

impl<P: Bounded, F> Bounded for MergeSortedByKey<P, F> {}

opaque_debug!(MergeSortedByKey<P, F>);

/// An item that is ordered by its key alone.
struct Keyed<K, T> {
    key: K,
    item: T,
}

impl<K: Ord, T> Ord for Keyed<K, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<K: Ord, T> PartialOrd for Keyed<K, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, T> PartialEq for Keyed<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Ord, T> Eq for Keyed<K, T> {}

/// Publisher returned by [`merge_sorted`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergeSorted<P> {
    flows: Vec<P>,
}

impl<P> Publisher for MergeSorted<P>
where
    P: Publisher<Item: Ord + Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrances, inlets): (Vec<_>, Vec<_>) =
            self.flows.iter().map(|_| inlet(PREFETCH)).unzip();
        let awaited = (0..inlets.len()).collect();
        let (signal, start) = Start::new();
        let source = MergeSortedSource { start, inlets, heads: BinaryHeap::new(), awaited };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        for (flow, entrance) in self.flows.into_iter().zip(entrances) {
            entrance.subscribe_to(flow, Arc::clone(&gate));
        }
        signal.give(gate);
    }
}

backpressure!(list MergeSorted<P>, Queue, |_this| PREFETCH + 1);
opaque_debug!(MergeSorted<P>);

struct MergeSortedSource<T> {
    start: Start,
    inlets: Vec<Inlet<T>>,
    /// The next item of each flow that has one, with the flow's number.
    heads: BinaryHeap<Reverse<(T, usize)>>,
    /// The flows that have not ended and have no item there.
    awaited: Vec<usize>,
}

impl<T: Ord + Send + 'static> MergeSortedSource<T> {
    /// Sees to the next item of each flow, or tells how everything ends.
    fn fill(&mut self) -> Option<End> {
        let Self { inlets, heads, awaited, .. } = self;
        let mut failure = None;
        awaited.retain(|&index| {
            inlets[index].start();
            match inlets[index].take() {
                Step::Pending => return true,
                Step::Item(item) => heads.push(Reverse((item, index))),
                Step::End(End::Complete) => {}
                Step::End(failed) => failure = failure.take().or(Some(failed)),
            }
            false
        });
        self.finish(failure)
    }

    fn finish(&mut self, failure: Option<End>) -> Option<End> {
        if failure.is_some() {
            self.inlets.iter().for_each(Inlet::cancel);
            return failure;
        }
        (self.awaited.is_empty() && self.heads.is_empty()).then_some(End::Complete)
    }
}

impl<T: Ord + Send + 'static> Source for MergeSortedSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        if let Some(end) = self.fill() {
            return Step::End(end);
        }
        if !self.awaited.is_empty() {
            return Step::Pending;
        }
        let Some(Reverse((item, index))) = self.heads.pop() else { return Step::Pending };
        self.awaited.push(index);
        self.inlets[index].release(1);
        Step::Item(item)
    }

    fn end(&mut self) -> Option<End> {
        let Self { inlets, awaited, .. } = self;
        let mut failure = None;
        awaited.retain(|&index| match inlets[index].end() {
            None => true,
            Some(End::Complete) => false,
            Some(failed) => {
                failure = failure.take().or(Some(failed));
                false
            }
        });
        self.finish(failure)
    }

    fn cancel(&mut self) {
        self.inlets.iter().for_each(Inlet::cancel);
    }
}
