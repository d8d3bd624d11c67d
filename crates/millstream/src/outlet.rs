//! Shared: the end of a queue that takes, as a publisher for one subscriber who may come later.
//!
//! `hub::unicast` and the flows that operators hand out, such as the windows of `window`, differ in who
//! is to hear that items are taken: their [`Keeper`].

use millstream_kernel::{End, Gate, InlineForOne, Listener, Source, Step, spsc};
use reactive_streams::Subscriber;

/// Who hears what becomes of the items.
pub(crate) trait Keeper: Send + 'static {
    /// How a stream ends whose producer was dropped without an end.
    fn dropped() -> End;

    /// An item was taken.
    fn taken(&mut self);

    /// None will be taken any more.
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
            spsc::Pop::Empty => Step::Pending,
            spsc::Pop::Closed(end) => Step::End(end.unwrap_or_else(K::dropped)),
        }
    }

    fn end(&mut self) -> Option<End> {
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
