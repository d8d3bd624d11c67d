//! `first_with_value`: the flow that is the first to have an item.

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

/// The flow that is the first to give an item; the others are canceled.
///
/// A flow that ends without one, well or not, is out of the running.
/// Of several that have an item at the first look, the first of the list is taken.
/// Where an end decides as well, see
/// [`first_with_signal`](crate::first_with_signal).
///
/// # Demand
///
/// Starts with the downstream's first request: then each flow is asked for 32 items, and the one
/// that is taken for 24 more whenever as many were passed on.
/// What the others have given is dropped.
///
/// # Termination
///
/// Completes and fails with the flow that is taken.
/// If none has an item: completes when all have ended, or fails with the first failure there was.
/// Completes at once if there are no flows. A cancel reaches every flow that is in the running.
///
/// # Examples
///
/// ```
/// use millstream::first_with_value;
/// use millstream_testkit::marbles::{check_in_time, source};
///
/// check_in_time(
///     "-#",
///     |letters, clock| first_with_value([letters, source("--1--2----3-|", clock)]),
///     "--1--2----3-|",
/// );
/// ```
#[doc(alias = "any_of")]
pub fn first_with_value<P: Publisher>(
    flows: impl IntoIterator<Item = P>,
) -> Flow<FirstWithValue<P>> {
    Flow { source: FirstWithValue { flows: flows.into_iter().collect() } }
}

/// Publisher returned by [`first_with_value`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FirstWithValue<P> {
    flows: Vec<P>,
}

impl<P> Publisher for FirstWithValue<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrances, inlets): (Vec<_>, Vec<_>) =
            self.flows.iter().map(|_| inlet(PREFETCH)).unzip();
        let source = FirstWithValueSource { inlets, is_decided: false, failure: None };
        let gate = Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, Inline));
        for (flow, entrance) in self.flows.into_iter().zip(entrances) {
            entrance.subscribe_to(flow, Arc::clone(&gate));
        }
    }
}

backpressure!(list FirstWithValue<P>, Queue, |_this| PREFETCH);
opaque_debug!(FirstWithValue<P>);

struct FirstWithValueSource<T> {
    /// Those in the running, and one alone once it is decided.
    inlets: Vec<Inlet<T>>,
    is_decided: bool,
    /// The first failure of one that is out of the running.
    failure: Option<End>,
}

impl<T> FirstWithValueSource<T> {
    /// Looks for a flow that has an item. If all have ended without one, tells how.
    fn decide(&mut self) -> Option<End> {
        let Self { inlets, is_decided, failure } = self;
        if *is_decided {
            return None;
        }
        if let Some(index) = inlets.iter_mut().position(|inlet| !inlet.is_drained()) {
            *is_decided = true;
            inlets.swap(0, index);
            inlets.drain(1..).for_each(|inlet| inlet.cancel());
            return None;
        }
        inlets.retain_mut(|inlet| match inlet.end() {
            None => true,
            Some(end) => {
                if matches!(end, End::Failed(_)) {
                    failure.get_or_insert(end);
                }
                false
            }
        });
        inlets.is_empty().then(|| failure.take().unwrap_or(End::Complete))
    }
}

impl<T: Send + 'static> Source for FirstWithValueSource<T> {
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
