//! Inlets that take turns.
//!
//! Inlets that hold something stand in a line, so that thousands that are idle cost nothing.
//! The first in line gives up to [`BURST`] items, and then goes to the end of the line: no inlet
//! waits for more than a burst of each of the others.
//!
//! # Invariants
//!
//! 1. A slot is open, and then it has an inlet, or its number is in `idle`; `n_open` are open.
//! 2. An open slot in the line holds an item, except perhaps the first.
//! 3. An open slot that is not in the line was drained and not at its end when it was last looked
//!    at; whatever comes to it afterwards is followed by its bell.

use std::{collections::VecDeque, sync::Arc};

use millstream_kernel::{Bells, End, ReadySet, Step};
use reactive_streams::Error;

use super::{BURST, Inlets, SlotEntrance};
use crate::{
    ErrorMode,
    parts::{
        inlet::{Entrance, Inlet},
        inlet_pool::InletPool,
    },
};

/// The inlets. The file's header has the rest.
pub(crate) struct FanIn<T> {
    slots: Vec<Slot<T>>,
    idle: Vec<usize>,
    inlets: InletPool<T>,
    n_open: usize,
    /// Slots that were closed since they were last asked for.
    n_closed: u64,
    line: VecDeque<usize>,
    /// What is left of the burst of the first in line.
    n_left: u32,
    /// Items until the next look into the ready set.
    n_until_look: u32,
    ready: Arc<ReadySet>,
    mode: ErrorMode,
    failure: Option<Error>,
}

struct Slot<T> {
    inlet: Option<Box<Inlet<T>>>,
    is_in_line: bool,
}

impl<T: Send + 'static> FanIn<T> {
    /// At most `bound` slots at a time, for inlets of `prefetch` items.
    pub(crate) fn new(bound: usize, prefetch: usize, mode: ErrorMode) -> Self {
        Self {
            slots: Vec::new(),
            idle: Vec::new(),
            inlets: InletPool::new(prefetch),
            n_open: 0,
            n_closed: 0,
            line: VecDeque::new(),
            n_left: BURST,
            n_until_look: BURST,
            ready: Arc::new(ReadySet::new(bound)),
            mode,
            failure: None,
        }
    }

    fn place(
        &mut self,
        (entrance, inlet): (Entrance<T>, Box<Inlet<T>>),
    ) -> (usize, SlotEntrance<T>) {
        let index = self.idle.pop().unwrap_or(self.slots.len());
        let slot = Slot { inlet: Some(inlet), is_in_line: false };
        match self.slots.get_mut(index) {
            Some(place) => *place = slot,
            None => self.slots.push(slot),
        }
        self.n_open += 1;
        (index, SlotEntrance::new(index, entrance))
    }

    /// Looks at a slot that is not in line, and puts it there, closes it or leaves it.
    fn notice(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        // The bell of a slot may ring late, for an inlet that is gone.
        let Some(inlet) = &mut slot.inlet else { return };
        if slot.is_in_line {
            return;
        }
        if !inlet.is_drained() {
            slot.is_in_line = true;
            self.line.push_back(index);
        } else if let Some(end) = inlet.end() {
            self.close(index, end);
        }
    }

    fn leave_line(&mut self) {
        self.n_left = BURST;
        if let Some(index) = self.line.pop_front() {
            self.slots[index].is_in_line = false;
        }
    }

    fn close(&mut self, index: usize, end: End) {
        if let Some(inlet) = self.slots[index].inlet.take() {
            self.inlets.close(inlet);
        }
        self.idle.push(index);
        self.n_open -= 1;
        self.n_closed += 1;
        if let End::Failed(error) = end {
            self.fail(error);
        }
    }
}

impl<T: Send + 'static> Inlets<T> for FanIn<T> {
    fn n_open(&self) -> usize {
        self.n_open
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
        if let Some(inlet) = &mut self.slots[index].inlet {
            inlet.start();
            // What it gave at once need not wait for its bell.
            self.notice(index);
        }
    }

    #[inline]
    fn is_time_to_look(&self) -> bool {
        self.n_until_look == 0
    }

    fn may_overtake(&self) -> bool {
        true
    }

    fn bells(&self) -> Bells {
        Bells(Arc::clone(&self.ready))
    }

    fn rung(&mut self, mut indices: u64) {
        while indices != 0 {
            self.notice(indices.trailing_zeros() as usize);
            indices &= indices - 1;
        }
    }

    fn look(&mut self) {
        self.n_until_look = BURST;
        let ready = Arc::clone(&self.ready);
        ready.take(|index| self.notice(index));
    }

    #[inline]
    fn next(&mut self) -> Option<T> {
        while !self.has_failed() {
            let index = *self.line.front()?;
            let Some(inlet) = &mut self.slots[index].inlet else { return None };
            match inlet.take() {
                Step::Item(item) => {
                    inlet.release(1);
                    self.n_until_look = self.n_until_look.saturating_sub(1);
                    self.n_left -= 1;
                    if self.n_left == 0 {
                        self.leave_line();
                        self.notice(index);
                    }
                    return Some(item);
                }
                Step::Pending => self.leave_line(),
                Step::End(end) => {
                    self.leave_line();
                    self.close(index, end);
                }
            }
        }
        None
    }

    // The others in line hold items (invariant 2).
    fn close_ended(&mut self) {
        let Some(&index) = self.line.front() else { return };
        let end = self.slots[index].inlet.as_mut().and_then(|inlet| inlet.end());
        if let Some(end) = end {
            self.leave_line();
            self.close(index, end);
        }
    }

    fn end(&mut self, is_last: bool) -> Option<End> {
        let is_over = is_last && self.n_open == 0;
        if !is_over && !self.has_failed() {
            return None;
        }
        self.cancel();
        Some(self.failure.take().map_or(End::Complete, End::Failed))
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    #[inline]
    fn has_failed(&self) -> bool {
        self.failure.is_some() && self.mode == ErrorMode::Immediate
    }

    fn is_closing(&self) -> bool {
        self.failure.is_some() && self.mode != ErrorMode::Delayed
    }

    fn cancel(&self) {
        for slot in &self.slots {
            if let Some(inlet) = &slot.inlet {
                inlet.cancel();
            }
        }
    }
}
