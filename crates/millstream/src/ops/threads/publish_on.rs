//! `publish_on`: signals on another thread.

use std::sync::{Arc, Weak};

use millstream_kernel::Gate;
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{check_capacity, inlet},
    scheduler::{OnWorker, Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Signals the downstream on a worker of `scheduler`; the source goes on meanwhile.
    ///
    /// A hub that has a queue of its own needs no second one: see [`signal_on`](Self::signal_on).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `capacity` items are asked for, and three
    /// quarters of that again whenever as many were passed on. Up to `capacity` items wait in a queue
    /// of exactly that capacity.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. Fails with an error of kind
    /// `Rejected` if the scheduler was shut down. A cancel drops the waiting items at once, on the
    /// thread that cancels, if nothing is being signalled; otherwise after the item that is.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::Pool;
    ///
    /// let sum = millstream::range(1..=4)
    ///     .publish_on(&Pool::new(1), 2)
    ///     .fold(0, |sum, n| sum + n)
    ///     .wait()?;
    /// assert_eq!(sum, 10);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "observe_on")]
    #[track_caller]
    pub fn publish_on(self, scheduler: &impl Scheduler, capacity: usize) -> Flow<PublishOn<P>> {
        check_capacity(capacity);
        Flow { source: PublishOn { source: self.source, worker: scheduler.worker(), capacity } }
    }
}

/// Publisher returned by [`Flow::publish_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct PublishOn<P> {
    source: P,
    worker: Worker,
    capacity: usize,
}

impl<P> Publisher for PublishOn<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let (entrance, inlet) = inlet(self.capacity);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            (inlet, downstream, OnWorker::new(self.worker, Weak::clone(gate)))
        });
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(PublishOn<P>);
backpressure!(PublishOn<P>, Queue, |this| this.capacity);
