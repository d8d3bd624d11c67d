//! `interleave`: so many items of each flow in turn.

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

/// The items of several flows in turn: `n` of the first, `n` of the second, and so on, round and
/// round.
///
/// Waits for the flow whose turn it is, so that the order is always the same; a flow that has
/// completed is left out. Where that order does not matter, [`merge`](crate::merge) waits for none.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and for 24
/// more whenever as many were passed on. Up to 32 items of each flow wait.
///
/// # Termination
///
/// Completes when all flows have; at once if there are none.
/// Fails with a flow that fails, when it is its turn; the others are canceled, and what waits of
/// them is dropped. A cancel reaches every flow.
///
/// # Panics
///
/// If `n` is 0.
///
/// # Examples
///
/// ```
/// use millstream::{interleave, range};
///
/// let flow = interleave([range(0..5), range(10..13), range(20..21)], 2);
/// assert_eq!(flow.collect::<Vec<_>>().wait()?, [0, 1, 10, 11, 20, 2, 3, 12, 4]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[doc(alias = "interleave_all")]
#[track_caller]
pub fn interleave<P: Publisher>(
    flows: impl IntoIterator<Item = P>,
    n: usize,
) -> Flow<Interleave<P>> {
    assert!(n > 0, "a turn of 0 items would never end: use at least 1");
    Flow { source: Interleave { flows: flows.into_iter().collect(), n } }
}

/// Publisher returned by [`interleave`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Interleave<P> {
    flows: Vec<P>,
    n: usize,
}

impl<P> Publisher for Interleave<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrances, inlets): (Vec<_>, Vec<_>) =
            self.flows.iter().map(|_| inlet(PREFETCH)).unzip();
        let (signal, start) = Start::new();
        let (n, n_left) = (self.n, self.n);
        let source = InterleaveSource { start, inlets, is_started: false, n, present: 0, n_left };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        for (flow, entrance) in self.flows.into_iter().zip(entrances) {
            entrance.subscribe_to(flow, Arc::clone(&gate));
        }
        signal.give(gate);
    }
}

backpressure!(list Interleave<P>, Queue, |_this| PREFETCH);
opaque_debug!(Interleave<P>);

struct InterleaveSource<T> {
    start: Start,
    /// Those of the flows that are left.
    inlets: Vec<Inlet<T>>,
    is_started: bool,
    n: usize,
    /// Whose turn it is.
    present: usize,
    /// Items of this turn that are left.
    n_left: usize,
}

impl<T> InterleaveSource<T> {
    /// It is the next one's turn.
    fn go_on(&mut self, by: usize) {
        self.n_left = self.n;
        self.present += by;
        if self.present >= self.inlets.len() {
            self.present = 0;
        }
    }

    /// The flow whose turn it is has ended. How everything ends, if it does.
    fn leave(&mut self, end: End) -> Option<End> {
        drop(self.inlets.remove(self.present));
        if let End::Failed(_) = &end {
            self.inlets.iter().for_each(Inlet::cancel);
            return Some(end);
        }
        self.go_on(0);
        self.inlets.is_empty().then_some(End::Complete)
    }
}

impl<T: Send + 'static> Source for InterleaveSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<T> {
        if !self.is_started {
            if !self.start.has_come() {
                return Step::Pending;
            }
            self.is_started = true;
            self.inlets.iter_mut().for_each(Inlet::start);
        }
        loop {
            let Some(inlet) = self.inlets.get_mut(self.present) else {
                return Step::End(End::Complete);
            };
            match inlet.next() {
                Step::Item(item) => {
                    self.n_left -= 1;
                    if self.n_left == 0 {
                        self.go_on(1);
                    }
                    return Step::Item(item);
                }
                Step::Pending => return Step::Pending,
                Step::End(end) => {
                    if let Some(end) = self.leave(end) {
                        return Step::End(end);
                    }
                }
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        loop {
            let Some(inlet) = self.inlets.get_mut(self.present) else {
                return self.start.has_come().then_some(End::Complete);
            };
            let end = inlet.end()?;
            if let Some(end) = self.leave(end) {
                return Some(end);
            }
        }
    }

    fn cancel(&mut self) {
        self.inlets.iter().for_each(Inlet::cancel);
    }
}
