//! `retry_backoff`: a flow that failed, again, after waits that grow.

use std::time::Duration;

use reactive_streams::{Error, Publisher, Subscriber};

use super::retry_when::{Attempt, RetryWhen};
use crate::{
    Backoff, Flow,
    scheduler::{self, Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Subscribes to the flow again when it fails, after waits that grow as `backoff` says.
    ///
    /// Waits on the [ambient](scheduler::ambient) scheduler. To look at errors first, see
    /// [`retry_when`](Self::retry_when).
    ///
    /// # Demand
    ///
    /// As [`retry_when`](Self::retry_when).
    ///
    /// # Termination
    ///
    /// Completes with the first attempt that completes; fails with the error of the last attempt,
    /// when `backoff` has no more waits; otherwise as [`retry_when`](Self::retry_when).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{Backoff, Error};
    ///
    /// let flaky = millstream::error::<u8>(Error::message("no luck"));
    /// let backoff = Backoff::new().first(Duration::from_millis(1)).max_retries(2);
    /// assert_eq!(flaky.retry_backoff(backoff).count().wait().unwrap_err().to_string(), "no luck");
    /// ```
    pub fn retry_backoff(self, backoff: Backoff) -> Flow<RetryBackoff<P>>
    where
        P: Clone + Send + 'static,
    {
        self.retry_backoff_on(&scheduler::ambient(), backoff)
    }

    /// [`retry_backoff`](Self::retry_backoff) that waits on a worker of `scheduler`.
    ///
    /// # Demand
    ///
    /// As [`retry_when`](Self::retry_when).
    ///
    /// # Termination
    ///
    /// As [`retry_backoff`](Self::retry_backoff).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::Backoff;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let backoff = Backoff::new().first(Duration::from_millis(2)).jitter(0.0).max_retries(2);
    /// check_in_time(
    ///     "1#",
    ///     |source, clock| source.retry_backoff_on(clock, backoff),
    ///     "1--1----1#",
    /// );
    /// ```
    pub fn retry_backoff_on(
        self,
        scheduler: &impl Scheduler,
        backoff: Backoff,
    ) -> Flow<RetryBackoff<P>>
    where
        P: Clone + Send + 'static,
    {
        Flow { source: RetryBackoff { source: self.source, worker: scheduler.worker(), backoff } }
    }
}

/// Publisher returned by [`Flow::retry_backoff`] and [`Flow::retry_backoff_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct RetryBackoff<P> {
    source: P,
    worker: Worker,
    backoff: Backoff,
}

impl<P> Publisher for RetryBackoff<P>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, backoff } = self;
        let mut delays = backoff.delays();
        let policy = move |_: &Error, attempt: Attempt| -> Option<Duration> {
            if backoff.starts_over() && attempt.n_items > 0 {
                delays = backoff.delays();
            }
            delays.next()
        };
        RetryWhen { source, worker, policy }.subscribe(downstream);
    }
}

backpressure!(RetryBackoff<P>, PassThrough);
opaque_debug!(RetryBackoff<P>);
