//! `timeout_total`: a flow that is over in time.

use std::time::Duration;

use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow, Handled,
    parts::fan_in::PREFETCH,
    scheduler::{Ambient, Scheduler, Worker},
    timer,
};

impl<P: Publisher> Flow<P> {
    /// Fails with an error of kind `Timeout` when the flow has not ended `limit` after its
    /// subscription.
    ///
    /// The time runs whether or not anything is asked for, so that a downstream that takes long
    /// uses it up as well. For the time between two items, see [`timeout`](Self::timeout); for the
    /// time until the first one, [`timeout_first`](Self::timeout_first).
    ///
    /// # Demand
    ///
    /// As [`take_until`](Self::take_until): the source is asked for 32 items with the downstream's
    /// first request, and for 24 more whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait.
    /// After a timeout the source is canceled, and the items that wait come before the error.
    /// Fails with an error of kind `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let five = Duration::from_millis(5);
    /// check_in_time("-1-2-----3-|", |source, clock| source.timeout_total(clock, five), "-1-2-#");
    /// ```
    #[doc(alias = "completion_timeout")]
    pub fn timeout_total(
        self,
        scheduler: &impl Scheduler,
        limit: Duration,
    ) -> Flow<TimeoutTotal<P>> {
        Flow { source: TimeoutTotal { source: self.source, worker: scheduler.worker(), limit } }
    }
}

/// Publisher returned by [`Flow::timeout_total`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TimeoutTotal<P> {
    source: P,
    worker: Worker,
    limit: Duration,
}

impl<P> Publisher for TimeoutTotal<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, limit } = self;
        let time = timer(&Ambient::of(worker), limit).handle(move |_| {
            let message = format!("the flow has not ended within {limit:?}");
            Handled::<()>::Fail(Error::new(ErrorKind::Timeout, message))
        });
        Flow { source }.take_until(time).subscribe(downstream);
    }
}

backpressure!(TimeoutTotal<P>, Queue, |_this| PREFETCH + 1);
opaque_debug!(TimeoutTotal<P>);
