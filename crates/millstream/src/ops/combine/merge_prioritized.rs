//! `merge_prioritized`, `merge_preferred`: flows of which some come first.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Entrance, Inlet, inlet},
        start::{Start, StartSignal},
    },
};

/// How many items of a preferred flow may pass while others wait.
const PREFERENCE: u32 = 32;

/// The items of several flows, as they come, in rounds in which each gives at most as many as its
/// weight.
///
/// Of those that have an item and something left in this round, the first of the list is next; a
/// round is over when none is left. So a flow that always has items gets a share of the whole by
/// its weight, and no item at the head of its flow waits for more than twice the sum of the other
/// flows' weights. What it costs grows with the number of flows: it is for a few.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were passed on. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes when all flows have; at once if there are none.
/// Fails with the first that fails, after the items of that flow; the others are canceled, and what
/// waits of them is dropped. A cancel reaches every flow.
///
/// # Panics
///
/// If a weight is 0.
///
/// # Examples
///
/// ```
/// use millstream::{merge_prioritized, range};
///
/// let flow = merge_prioritized([(3, range(0..9)), (1, range(10..13))]);
/// assert_eq!(flow.collect::<Vec<_>>().wait()?, [0, 1, 2, 10, 3, 4, 5, 11, 6, 7, 8, 12]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "select_with_strategy")]
#[track_caller]
pub fn merge_prioritized<P: Publisher>(
    flows: impl IntoIterator<Item = (u32, P)>,
) -> Flow<MergePrioritized<P>> {
    let (weights, flows): (Vec<_>, Vec<_>) = flows.into_iter().unzip();
    assert!(!weights.contains(&0), "a flow of weight 0 would never give an item: use at least 1");
    Flow { source: MergePrioritized { flows, weights } }
}

impl<P: Publisher> Flow<P> {
    /// The items of this flow and of `preferred`, as they come; where both have one, that of
    /// `preferred` comes first.
    ///
    /// While an item of this flow waits, at most 64 items of `preferred` pass.
    /// [`merge_prioritized`] sets other weights, for any number of flows.
    ///
    /// # Demand
    ///
    /// As [`merge_prioritized`].
    ///
    /// # Termination
    ///
    /// As [`merge_prioritized`].
    ///
    /// # Examples
    ///
    /// ```
    /// let flow = millstream::range(10..12).merge_preferred(millstream::range(0..3));
    /// assert_eq!(flow.collect::<Vec<_>>().wait()?, [0, 1, 2, 10, 11]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn merge_preferred<Q>(self, preferred: Q) -> Flow<MergePreferred<P, Q>>
    where
        Q: Publisher<Item = P::Item>,
    {
        Flow { source: MergePreferred { source: self.source, preferred } }
    }
}

/// Publisher returned by [`merge_prioritized`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergePrioritized<P> {
    flows: Vec<P>,
    weights: Vec<u32>,
}

/// Publisher returned by [`Flow::merge_preferred`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergePreferred<P, Q> {
    source: P,
    preferred: Q,
}

impl<P> Publisher for MergePrioritized<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (gate, entrances, signal) = open(&self.weights, downstream);
        for (flow, entrance) in self.flows.into_iter().zip(entrances) {
            entrance.subscribe_to(flow, Arc::clone(&gate));
        }
        signal.give(gate);
    }
}

impl<P, Q> Publisher for MergePreferred<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item = P::Item>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (gate, entrances, signal) = open(&[PREFERENCE, 1], downstream);
        let mut entrances = entrances.into_iter();
        if let (Some(first), Some(second)) = (entrances.next(), entrances.next()) {
            first.subscribe_to(self.preferred, Arc::clone(&gate));
            second.subscribe_to(self.source, Arc::clone(&gate));
        }
        signal.give(gate);
    }
}

impl<P: Backpressure> Backpressure for MergePrioritized<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let each = self.flows.iter().map(Backpressure::max_in_flight);
        each.fold(0, |sum: u64, n| sum.saturating_add(n).saturating_add(PREFETCH as u64))
    }
}

impl<P: Bounded> Bounded for MergePrioritized<P> {}
opaque_debug!(MergePrioritized<P>);
backpressure!(two MergePreferred<P, Q>, source saturating_add preferred, Queue, |_this| 2 * PREFETCH);
opaque_debug!(MergePreferred<P, Q>);

/// A gate for the flows, an entrance for each of them, and what is given when all of them are
/// subscribed to.
type Opened<T, S> = (Arc<Gate<Rounds<T>, S, Inline>>, Vec<Entrance<T>>, StartSignal);

fn open<T: Send + 'static, S: Subscriber<T>>(weights: &[u32], downstream: S) -> Opened<T, S> {
    let (signal, start) = Start::new();
    let (entrances, lanes) = weights
        .iter()
        .map(|&weight| {
            let (entrance, inlet) = inlet(PREFETCH);
            (entrance, Lane { inlet, weight, n_left: weight, is_over: false })
        })
        .unzip();
    let source = Rounds { start, lanes };
    let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
    (gate, entrances, signal)
}

struct Rounds<T> {
    start: Start,
    lanes: Vec<Lane<T>>,
}

struct Lane<T> {
    inlet: Inlet<T>,
    weight: u32,
    /// Items that it may give in this round.
    n_left: u32,
    is_over: bool,
}

impl<T> Lane<T> {
    /// Notes that the flow has completed. Its failure, if it has one instead, and no item comes
    /// before it.
    fn look(&mut self) -> Option<End> {
        if self.is_over {
            return None;
        }
        let end = self.inlet.end()?;
        self.is_over = true;
        matches!(end, End::Failed(_)).then_some(end)
    }

    fn take(&mut self) -> Option<T> {
        if self.is_over || self.n_left == 0 {
            return None;
        }
        let item = self.inlet.take_item()?;
        self.n_left -= 1;
        self.inlet.release(1);
        Some(item)
    }
}

impl<T> Rounds<T> {
    /// How everything ends, if it does.
    fn look(&mut self) -> Option<End> {
        if let Some(end) = self.lanes.iter_mut().find_map(Lane::look) {
            self.lanes.iter().for_each(|lane| lane.inlet.cancel());
            return Some(end);
        }
        self.lanes.iter().all(|lane| lane.is_over).then_some(End::Complete)
    }
}

impl<T: Send + 'static> Source for Rounds<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        self.lanes.iter_mut().for_each(|lane| lane.inlet.start());
        if let Some(end) = self.look() {
            return Step::End(end);
        }
        if let Some(item) = self.lanes.iter_mut().find_map(Lane::take) {
            return Step::Item(item);
        }
        self.lanes.iter_mut().for_each(|lane| lane.n_left = lane.weight);
        self.lanes.iter_mut().find_map(Lane::take).map_or(Step::Pending, Step::Item)
    }

    fn end(&mut self) -> Option<End> {
        if self.start.has_come() { self.look() } else { None }
    }

    fn cancel(&mut self) {
        self.lanes.iter().for_each(|lane| lane.inlet.cancel());
    }
}
