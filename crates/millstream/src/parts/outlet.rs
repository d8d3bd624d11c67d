//! The end of a queue that takes, as a publisher for one subscriber who may come later.
//!
//! `hub::unicast` and the flows that operators hand out, such as the windows of `window`, differ in
//! who is to hear that items are taken: their [`Keeper`].

use std::sync::Weak;

use millstream_kernel::{End, Gate, InlineForOne, Listener, Source, Step, spsc};
use reactive_streams::Subscriber;

use crate::scheduler::{OnWorker, Worker, spin_wait::pause};

/// Learns what becomes of the items.
pub(crate) trait Keeper: Send + 'static {
    /// How a stream ends whose producer was dropped without an end.
    fn dropped() -> End;

    /// An item was taken.
    fn taken(&mut self);

    /// Nothing is left to take for now, or there is no demand.
    #[inline]
    fn idle(&mut self) {}

    /// No further items will be taken.
    fn closed(&mut self);
}

/// A queue, and its keeper.
pub(crate) struct Outlet<T, K: Keeper> {
    queue: spsc::Consumer<T>,
    keeper: K,
}

impl<T: Send + 'static, K: Keeper> Outlet<T, K> {
    pub(crate) fn new(queue: spsc::Consumer<T>, keeper: K) -> Self {
        Self { queue, keeper }
    }

    /// Gives `downstream` what is in the queue and what comes, of which `listener` tells.
    pub(crate) fn subscribe<S: Subscriber<T>>(self, listener: &Listener, downstream: S) {
        listener.set(Gate::start_with(|_| (self, downstream, InlineForOne)));
    }
}

/// Gives `downstream` what `source` has, of which `listener` tells, on `worker`.
pub(crate) fn signal_on<P: Source, S: Subscriber<P::Item>>(
    source: P,
    worker: Worker,
    listener: &Listener,
    downstream: S,
) {
    listener.set(Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
    }));
}

impl<T: Send + 'static, K: Keeper> Source for Outlet<T, K> {
    type Item = T;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    #[inline]
    fn next(&mut self) -> Step<T> {
        match self.queue.pop() {
            spsc::Pop::Item(item) => {
                self.keeper.taken();
                Step::Item(item)
            }
            spsc::Pop::Empty => {
                self.keeper.idle();
                Step::Pending
            }
            spsc::Pop::Closed(end) => Step::End(end.unwrap_or_else(K::dropped)),
        }
    }

    fn pause(&self, n_waited: u32) -> u32 {
        pause(n_waited, self.queue.capacity() as u64)
    }

    fn end(&mut self) -> Option<End> {
        self.keeper.idle();
        self.queue.take_end().map(|end| end.unwrap_or_else(K::dropped))
    }
}

impl<T, K: Keeper> Drop for Outlet<T, K> {
    fn drop(&mut self) {
        self.queue.abandon();
        self.keeper.closed();
        // An item that crosses this is dropped with the producer, which finds itself closed.
        while let spsc::Pop::Item(item) = self.queue.pop() {
            drop(item);
        }
    }
}
