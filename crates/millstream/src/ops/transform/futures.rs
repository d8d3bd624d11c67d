//! Shared: futures that run several at a time on one worker.
//!
//! They live in slots. A slot is allocated when it is first used, with its waker, and used again
//! for the next future, so that nothing is allocated per item.
//! A waker sets the slot's bit in a `ReadySet` and wakes the gate, which polls what is ready, on
//! its worker: the consumer's pace decides what is passed on, never what is polled.
//!
//! # Invariants
//!
//! 1. A slot is idle, running, or holds an output; the idle ones are in `idle`.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Context, Poll, Waker},
};

use millstream_kernel::ReadySet;

use crate::scheduler::{GateWaker, Worker};

/// The futures. The file's header has the rest.
pub(super) struct Futures<Fut: Future> {
    /// Grows to as many as run at a time, and then stays.
    slots: Vec<Slot<Fut>>,
    idle: Vec<usize>,
    /// Slots that were woken when the worker had no budget left for them, in that order.
    overdue: VecDeque<usize>,
    ready: Arc<ReadySet>,
    gate: Arc<GateWaker>,
    /// Wakes the gate, and no slot.
    turn: Waker,
    worker: Worker,
}

struct Slot<Fut: Future> {
    future: Pin<Box<Option<Fut>>>,
    output: Option<Fut::Output>,
    waker: Waker,
}

struct SlotWaker {
    index: usize,
    ready: Arc<ReadySet>,
    gate: Arc<GateWaker>,
}

impl task::Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.set(self.index);
        self.gate.wake_by_ref();
    }
}

impl<Fut: Future> Futures<Fut> {
    /// None yet, and at most `bound` at a time, which wake `gate`.
    pub(super) fn new(bound: usize, gate: GateWaker, worker: Worker) -> Self {
        let gate = Arc::new(gate);
        Self {
            slots: Vec::new(),
            idle: Vec::new(),
            overdue: VecDeque::new(),
            ready: Arc::new(ReadySet::new(bound)),
            turn: Waker::from(Arc::clone(&gate)),
            gate,
            worker,
        }
    }

    /// Puts a future into a slot, whose number it returns. It is to be [polled](Self::poll).
    #[inline]
    pub(super) fn add(&mut self, future: Fut) -> usize {
        let index = self.idle.pop().unwrap_or_else(|| {
            let index = self.slots.len();
            let (ready, gate) = (Arc::clone(&self.ready), Arc::clone(&self.gate));
            let waker = Waker::from(Arc::new(SlotWaker { index, ready, gate }));
            self.slots.push(Slot { future: Box::pin(None), output: None, waker });
            index
        });
        self.slots[index].future.set(Some(future));
        index
    }

    /// Polls the future in a slot. Returns whether that gave its output.
    #[inline]
    pub(super) fn poll(&mut self, index: usize) -> bool {
        let Slot { future, output, waker } = &mut self.slots[index];
        // A waker may outlive its future, and wake the next one in the slot, or none.
        let Some(running) = future.as_mut().as_pin_mut() else { return false };
        let Poll::Ready(value) = running.poll(&mut Context::from_waker(waker)) else {
            return false;
        };
        future.set(None);
        *output = Some(value);
        true
    }

    /// Takes the output of a slot, if it is there. The slot is idle then.
    #[inline]
    pub(super) fn take(&mut self, index: usize) -> Option<Fut::Output> {
        let output = self.slots[index].output.take()?;
        self.idle.push(index);
        Some(output)
    }

    /// Polls the futures that were woken, as far as the worker's budget goes, and tells `done`
    /// which gave their outputs.
    pub(super) fn poll_ready(&mut self, mut done: impl FnMut(usize)) {
        let mut may_poll = true;
        while may_poll && let Some(index) = self.overdue.pop_front() {
            may_poll = self.poll_in_budget(index, &mut done);
        }
        if may_poll {
            let ready = Arc::clone(&self.ready);
            ready.take(|index| {
                if may_poll {
                    may_poll = self.poll_in_budget(index, &mut done);
                } else {
                    self.overdue.push_back(index);
                }
            });
        }
    }

    /// Polls the future in a slot. Returns whether others may be polled after it.
    fn poll_in_budget(&mut self, index: usize, done: &mut impl FnMut(usize)) -> bool {
        if self.poll(index) {
            done(index);
        }
        let is_idle = self.slots[index].future.is_none();
        let cx = &mut Context::from_waker(&self.turn);
        is_idle || self.worker.poll_budget(cx).is_ready()
    }
}
