//! `signal_on`: a hub's signals on another thread.
//!
//! What [`publish_on`](crate::Flow::publish_on) does with a queue of its own, a hub does out of the
//! queue that it has anyway: the gate's turns run on the worker, and a producer only wakes it.

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{Scheduler, Worker},
};

/// A hub whose queue can be emptied from another thread than those that fill it:
/// [`unicast`](super::unicast), of which [`partition`](super::partition) has several, and
/// [`merge`](super::merge). Sealed.
pub trait Queued: Sealed {}

/// Keeps others from being [`Queued`], and has their queue emptied.
pub trait Sealed: Publisher {
    /// Connects `downstream`, to be signaled on `worker`.
    fn signal_on<S: Subscriber<Self::Item>>(self, worker: Worker, downstream: S);
}

impl<P: Queued> Flow<P> {
    /// Signals the downstream on a worker of `scheduler`, straight out of the hub's queue.
    ///
    /// As [`publish_on`](Self::publish_on), at half the cost: each item passes one queue instead of
    /// two, and those who send leave the subscriber to the worker.
    ///
    /// # Demand
    ///
    /// Stays with the hub, which holds as many items as it was made for, and no others.
    ///
    /// # Termination
    ///
    /// As the hub's. Fails with an error of kind `Rejected`, and closes the hub, if an item, a
    /// request or an end is due on a scheduler that was shut down.
    /// A cancel drops the waiting items at once, on the thread that cancels, if nothing is being
    /// signaled; otherwise after the item that is.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{hub, scheduler::Pool};
    ///
    /// let (sender, flow) = hub::merge(4);
    /// let sum = flow.signal_on(&Pool::new(1)).fold(0, |sum, n| sum + n);
    /// for n in 1..=4 {
    ///     sender.send_blocking(n)?;
    /// }
    /// sender.complete();
    /// assert_eq!(sum.wait()?, 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signal_on(self, scheduler: &impl Scheduler) -> Flow<SignalOn<P>> {
        Flow { source: SignalOn { hub: self.source, worker: scheduler.worker() } }
    }
}

/// Publisher returned by [`Flow::signal_on`].
#[must_use = "publishers do nothing until subscribed to, and dropping this one closes its hub"]
pub struct SignalOn<P> {
    hub: P,
    worker: Worker,
}

impl<P: Queued> Publisher for SignalOn<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.hub.signal_on(self.worker, downstream);
    }
}

backpressure!(source SignalOn<P>);
opaque_debug!(SignalOn<P>);
