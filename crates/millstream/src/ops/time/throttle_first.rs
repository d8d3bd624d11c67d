//! `throttle_first`: an item, and then none for a while.

use std::time::Duration;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Passes an item on, and drops those that come within `pause` after it.
    ///
    /// # Demand
    ///
    /// Passed on unchanged. A dropped item uses no demand.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("123--45|", |source, clock| source.throttle_first(clock, three), "1----4-|");
    /// ```
    #[doc(alias = "sample_first")]
    pub fn throttle_first(
        self,
        scheduler: &impl Scheduler,
        pause: Duration,
    ) -> Flow<ThrottleFirst<P>> {
        Flow { source: ThrottleFirst { source: self.source, worker: scheduler.worker(), pause } }
    }
}

/// Publisher returned by [`Flow::throttle_first`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ThrottleFirst<P> {
    source: P,
    worker: Worker,
    pause: Duration,
}

impl<P> Publisher for ThrottleFirst<P>
where
    P: Publisher<Item: 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, pause } = self;
        let mut closed_until = None;
        let passes = move |_: &P::Item| {
            let now = worker.now();
            let passes = closed_until.is_none_or(|until| now >= until);
            if passes {
                closed_until = Some(now.saturating_add(pause));
            }
            passes
        };
        Flow { source }.filter(passes).subscribe(downstream);
    }
}

backpressure!(ThrottleFirst<P>, PassThrough);
opaque_debug!(ThrottleFirst<P>);
