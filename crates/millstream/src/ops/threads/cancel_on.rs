//! `cancel_on`: a source is canceled on a worker.

use std::sync::Arc;

use millstream_kernel::{Job, Pending, Task, Upstream, guard::muted};
use reactive_streams::{Error, Offer, Publisher, Subscriber, Subscription};

use crate::{
    Flow,
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Has a cancel run on a worker of `scheduler`, for sources that block while they let go.
    ///
    /// The call of `cancel` returns at once, and items may come until the worker got to it.
    /// A downstream that has had enough of an item, such as [`take`](Self::take), says so in its
    /// answer: that is no cancel, and the source lets go on its own thread.
    ///
    /// # Demand
    ///
    /// Passed on unchanged, until the cancel.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. If the scheduler was shut down, the source is canceled
    /// on the thread that cancels.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::VirtualTime;
    /// use millstream_testkit::{Probe, Puppet};
    ///
    /// let (puppet, publisher) = Puppet::<u8>::new();
    /// let clock = VirtualTime::new();
    /// let probe = Probe::subscribe_to(millstream::Flow::from(publisher).cancel_on(&clock));
    /// probe.cancel();
    /// assert!(!puppet.is_canceled());
    /// clock.run();
    /// assert!(puppet.is_canceled());
    /// ```
    #[doc(alias = "unsubscribe_on")]
    pub fn cancel_on(self, scheduler: &impl Scheduler) -> Flow<CancelOn<P>> {
        Flow { source: CancelOn { source: self.source, worker: scheduler.worker() } }
    }
}

/// Publisher returned by [`Flow::cancel_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct CancelOn<P> {
    source: P,
    worker: Worker,
}

impl<P: Publisher> Publisher for CancelOn<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let upstream = Upstream::unset();
        self.source.subscribe(CancelOnSubscriber { downstream, upstream, worker: self.worker });
    }
}

backpressure!(CancelOn<P>, PassThrough);
opaque_debug!(CancelOn<P>);

struct CancelOnSubscriber<S> {
    downstream: S,
    upstream: Upstream,
    worker: Worker,
}

impl<T, S: Subscriber<T>> Subscriber<T> for CancelOnSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        if self.upstream.set(&subscription) {
            let (worker, cancels) = (self.worker.clone(), Pending::new());
            self.downstream.on_subscribe(Arc::new(Later {
                upstream: subscription,
                worker,
                cancels,
            }));
        }
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        self.downstream.offer(item)
    }

    forward!(initial_request, on_error, on_complete);
}

/// Cancels later.
struct Later {
    upstream: Arc<dyn Subscription>,
    worker: Worker,
    cancels: Pending,
}

impl Subscription for Later {
    fn request(&self, n: u64) {
        if !self.cancels.is_pending() {
            self.upstream.request(n);
        }
    }

    #[inline]
    fn request_from_within(&self, n: u64) -> bool {
        !self.cancels.is_pending() && self.upstream.request_from_within(n)
    }

    fn cancel(&self) {
        if self.cancels.add(1) {
            let task = CancelTask { upstream: Arc::clone(&self.upstream) };
            self.worker.schedule(Job::new(Arc::new(task)));
        }
    }
}

struct CancelTask {
    upstream: Arc<dyn Subscription>,
}

impl Task for CancelTask {
    fn run(&self) {
        muted(|| self.upstream.cancel());
    }

    fn abandon(&self, _: Error) {
        self.run();
    }
}
