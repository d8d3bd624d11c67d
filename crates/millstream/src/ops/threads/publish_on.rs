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
    /// Starts with the downstream's first request: then 128 items are asked for, and 96 again
    /// whenever as many were passed on. Up to 128 items wait in a queue of exactly that capacity;
    /// [`capacity`](Flow::capacity) sets another one.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. Fails with an error of kind
    /// `Rejected` if the scheduler was shut down. A cancel drops the waiting items at once, on the
    /// thread that cancels, if nothing is being signaled; otherwise after the item that is.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::Pool;
    ///
    /// let sum = millstream::range(1..=4)
    ///     .publish_on(&Pool::new(1)).capacity(2)
    ///     .fold(0, |sum, n| sum + n)
    ///     .wait()?;
    /// assert_eq!(sum, 10);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "observe_on")]
    pub fn publish_on(self, scheduler: &impl Scheduler) -> Flow<PublishOn<P>> {
        let (worker, capacity) = (scheduler.worker(), CAPACITY);
        Flow { source: PublishOn { source: self.source, worker, capacity } }
    }
}

impl<P> Flow<PublishOn<P>> {
    /// Lets up to `n` items wait between the two threads. Default: 128.
    ///
    /// # Demand
    ///
    /// The source is asked for `n` items with the first request, and for three quarters of that
    /// again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// Unchanged.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{Backpressure, range, scheduler::Pool};
    ///
    /// let flow = range(0..9).publish_on(&Pool::new(1)).capacity(2);
    /// assert_eq!(flow.max_in_flight(), 2);
    /// ```
    #[track_caller]
    pub fn capacity(mut self, n: usize) -> Self {
        check_capacity(n);
        self.source.capacity = n;
        self
    }
}

/// Items that wait at most, where the operator is not told otherwise.
const CAPACITY: usize = 128;

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
            (inlet.ask_soon(), downstream, OnWorker::new(self.worker, Weak::clone(gate)))
        });
        self.source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

opaque_debug!(PublishOn<P>);
backpressure!(PublishOn<P>, Queue, |this| this.capacity);
