//! `merge`: the items of several flows as they come.

use std::sync::Arc;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    ErrorMode, Flow,
    parts::fan_in::{PREFETCH, fair::FanIn, merging},
};

/// The items of several flows, as they come.
///
/// Fair: a flow that always has an item gives at most 8 before the next one that has some gets its
/// turn, however many flows there are. The items of one flow stay in order.
/// All flows are subscribed to at once; for flows that begin when others have ended, see
/// [`Flow::flat_map`].
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were passed on. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes when all flows have; at once if there are none. Fails with the first that fails, after
/// the items of that flow; the others are canceled, and what waits of them is dropped.
/// [`error_mode`](Flow::error_mode) may delay that until all have ended. A cancel reaches every flow.
///
/// # Examples
///
/// ```
/// use millstream::merge;
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time(
///     "-a----b---|",
///     |letters, clock| merge([letters, source("---1-2-|", clock)]),
///     "-a-1-2b---|",
/// );
/// ```
#[doc(alias = "select_all")]
#[doc(alias = "merge_all")]
pub fn merge<P: Publisher>(flows: impl IntoIterator<Item = P>) -> Flow<Merge<P>> {
    Flow { source: Merge { flows: flows.into_iter().collect(), mode: ErrorMode::Immediate } }
}

impl<P: Publisher> Flow<P> {
    /// The items of this flow and of `other`, as they come.
    ///
    /// Fair as [`merge`] is. For more than two flows use that one: it gives each the same share,
    /// which a chain of pairs does not.
    ///
    /// # Demand
    ///
    /// As [`merge`].
    ///
    /// # Termination
    ///
    /// As [`merge`].
    ///
    /// # Examples
    ///
    /// ```
    /// let both = millstream::range(0..3).merge_with(millstream::range(5..8));
    /// assert_eq!(both.fold(0, |sum, n| sum + n).wait()?, 21);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "select")]
    pub fn merge_with<Q>(self, other: Q) -> Flow<MergeWith<P, Q>>
    where
        Q: Publisher<Item = P::Item>,
    {
        let (first, second) = (self.source, other);
        Flow { source: MergeWith { first, second, mode: ErrorMode::Immediate } }
    }
}

impl<P> Flow<Merge<P>> {
    /// [`merge`] with another policy for failures.
    ///
    /// # Demand
    ///
    /// Unchanged.
    ///
    /// # Termination
    ///
    /// As `mode` says.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Error, ErrorMode, error, just, merge};
    /// use millstream_testkit::Probe;
    ///
    /// let flows = [error(Error::message("no")).boxed(), just(1).boxed()];
    /// let probe = Probe::subscribe_to(merge(flows).error_mode(ErrorMode::Delayed));
    /// probe.request(1);
    /// assert_eq!(probe.items(), [1]);
    /// assert!(probe.error().is_some());
    /// ```
    #[doc(alias = "merge_delay_error")]
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

impl<P, Q> Flow<MergeWith<P, Q>> {
    /// [`merge_with`](Self::merge_with) with another policy for failures.
    pub fn error_mode(mut self, mode: ErrorMode) -> Self {
        self.source.mode = mode;
        self
    }
}

/// Publisher returned by [`merge`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Merge<P> {
    flows: Vec<P>,
    mode: ErrorMode,
}

/// Publisher returned by [`Flow::merge_with`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergeWith<P, Q> {
    first: P,
    second: Q,
    mode: ErrorMode,
}

impl<P> Publisher for Merge<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let inlets = FanIn::new(self.flows.len(), PREFETCH, self.mode);
        merging::subscribe(self.flows, inlets, downstream);
    }
}

impl<P, Q> Publisher for MergeWith<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item = P::Item>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (gate, doors, signal) =
            merging::open(2, FanIn::new(2, PREFETCH, self.mode), downstream);
        let mut doors = doors.into_iter();
        if let (Some(first), Some(second)) = (doors.next(), doors.next()) {
            self.first.subscribe(first.subscriber(Arc::clone(&gate)));
            self.second.subscribe(second.subscriber(Arc::clone(&gate)));
            signal.give(gate);
        }
    }
}

backpressure!(list Merge<P>, Queue, |_this| PREFETCH);
opaque_debug!(Merge<P>);
backpressure!(two MergeWith<P, Q>, first saturating_add second, Queue, |_this| 2 * PREFETCH);
opaque_debug!(MergeWith<P, Q>);
