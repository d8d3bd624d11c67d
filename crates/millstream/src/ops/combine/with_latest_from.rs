//! `with_latest_from`: each item with the latest of another flow.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
        start::Start,
    },
};

impl<P: Publisher> Flow<P> {
    /// Pairs each item with a clone of the latest item of `other`; drops the items that come before
    /// `other` has given one.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request. This flow is then asked for 32 items, and for 24
    /// more whenever as many were passed on or dropped.
    /// `other` is asked for 32 items, and for more as they come, whatever the downstream does: its
    /// items replace each other and do not wait.
    ///
    /// # Termination
    ///
    /// Completes and fails with this flow, after its items; completes at once if `other` completes
    /// without an item, and fails at once if `other` fails. Whichever goes on is canceled. Goes on
    /// with the last item of `other` when that completes. A cancel reaches both.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::{check_in_time, source};
    ///
    /// check_in_time(
    ///     "-a----b-----c-|",
    ///     |letters, clock| {
    ///         let numbers = source("---1-2---3-----|", clock);
    ///         letters.with_latest_from(numbers)
    ///             .map(|(letter, number)| format!("{letter}{number}"))
    ///     },
    ///     "------[b2]-----[c3]-|",
    /// );
    /// ```
    pub fn with_latest_from<Q>(self, other: Q) -> Flow<WithLatestFrom<P, Q>>
    where
        Q: Publisher<Item: Clone>,
    {
        Flow { source: WithLatestFrom { source: self.source, other } }
    }
}

/// Publisher returned by [`Flow::with_latest_from`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct WithLatestFrom<P, Q> {
    source: P,
    other: Q,
}

impl<P, Q> Publisher for WithLatestFrom<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item: Clone + Send + 'static>,
{
    type Item = (P::Item, Q::Item);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let (first, main) = inlet(PREFETCH);
        let (second, other) = inlet(PREFETCH);
        let (signal, start) = Start::new();
        let source =
            WithLatestFromSource { start, main, other, latest: None, is_other_done: false };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        second.subscribe_to(self.other, Arc::clone(&gate));
        first.subscribe_to(self.source, Arc::clone(&gate));
        signal.give(gate);
    }
}

backpressure!(two WithLatestFrom<P, Q>, source saturating_add other, Queue, |_this| 2 * PREFETCH + 2);
opaque_debug!(WithLatestFrom<P, Q>);

struct WithLatestFromSource<A, B> {
    start: Start,
    main: Inlet<A>,
    other: Inlet<B>,
    latest: Option<B>,
    is_other_done: bool,
}

impl<A, B> WithLatestFromSource<A, B> {
    /// Goes over to the latest item of the other flow. Those that come meanwhile wait for the next
    /// look, so that a flow that never stops leaves room for a cancel.
    fn update(&mut self) {
        let mut n_taken = 0;
        while let Some(item) = self.other.take_item() {
            self.latest = Some(item);
            n_taken += 1;
        }
        if n_taken > 0 {
            self.other.release(n_taken);
        }
    }

    /// How everything ends, if the other flow has ended in a way that says so.
    fn finish(&mut self) -> Option<End> {
        if self.is_other_done {
            return None;
        }
        let end = self.other.end()?;
        self.is_other_done = true;
        if matches!(end, End::Complete) && self.latest.is_some() {
            return None;
        }
        self.main.cancel();
        Some(end)
    }
}

impl<A, B> Source for WithLatestFromSource<A, B>
where
    A: Send + 'static,
    B: Clone + Send + 'static,
{
    type Item = (A, B);
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        self.update();
    }

    fn next(&mut self) -> Step<(A, B)> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        // The other one first: where both answer at once, its item is there for the first of ours.
        self.other.start();
        self.main.start();
        self.update();
        if let Some(end) = self.finish() {
            return Step::End(end);
        }
        let mut n_taken = 0;
        let step = loop {
            match self.main.take() {
                Step::Item(item) => {
                    n_taken += 1;
                    if let Some(latest) = &self.latest {
                        break Step::Item((item, latest.clone()));
                    }
                }
                Step::Pending => break Step::Pending,
                Step::End(end) => {
                    self.other.cancel();
                    break Step::End(end);
                }
            }
        };
        if n_taken > 0 {
            self.main.release(n_taken);
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.finish() {
            return Some(end);
        }
        let end = self.main.end()?;
        self.other.cancel();
        Some(end)
    }

    fn cancel(&mut self) {
        self.main.cancel();
        self.other.cancel();
    }
}
