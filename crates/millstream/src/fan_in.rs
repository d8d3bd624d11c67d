//! Shared: many inlets for one gate, which takes from them in turns.
//!
//! `flat_map` and `merge` differ in where the inlets come from; what they share is here. An inlet rings
//! its [`Bell`], which notes its number in a `ReadySet` and wakes the gate. Inlets that hold something
//! stand in a line, so that thousands that are idle cost nothing. The first in line gives up to
//! [`BURST`] items, and then goes to the end of the line: no inlet waits for more than a burst of each
//! of the others.
//!
//! # Invariants
//!
//! 1. A slot is open, and then it has an inlet, or its number is in `idle`; `n_open` are open.
//! 2. An open slot in the line holds an item, except perhaps the first.
//! 3. An open slot that is not in the line was drained and not at its end when it was last looked at;
//!    whatever comes to it afterwards is followed by its number in the ready set and a wake-up.

use std::{collections::VecDeque, sync::Arc};

use millstream_kernel::{End, ReadySet, Step, Wake};
use reactive_streams::Error;

use crate::{
    ErrorMode,
    inlet::{Entrance, Inlet, InletSubscriber, inlet},
};

/// Items of one inlet before the next one's turn.
pub(crate) const BURST: u32 = 8;

/// Items that are asked of each flow at a time, where the operator does not say otherwise.
pub(crate) const PREFETCH: usize = 32;

/// The inlets. The file's header has the rest.
pub(crate) struct FanIn<T> {
    slots: Vec<Slot<T>>,
    idle: Vec<usize>,
    n_open: usize,
    /// Slots that were closed since they were last asked for.
    n_closed: u64,
    line: VecDeque<usize>,
    /// What is left of the burst of the first in line.
    n_left: u32,
    /// Items until the next look into the ready set.
    n_until_look: u32,
    ready: Arc<ReadySet>,
    prefetch: usize,
    mode: ErrorMode,
    failure: Option<Error>,
}

struct Slot<T> {
    inlet: Option<Inlet<T>>,
    is_in_line: bool,
}

/// Tells the gate that the inlet of a slot has something.
pub(crate) struct Bell<G> {
    index: usize,
    ready: Arc<ReadySet>,
    gate: Arc<G>,
}

/// Makes the subscriber of an open slot.
pub(crate) struct Door<T> {
    index: usize,
    ready: Arc<ReadySet>,
    entrance: Entrance<T>,
}

impl<G: Wake> Wake for Bell<G> {
    #[inline]
    fn wake(&self) {
        self.ready.set(self.index);
        self.gate.wake();
    }
}

impl<T> Door<T> {
    pub(crate) fn subscriber<G: Wake>(self, gate: Arc<G>) -> InletSubscriber<T, Bell<G>> {
        let Self { index, ready, entrance } = self;
        entrance.subscriber(Bell { index, ready, gate })
    }
}

impl<T> FanIn<T> {
    /// At most `bound` slots at a time, for inlets of `prefetch` items.
    pub(crate) fn new(bound: usize, prefetch: usize, mode: ErrorMode) -> Self {
        Self {
            slots: Vec::new(),
            idle: Vec::new(),
            n_open: 0,
            n_closed: 0,
            line: VecDeque::new(),
            n_left: BURST,
            n_until_look: BURST,
            ready: Arc::new(ReadySet::new(bound)),
            prefetch,
            mode,
            failure: None,
        }
    }

    pub(crate) fn n_open(&self) -> usize {
        self.n_open
    }

    /// How many slots were closed since the last call.
    pub(crate) fn take_closed(&mut self) -> u64 {
        std::mem::take(&mut self.n_closed)
    }

    /// Opens a slot. Its inlet asks for nothing before it is [started](Self::start).
    pub(crate) fn open(&mut self) -> (usize, Door<T>) {
        let (entrance, inlet) = inlet(self.prefetch);
        let index = self.idle.pop().unwrap_or(self.slots.len());
        let slot = Slot { inlet: Some(inlet), is_in_line: false };
        match self.slots.get_mut(index) {
            Some(place) => *place = slot,
            None => self.slots.push(slot),
        }
        self.n_open += 1;
        (index, Door { index, ready: Arc::clone(&self.ready), entrance })
    }

    /// Asks for the first batch of a slot.
    pub(crate) fn start(&mut self, index: usize) {
        if let Some(inlet) = &mut self.slots[index].inlet {
            inlet.start();
        }
    }

    pub(crate) fn start_all(&mut self) {
        for index in 0..self.slots.len() {
            self.start(index);
        }
    }

    /// Whether it is time to [look](Self::look): inlets that became ready must not wait for those in
    /// line to be drained.
    #[inline]
    pub(crate) fn is_time_to_look(&self) -> bool {
        self.n_until_look == 0
    }

    /// Puts those that have become ready in line.
    pub(crate) fn look(&mut self) {
        self.n_until_look = BURST;
        let ready = Arc::clone(&self.ready);
        ready.take(|index| self.notice(index));
    }

    /// The next item, if one is in line.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<T> {
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

    /// Closes the first in line if its last item was taken. The others hold items (invariant 2).
    pub(crate) fn look_at_first(&mut self) {
        let Some(&index) = self.line.front() else { return };
        let end = self.slots[index].inlet.as_mut().and_then(Inlet::end);
        if let Some(end) = end {
            self.leave_line();
            self.close(index, end);
        }
    }

    /// How everything ends, if it does: by a failure that is not to wait, or after the last inlet, if
    /// no more of them come.
    pub(crate) fn end(&mut self, is_last: bool) -> Option<End> {
        let is_over = is_last && self.n_open == 0;
        if !is_over && !self.has_failed() {
            return None;
        }
        self.cancel();
        Some(self.failure.take().map_or(End::Complete, End::Failed))
    }

    /// Notes a failure; the first one counts.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// Whether a failure ends everything.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some() && self.mode == ErrorMode::Immediate
    }

    pub(crate) fn cancel(&self) {
        for slot in &self.slots {
            if let Some(inlet) = &slot.inlet {
                inlet.cancel();
            }
        }
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
        self.slots[index].inlet = None;
        self.idle.push(index);
        self.n_open -= 1;
        self.n_closed += 1;
        if let End::Failed(error) = end {
            self.fail(error);
        }
    }
}
