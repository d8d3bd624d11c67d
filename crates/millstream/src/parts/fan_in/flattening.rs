//! A source whose items become flows, several at a time.
//!
//! `flat_map` and `flat_map_sequential` differ in whose items come next, which is up to the
//! [`Inlets`]; what they share is here.

use std::sync::{Arc, Weak};

use millstream_kernel::{Bells, End, Gate, Source, Step, after_turn};
use reactive_streams::{Publisher, Subscriber};

use crate::parts::{
    at_hand::AtHand,
    fan_in::Inlets,
    inlet::{Inlet, inlet},
    start::Start,
};
use crate::scheduler::surroundings::Surroundings;

/// Subscribes `downstream` to the flows that `f` makes of the items of `source`, through `inners`,
/// up to `concurrency` at a time. Up to `prefetch` items wait that are at hand.
pub(crate) fn subscribe<P, F, Q, I, S>(
    source: P,
    f: F,
    inners: I,
    (concurrency, prefetch): (usize, usize),
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
        let source = Flattening {
            start,
            outer,
            is_outer_done: false,
            f,
            at_hand: AtHand::new(prefetch),
            n_taken: 0,
            inners,
            concurrency,
            gate,
            surroundings: Surroundings::current(),
        };
        (source, downstream, bells)
    });
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    signal.give(gate);
}

struct Flattening<T, F, Q: Publisher, I, S> {
    start: Start,
    outer: Inlet<T>,
    is_outer_done: bool,
    f: F,
    /// Counts as one open flow while items wait there.
    at_hand: AtHand<Q::Item>,
    /// Flows taken whole that the source was not yet asked to replace.
    n_taken: u64,
    inners: I,
    concurrency: usize,
    /// What the inner flows wake.
    gate: Weak<Gate<Self, S, Bells>>,
    surroundings: Surroundings,
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
        while self.has_room() {
            let Some(item) = self.outer.take_item() else { break };
            let Self { f, at_hand, surroundings, inners, .. } = self;
            let is_at_hand = inners.may_overtake();
            let taken = surroundings.within(|| {
                let publisher = f(item);
                if is_at_hand { at_hand.take(publisher) } else { Err(publisher) }
            });
            match taken {
                Ok(end) => {
                    self.n_taken += 1;
                    if let End::Failed(error) = end {
                        self.inners.fail(error);
                    }
                }
                Err(publisher) => {
                    let Some(gate) = self.gate.upgrade() else { return };
                    let (_, entrance) = self.inners.begin();
                    let surroundings = self.surroundings.clone();
                    let subscriber = entrance.subscriber(gate);
                    after_turn::run(move || {
                        surroundings.within(|| publisher.subscribe(subscriber))
                    });
                }
            }
        }
        let n_closed = self.inners.take_closed() + std::mem::take(&mut self.n_taken);
        if n_closed > 0 && !self.is_outer_done && !self.inners.is_closing() {
            self.outer.request(n_closed);
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

    /// Whether another flow may begin.
    fn has_room(&self) -> bool {
        let Self { inners, at_hand, concurrency, .. } = self;
        let n_open = inners.n_open() + usize::from(!at_hand.is_empty());
        n_open < *concurrency && at_hand.has_room() && !inners.is_closing()
    }

    /// The next item that is here.
    #[inline]
    fn take(&mut self) -> Option<Q::Item> {
        if !self.at_hand.is_empty() && !self.inners.has_failed() {
            return self.at_hand.next();
        }
        self.inners.next()
    }

    fn finish(&mut self) -> Option<End> {
        let is_last = (self.is_outer_done || self.inners.is_closing()) && self.at_hand.is_empty();
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
        if let Some(item) = self.take() {
            return Step::Item(item);
        }
        self.advance();
        match self.take() {
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
