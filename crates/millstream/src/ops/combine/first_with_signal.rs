//! `first_with_signal`: the flow that is the first to answer.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
};

/// The flow that is the first to give an item, to complete or to fail; the others are canceled.
///
/// Of several that have answered at the first look, the first of the list is taken.
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and the one
/// that is taken for 24 more whenever as many were passed on.
/// What the others have given is dropped.
///
/// # Termination
///
/// Completes and fails with the flow that is taken; completes at once if there are none. A cancel
/// reaches every flow that was not canceled before.
///
/// # Examples
///
/// ```
/// use millstream::first_with_signal;
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time(
///     "---a--b--|",
///     |letters, clock| first_with_signal([letters, source("--1--2----3-|", clock)]),
///     "--1--2----3-|",
/// );
/// ```
#[doc(alias = "amb")]
#[doc(alias = "race")]
pub fn first_with_signal<P: Publisher>(
    flows: impl IntoIterator<Item = P>,
) -> Flow<FirstWithSignal<P>> {
    Flow { source: FirstWithSignal { flows: flows.into_iter().collect() } }
}

/// Publisher returned by [`first_with_signal`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FirstWithSignal<P> {
    flows: Vec<P>,
}

impl<P> Publisher for FirstWithSignal<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrances, inlets): (Vec<_>, Vec<_>) =
            self.flows.iter().map(|_| inlet(PREFETCH)).unzip();
        let source = FirstWithSignalSource { inlets, is_decided: false };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        for (flow, entrance) in self.flows.into_iter().zip(entrances) {
            entrance.subscribe_to(flow, Arc::clone(&gate));
        }
    }
}

backpressure!(list FirstWithSignal<P>, Queue, |_this| PREFETCH);
opaque_debug!(FirstWithSignal<P>);

struct FirstWithSignalSource<T> {
    /// All of them, and the first alone once it is decided.
    inlets: Vec<Inlet<T>>,
    is_decided: bool,
}

impl<T> FirstWithSignalSource<T> {
    /// Looks for a flow that has answered. If it has ended without an item, tells how.
    fn decide(&mut self) -> Option<End> {
        if self.is_decided {
            return None;
        }
        if self.inlets.is_empty() {
            return Some(End::Complete);
        }
        for index in 0..self.inlets.len() {
            let end = self.inlets[index].end();
            if end.is_none() && self.inlets[index].is_drained() {
                continue;
            }
            self.is_decided = true;
            self.inlets.swap(0, index);
            for inlet in self.inlets.drain(1..) {
                inlet.cancel();
            }
            return end;
        }
        None
    }
}

impl<T: Send + 'static> Source for FirstWithSignalSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    #[inline]
    fn next(&mut self) -> Step<T> {
        if !self.is_decided {
            self.inlets.iter_mut().for_each(Inlet::start);
            if let Some(end) = self.decide() {
                return Step::End(end);
            }
        }
        match self.inlets.first_mut() {
            Some(inlet) if self.is_decided => inlet.next(),
            _ => Step::Pending,
        }
    }

    fn end(&mut self) -> Option<End> {
        if let Some(end) = self.decide() {
            return Some(end);
        }
        let inlet = self.inlets.first_mut()?;
        if self.is_decided { inlet.end() } else { None }
    }

    fn cancel(&mut self) {
        self.inlets.iter().for_each(Inlet::cancel);
    }
}
