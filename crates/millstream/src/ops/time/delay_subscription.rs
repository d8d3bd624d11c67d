//! `delay_subscription`: a flow that begins later.

use std::time::Duration;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{Ambient, Scheduler, Worker},
    timer,
};

impl<P: Publisher> Flow<P> {
    /// Subscribes to the source once `delay` has passed since the subscription, and something was
    /// asked for.
    ///
    /// A flow that waits for another one in place of the time:
    /// `other.take(1).filter_map(|_| None).concat(flow)`.
    ///
    /// # Demand
    ///
    /// Passed on unchanged, when the source is subscribed to.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source. A cancel before the time drops it.
    /// Fails with an error of kind `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{just, scheduler::VirtualTime};
    /// use millstream_testkit::Probe;
    ///
    /// let clock = VirtualTime::new();
    /// let flow = just(1).delay_subscription(&clock, Duration::from_secs(3));
    /// let probe = Probe::subscribe_to(flow);
    /// probe.request(1);
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(probe.n_items(), 0);
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(probe.items(), [1]);
    /// ```
    #[doc(alias = "initial_delay")]
    pub fn delay_subscription(
        self,
        scheduler: &impl Scheduler,
        delay: Duration,
    ) -> Flow<DelaySubscription<P>> {
        let worker = scheduler.worker();
        Flow { source: DelaySubscription { source: self.source, worker, delay } }
    }
}

/// Publisher returned by [`Flow::delay_subscription`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct DelaySubscription<P> {
    source: P,
    worker: Worker,
    delay: Duration,
}

impl<P> Publisher for DelaySubscription<P>
where
    P: Publisher<Item: 'static> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, delay } = self;
        let wait = timer(&Ambient::of(worker), delay).filter_map(|_| None);
        wait.concat(source).subscribe(downstream);
    }
}

backpressure!(DelaySubscription<P>, PassThrough);
opaque_debug!(DelaySubscription<P>);
