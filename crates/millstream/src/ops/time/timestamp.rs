//! `timestamp`, `elapsed`: when items came.

use std::time::Duration;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Puts before each item the time at which it came, by the clock of `scheduler`.
    ///
    /// That is the time since a fixed moment, which is the scheduler's own.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// check_in_time(
    ///     "-a--b|",
    ///     |source, clock| source.timestamp(clock).map(|(at, _)| at.as_millis()),
    ///     "-1--4|",
    /// );
    /// ```
    #[doc(alias = "timed")]
    pub fn timestamp(self, scheduler: &impl Scheduler) -> Flow<Timestamp<P>> {
        Flow { source: Timestamp { source: self.source, worker: scheduler.worker() } }
    }

    /// Puts before each item the time that has passed since the one before it, or since the
    /// subscription.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// check_in_time(
    ///     "-a--b|",
    ///     |source, clock| source.elapsed(clock).map(|(since, _)| since.as_millis()),
    ///     "-1--3|",
    /// );
    /// ```
    #[doc(alias = "time_interval")]
    pub fn elapsed(self, scheduler: &impl Scheduler) -> Flow<Elapsed<P>> {
        Flow { source: Elapsed { source: self.source, worker: scheduler.worker() } }
    }
}

/// Publisher returned by [`Flow::timestamp`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Timestamp<P> {
    source: P,
    worker: Worker,
}

impl<P: Publisher> Publisher for Timestamp<P> {
    type Item = (Duration, P::Item);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, worker } = self;
        Flow { source }.map(move |item| (worker.now(), item)).subscribe(downstream);
    }
}

backpressure!(Timestamp<P>, PassThrough);
opaque_debug!(Timestamp<P>);

/// Publisher returned by [`Flow::elapsed`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Elapsed<P> {
    source: P,
    worker: Worker,
}

impl<P: Publisher> Publisher for Elapsed<P> {
    type Item = (Duration, P::Item);

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, worker } = self;
        let mut before = worker.now();
        let since = move |item| {
            let now = worker.now();
            (now.saturating_sub(std::mem::replace(&mut before, now)), item)
        };
        Flow { source }.map(since).subscribe(downstream);
    }
}

backpressure!(Elapsed<P>, PassThrough);
opaque_debug!(Elapsed<P>);
