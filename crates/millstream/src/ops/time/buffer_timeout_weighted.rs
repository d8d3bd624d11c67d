//! `buffer_timeout_weighted`: groups of items that cost enough, or are old enough.

use std::time::Duration;

use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        inlet::check_capacity,
        timed_groups::{Added, Rule, subscribe},
    },
    scheduler::{Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Groups items that cost at most `max` in all, such as bytes, and passes a group on when
    /// nothing more goes in, when it has `n` of them, or when `limit` has passed since its first
    /// came.
    ///
    /// An item that would exceed `max` opens the next group; one that costs more by itself has a
    /// group of its own.
    ///
    /// # Demand
    ///
    /// As [`buffer_timeout`](Self::buffer_timeout).
    ///
    /// # Termination
    ///
    /// As [`buffer_timeout`](Self::buffer_timeout). If `cost` panics, fails with an error of kind
    /// `Panicked`.
    ///
    /// # Panics
    ///
    /// If `max` is 0, and unless `n` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// let cost = |digit: &char| u64::from(digit.to_digit(10).unwrap());
    /// check_in_time(
    ///     "13-92-----|",
    ///     |source, clock| {
    ///         let groups = source.buffer_timeout_weighted(clock, 8, 4, three, cost);
    ///         groups.map(String::from_iter)
    ///     },
    ///     "-[13]-[9]---[2]--|",
    /// );
    /// ```
    #[doc(alias = "grouped_weighted_within")]
    #[track_caller]
    pub fn buffer_timeout_weighted<F>(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        max: u64,
        limit: Duration,
        cost: F,
    ) -> Flow<BufferTimeoutWeighted<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> u64 + Send + 'static,
    {
        check_capacity(n);
        assert!(max > 0, "a buffer for a cost of 0 would have no item: use at least 1");
        let (source, worker) = (self.source, scheduler.worker());
        Flow { source: BufferTimeoutWeighted { source, worker, n, max, limit, cost } }
    }
}

/// Publisher returned by [`Flow::buffer_timeout_weighted`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferTimeoutWeighted<P, F> {
    source: P,
    worker: Worker,
    n: usize,
    max: u64,
    limit: Duration,
    cost: F,
}

impl<P, F> Publisher for BufferTimeoutWeighted<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> u64 + Send + 'static,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let Self { source, worker, n, max, limit, cost } = self;
        let rule = Cost { n, max, cost, n_items: 0, sum: 0, exceeding: None };
        subscribe(source, worker, n, limit, rule, downstream);
    }
}

backpressure!(BufferTimeoutWeighted<P, F>, Queue, |this| this.n.saturating_mul(2));
opaque_debug!(BufferTimeoutWeighted<P, F>);

struct Cost<F> {
    n: usize,
    max: u64,
    cost: F,
    n_items: usize,
    sum: u64,
    /// What the item costs that did not go in.
    exceeding: Option<u64>,
}

impl<T, F> Rule<T> for Cost<F>
where
    F: FnMut(&T) -> u64 + Send + 'static,
{
    fn begin(&mut self) {
        (self.n_items, self.sum) = (0, 0);
    }

    fn add(&mut self, item: &T) -> Added {
        let cost = self.exceeding.take().unwrap_or_else(|| (self.cost)(item));
        let sum = self.sum.saturating_add(cost);
        if self.n_items > 0 && sum > self.max {
            self.exceeding = Some(cost);
            return Added::Exceeds;
        }
        self.n_items += 1;
        self.sum = sum;
        if sum >= self.max || self.n_items == self.n { Added::Fills } else { Added::Fits }
    }
}
