//! A source whose items become flows, several at a time.
//!
//! `flat_map` and `flat_map_sequential` differ in whose items come next, which is up to the
//! [`Inlets`]; what they share is here.

use std::{
    marker::PhantomData,
    sync::{Arc, Weak},
};

use millstream_kernel::{Bells, End, Gate, Source, Step, after_turn};
use reactive_streams::{Publisher, Subscriber};

use crate::parts::{
    fan_in::Inlets,
    inlet::{Inlet, inlet},
    start::Start,
};
use crate::scheduler::surroundings::Surroundings;

/// Subscribes `downstream` to the flows that `f` makes of the items of `source`, through `inners`,
/// up to `concurrency` at a time.
pub(crate) fn subscribe<P, F, Q, I, S>(
    source: P,
    f: F,
    inners: I,
    concurrency: usize,
    downstream: S,
) where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(P::Item) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    I: Inlets<Q::Item>,
    S: Subscriber<Q::Item>,
{
    let (entrance, outer) = inlet(concurrency);
    let (signal, start) = Start::new();
    let bells = inners.bells();
    let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        let gate = Weak::clone(gate);
        let flows = PhantomData;
        let is_outer_done = false;
        let surroundings = Surroundings::current();
        let source = Flattening {
            start,
            outer,
            is_outer_done,
            f,
            inners,
            concurrency,
            gate,
            surroundings,
            flows,
        };
        (source, downstream, bells)
    });
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    signal.give(gate);
}

struct Flattening<T, F, Q, I, S> {
    start: Start,
    outer: Inlet<T>,
    is_outer_done: bool,
    f: F,
    inners: I,
    concurrency: usize,
    /// What the inner flows wake.
    gate: Weak<Gate<Self, S, Bells>>,
    surroundings: Surroundings,
    flows: PhantomData<fn() -> Q>,
}

impl<T, F, Q, I, S> Flattening<T, F, Q, I, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    I: Inlets<Q::Item>,
    S: Subscriber<Q::Item>,
{
    /// Asks the source for an item in place of each flow that has ended, and begins those that are
    /// here.
    ///
    /// A source or a flow that answers at once rings while the gate is at work, which then comes
    /// back: so a hundred thousand of them in a row recurse no deeper than one, and leave room for
    /// a cancel.
    fn fill(&mut self) {
        let n_closed = self.inners.take_closed();
        if n_closed > 0 && !self.is_outer_done && !self.inners.is_closing() {
            self.outer.request(n_closed);
        }
        while self.inners.n_open() < self.concurrency && !self.inners.is_closing() {
            let Some(item) = self.outer.take_item() else { break };
            let publisher = self.surroundings.within(|| (self.f)(item));
            let Some(gate) = self.gate.upgrade() else { return };
            let (_, entrance) = self.inners.begin();
            let surroundings = self.surroundings.clone();
            let subscriber = entrance.subscriber(gate);
            after_turn::run(move || surroundings.within(|| publisher.subscribe(subscriber)));
        }
        if self.is_outer_done {
            return;
        }
        if self.inners.is_closing() {
            self.is_outer_done = true;
            return self.outer.cancel();
        }
        if let Some(end) = self.outer.end() {
            self.is_outer_done = true;
            if let End::Failed(error) = end {
                self.inners.fail(error);
            }
        }
    }

    fn finish(&mut self) -> Option<End> {
        let is_last = self.is_outer_done || self.inners.is_closing();
        let end = self.inners.end(is_last)?;
        self.outer.cancel();
        Some(end)
    }
}

impl<T, F, Q, I, S> Source for Flattening<T, F, Q, I, S>
where
    T: Send + 'static,
    F: FnMut(T) -> Q + Send + 'static,
    Q: Publisher<Item: Send + 'static> + 'static,
    I: Inlets<Q::Item>,
    S: Subscriber<Q::Item>,
{
    type Item = Q::Item;
    const IS_WOKEN: bool = true;

    fn rung(&mut self, indices: u64) {
        self.inners.rung(indices);
    }

    fn advance(&mut self) {
        self.inners.look();
        self.fill();
    }

    #[inline]
    fn next(&mut self) -> Step<Q::Item> {
        if !self.start.has_come() {
            return Step::Pending;
        }
        self.outer.start();
        if self.inners.is_time_to_look() {
            self.advance();
        }
        if let Some(item) = self.inners.next() {
            return Step::Item(item);
        }
        self.advance();
        match self.inners.next() {
            Some(item) => Step::Item(item),
            None => self.finish().map_or(Step::Pending, Step::End),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.inners.close_ended();
        self.finish()
    }

    fn cancel(&mut self) {
        self.inners.cancel();
        self.outer.cancel();
    }
}
