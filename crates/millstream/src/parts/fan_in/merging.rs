//! The flows of a list, all at a time.
//!
//! `merge` and `concat_eager` differ in whose items come next, which is up to the [`Inlets`]; what
//! they share is here.

use std::{
    marker::PhantomData,
    sync::{Arc, Weak},
};

use millstream_kernel::{Bells, End, Gate, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::parts::{
    fan_in::{Inlets, SlotEntrance},
    start::{Start, StartSignal},
};

/// A gate for the flows, an entrance for each of them, and what is given when all of them are
/// subscribed to.
type Opened<T, I, S> = (Arc<Gate<Merging<T, I>, S, Bells>>, Vec<SlotEntrance<T>>, StartSignal);

/// Subscribes `downstream` to all of `flows` through `inlets`.
pub(crate) fn subscribe<P, I, S>(flows: Vec<P>, inlets: I, downstream: S)
where
    P: Publisher<Item: Send + 'static>,
    I: Inlets<P::Item>,
    S: Subscriber<P::Item>,
{
    let (gate, entrances, signal) = open(flows.len(), inlets, downstream);
    for (flow, entrance) in flows.into_iter().zip(entrances) {
        entrance.subscribe_to(flow, Arc::clone(&gate));
    }
    signal.give(gate);
}

/// Subscribes `downstream` to `n` flows that are still to come.
pub(crate) fn open<T, I, S>(n: usize, mut inlets: I, downstream: S) -> Opened<T, I, S>
where
    T: Send + 'static,
    I: Inlets<T>,
    S: Subscriber<T>,
{
    let entrances = (0..n).map(|_| inlets.open().1).collect();
    let (signal, start) = Start::new();
    let bells = inlets.bells();
    let source = Merging { inlets, n, start, is_started: false, items: PhantomData };
    (Gate::start_with(|_: &Weak<Gate<_, S, _>>| (source, downstream, bells)), entrances, signal)
}

pub(crate) struct Merging<T, I> {
    inlets: I,
    n: usize,
    start: Start,
    is_started: bool,
    items: PhantomData<fn() -> T>,
}

impl<T, I> Source for Merging<T, I>
where
    T: Send + 'static,
    I: Inlets<T>,
{
    type Item = T;
    const IS_WOKEN: bool = true;

    fn rung(&mut self, indices: u64) {
        self.inlets.rung(indices);
    }

    fn advance(&mut self) {
        self.inlets.look();
    }

    #[inline]
    fn next(&mut self) -> Step<T> {
        if !self.is_started {
            if !self.start.has_come() {
                return Step::Pending;
            }
            self.is_started = true;
            (0..self.n).for_each(|index| self.inlets.start(index));
        }
        if self.inlets.is_time_to_look() {
            self.inlets.look();
        }
        if let Some(item) = self.inlets.next() {
            return Step::Item(item);
        }
        self.inlets.look();
        match self.inlets.next() {
            Some(item) => Step::Item(item),
            None => self.inlets.end(true).map_or(Step::Pending, Step::End),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.inlets.close_ended();
        self.inlets.end(true)
    }

    fn cancel(&mut self) {
        self.inlets.cancel();
    }
}
