//! `switch_map`: each item becomes a flow, which replaces the one before.

use std::{
    marker::PhantomData,
    sync::{Arc, Weak},
};

use millstream_kernel::{End, Gate, Inline, Source, Step, after_turn};
use reactive_streams::{Publisher, Subscriber};

use crate::scheduler::surroundings::Surroundings;
use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{EachAtOnce, Inlet, inlet},
    },
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into a flow, and passes on the items of the latest: the flow before is
    /// canceled, and what waits of it is dropped.
    ///
    /// Where several items have come since the last look, only the latest becomes a flow.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request. The source is then asked for 32 items, and for
    /// more as they come, whatever the downstream does: its items replace each other and do not
    /// wait. Each flow is asked for 32 items when it begins, and for 24 more whenever as many were
    /// passed on.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last flow. Fails with the present flow, after its items,
    /// and cancels the source; fails with the source at once, and cancels the present flow. A
    /// cancel reaches both. If `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::{check_in_time, source};
    ///
    /// check_in_time(
    ///     "a------b-----------|",
    ///     |letters, clock| {
    ///         let flow = source("--1--2--3--|", clock);
    ///         letters.switch_map(move |_| flow.clone())
    ///     },
    ///     "--1--2---1--2--3---|",
    /// );
    /// ```
    #[doc(alias = "flat_map_latest")]
    #[doc(alias = "switch_on_next")]
    pub fn switch_map<F, Q>(self, f: F) -> Flow<SwitchMap<P, F>>
    where
        F: FnMut(P::Item) -> Q + Send + 'static,
        Q: Publisher,
    {
        Flow { source: SwitchMap { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::switch_map`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct SwitchMap<P, F> {
    source: P,
    f: F,
}

impl<P, F, Q> Publisher for SwitchMap<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let (entrance, outer) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let gate = Weak::clone(gate);
            let (f, flows) = (self.f, PhantomData);
            let surroundings = Surroundings::current();
            let source = SwitchMapSource {
                outer,
                is_outer_done: false,
                f,
                inner: None,
                gate,
                surroundings,
                flows,
            };
            (source, downstream, Inline)
        });
        // Each item is switched to, also if the next is at hand.
        self.source.subscribe(entrance.subscriber(EachAtOnce(Arc::clone(&gate))));
    }
}

backpressure!(inner SwitchMap<P, F>, Queue, |_this| 2 * PREFETCH);
opaque_debug!(SwitchMap<P, F>);

struct SwitchMapSource<T, F, Q: Publisher, S> {
    outer: Inlet<T>,
    is_outer_done: bool,
    f: F,
    inner: Option<Inlet<Q::Item>>,
    /// What the inner flows wake.
    gate: Weak<Gate<Self, S, Inline>>,
    surroundings: Surroundings,
    flows: PhantomData<fn() -> Q>,
}

impl<T, F, Q, S> SwitchMapSource<T, F, Q, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    S: Subscriber<Q::Item>,
{
    /// Goes over to the latest item, if there are any. Those that come meanwhile wait for the next
    /// look, so that a source that never stops leaves room for a cancel.
    #[inline]
    fn switch(&mut self) {
        let Some(mut latest) = self.outer.take_item() else { return };
        let mut n_taken = 1;
        while let Some(item) = self.outer.take_item() {
            latest = item;
            n_taken += 1;
        }
        if let Some(inner) = self.inner.take() {
            inner.cancel();
        }
        let publisher = self.surroundings.within(|| (self.f)(latest));
        let Some(gate) = self.gate.upgrade() else { return };
        let (mut entrance, mut inner) = inlet(PREFETCH);
        inner.start_by(&mut entrance);
        self.inner = Some(inner);
        let surroundings = self.surroundings.clone();
        let subscriber = entrance.subscriber(gate);
        after_turn::run(move || surroundings.within(|| publisher.subscribe(subscriber)));
        self.outer.release(n_taken);
    }

    /// How everything has ended, if the end of the present flow is not in the way.
    fn finish(&mut self) -> Option<End> {
        if !self.is_outer_done {
            match self.outer.end()? {
                End::Complete => self.is_outer_done = true,
                End::Failed(error) => {
                    self.inner.iter().for_each(Inlet::cancel);
                    return Some(End::Failed(error));
                }
            }
        }
        self.inner.is_none().then_some(End::Complete)
    }

    /// The present flow has ended.
    fn leave(&mut self, end: End) -> Option<End> {
        self.inner = None;
        match end {
            End::Complete => self.finish(),
            End::Failed(error) => {
                self.outer.cancel();
                Some(End::Failed(error))
            }
        }
    }
}

impl<T, F, Q, S> Source for SwitchMapSource<T, F, Q, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    S: Subscriber<Q::Item>,
{
    type Item = Q::Item;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        self.switch();
    }

    #[inline]
    fn next(&mut self) -> Step<Q::Item> {
        self.outer.start();
        self.switch();
        if let Some(end) = self.finish() {
            return Step::End(end);
        }
        let Some(inner) = &mut self.inner else { return Step::Pending };
        match inner.next() {
            Step::End(end) => self.leave(end).map_or(Step::Pending, Step::End),
            step => step,
        }
    }

    fn end(&mut self) -> Option<End> {
        // An item that has come since is to be looked at first.
        if !self.outer.is_drained() {
            return None;
        }
        match self.inner.as_mut().and_then(Inlet::end) {
            Some(end) => self.leave(end),
            None => self.finish(),
        }
    }

    fn cancel(&mut self) {
        self.inner.iter().for_each(Inlet::cancel);
        self.outer.cancel();
    }
}
