//! Many inlets for one gate, which takes all of one before it takes from the next.
//!
//! `flat_map_sequential` and `concat_eager` differ in where the inlets come from. All of them are
//! filled; the first is emptied.

use std::{collections::VecDeque, sync::Arc};

use millstream_kernel::{Bells, End, ReadySet, Step};
use reactive_streams::Error;

use crate::{
    ErrorMode,
    parts::{
        fan_in::{BURST, Inlets, SlotEntrance},
        inlet::{Entrance, Inlet},
        inlet_pool::InletPool,
    },
};

/// The inlets, in order. The file's header has the rest.
pub(crate) struct InOrder<T> {
    line: VecDeque<Box<Inlet<T>>>,
    inlets: InletPool<T>,
    /// Inlets that were emptied.
    n_gone: usize,
    /// How many of them were not yet asked for.
    n_closed: u64,
    /// Items until the next look at the source, whose items must not wait for a flow that never
    /// stops.
    n_until_look: u32,
    mode: ErrorMode,
    failure: Option<Error>,
}

impl<T: Send + 'static> InOrder<T> {
    /// For inlets of `prefetch` items.
    pub(crate) fn new(prefetch: usize, mode: ErrorMode) -> Self {
        let line = VecDeque::new();
        let inlets = InletPool::new(prefetch);
        let n_until_look = BURST;
        Self { line, inlets, n_gone: 0, n_closed: 0, n_until_look, mode, failure: None }
    }

    fn place(
        &mut self,
        (entrance, inlet): (Entrance<T>, Box<Inlet<T>>),
    ) -> (usize, SlotEntrance<T>) {
        self.line.push_back(inlet);
        (self.n_gone + self.line.len() - 1, SlotEntrance::without_number(entrance))
    }

    fn leave(&mut self, end: End) {
        if let Some(inlet) = self.line.pop_front() {
            self.inlets.close(inlet);
        }
        self.n_gone += 1;
        self.n_closed += 1;
        if let End::Failed(error) = end {
            self.fail(error);
        }
    }
}

impl<T: Send + 'static> Inlets<T> for InOrder<T> {
    fn n_open(&self) -> usize {
        self.line.len()
    }

    fn take_closed(&mut self) -> u64 {
        std::mem::take(&mut self.n_closed)
    }

    fn open(&mut self) -> (usize, SlotEntrance<T>) {
        let pair = self.inlets.open();
        self.place(pair)
    }

    fn begin(&mut self) -> (usize, SlotEntrance<T>) {
        let pair = self.inlets.begin();
        self.place(pair)
    }

    fn start(&mut self, index: usize) {
        // One that was empty may be gone before it is started.
        let place = index.checked_sub(self.n_gone);
        if let Some(inlet) = place.and_then(|place| self.line.get_mut(place)) {
            inlet.start();
        }
    }

    #[inline]
    fn is_time_to_look(&self) -> bool {
        self.n_until_look == 0 || self.n_closed > 0
    }

    fn may_overtake(&self) -> bool {
        self.line.is_empty()
    }

    fn bells(&self) -> Bells {
        // Nobody rings: the first in line is looked at in any case.
        Bells(Arc::new(ReadySet::new(0)))
    }

    fn rung(&mut self, _: u64) {}

    fn look(&mut self) {
        self.n_until_look = BURST;
    }

    #[inline]
    fn next(&mut self) -> Option<T> {
        while !self.has_failed() {
            match self.line.front_mut()?.next() {
                Step::Item(item) => {
                    self.n_until_look = self.n_until_look.saturating_sub(1);
                    return Some(item);
                }
                Step::Pending => return None,
                Step::End(end) => self.leave(end),
            }
        }
        None
    }

    fn close_ended(&mut self) {
        while !self.has_failed() {
            let Some(end) = self.line.front_mut().and_then(|inlet| inlet.end()) else { return };
            self.leave(end);
        }
    }

    fn end(&mut self, is_last: bool) -> Option<End> {
        let is_over = is_last && self.line.is_empty();
        if !is_over && !self.has_failed() {
            return None;
        }
        self.cancel();
        Some(self.failure.take().map_or(End::Complete, End::Failed))
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    fn has_failed(&self) -> bool {
        self.failure.is_some() && self.mode == ErrorMode::Immediate
    }

    fn is_closing(&self) -> bool {
        self.failure.is_some() && self.mode != ErrorMode::Delayed
    }

    fn cancel(&self) {
        self.line.iter().for_each(|inlet| inlet.cancel());
    }
}
