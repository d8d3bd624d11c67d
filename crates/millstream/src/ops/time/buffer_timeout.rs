//! `buffer_timeout`: groups of items that are full, or old enough.

use std::time::Duration;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{inlet::check_capacity, timed_groups::subscribe_in_groups},
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Groups items, and passes a group on when it has `n` of them, or when `limit` has passed
    /// since its first came.
    ///
    /// # Demand
    ///
    /// One unit for a group. Starts with the downstream's first request: then `n` items are asked
    /// for, and three quarters of that again whenever as many were put into a group.
    /// A group whose time has come waits until it is asked for, and takes up to `n` items
    /// meanwhile; another `n` wait behind it. It is never an error for lack of demand.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the group that was begun.
    /// Fails with an error of kind `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time(
    ///     "12-3-----|",
    ///     |source, clock| source.buffer_timeout(clock, 2, three).map(String::from_iter),
    ///     "-[12]----[3]--|",
    /// );
    /// ```
    #[doc(alias = "grouped_within")]
    #[doc(alias = "chunks_timeout")]
    #[track_caller]
    pub fn buffer_timeout(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        limit: Duration,
    ) -> Flow<BufferTimeout<P>> {
        check_capacity(n);
        Flow { source: BufferTimeout { source: self.source, worker: scheduler.worker(), n, limit } }
    }
}

/// Publisher returned by [`Flow::buffer_timeout`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferTimeout<P> {
    source: P,
    worker: Worker,
    n: usize,
    limit: Duration,
}

impl<P> Publisher for BufferTimeout<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let Self { source, worker, n, limit } = self;
        subscribe_in_groups(source, worker, n, limit, move || n, downstream);
    }
}

backpressure!(BufferTimeout<P>, Queue, |this| this.n.saturating_mul(2));
opaque_debug!(BufferTimeout<P>);
