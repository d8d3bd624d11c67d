//! `repeat_when`: a flow that completed, again, if and when a policy says so.

use std::time::Duration;

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Attempt, Flow,
    parts::sequence::{self, Handoff, Successor},
    scheduler::{self, Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Runs the flow again when it completes, after the time that `policy` says; `None` completes.
    ///
    /// `policy` sees which run has ended and how many items it had, so that polling can slow down
    /// when there is nothing new. The time is waited for on the [ambient](scheduler::ambient)
    /// scheduler, and one of zero is not waited for at all.
    ///
    /// # Demand
    ///
    /// Passed to the present run. What it did not meet is asked of the next one, together with what
    /// was asked for meanwhile.
    ///
    /// # Termination
    ///
    /// Completes when `policy` says so. Fails with the first run that fails, with an error of kind
    /// `Panicked` if `policy` panics, and of kind `Rejected` if the scheduler was shut down.
    /// A cancel while it waits is obeyed at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let polls = millstream::just("news").repeat_when(|run| {
    ///     (run.number < 3).then_some(Duration::from_millis(1))
    /// });
    /// assert_eq!(polls.collect::<Vec<_>>().wait()?, ["news", "news", "news"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn repeat_when<F>(self, policy: F) -> Flow<RepeatWhen<P, F>>
    where
        P: Clone + Send + 'static,
        F: FnMut(Attempt) -> Option<Duration> + Send + 'static,
    {
        self.repeat_when_on(&scheduler::ambient(), policy)
    }

    /// [`repeat_when`](Self::repeat_when) that waits on a worker of `scheduler`.
    ///
    /// # Demand
    ///
    /// As [`repeat_when`](Self::repeat_when).
    ///
    /// # Termination
    ///
    /// As [`repeat_when`](Self::repeat_when).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// check_in_time(
    ///     "1-|",
    ///     |source, clock| source.repeat_when_on(clock, |run| {
    ///         (run.number < 3).then_some(Duration::from_millis(2))
    ///     }),
    ///     "1---1---1-|",
    /// );
    /// ```
    pub fn repeat_when_on<F>(self, scheduler: &impl Scheduler, policy: F) -> Flow<RepeatWhen<P, F>>
    where
        P: Clone + Send + 'static,
        F: FnMut(Attempt) -> Option<Duration> + Send + 'static,
    {
        Flow { source: RepeatWhen { source: self.source, worker: scheduler.worker(), policy } }
    }
}

/// Publisher returned by [`Flow::repeat_when`] and [`Flow::repeat_when_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct RepeatWhen<P, F> {
    source: P,
    worker: Worker,
    policy: F,
}

impl<P, F> Publisher for RepeatWhen<P, F>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
    F: FnMut(Attempt) -> Option<Duration> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let first = self.source.clone();
        sequence::subscribe(first, downstream, Repeats { repeat: self, n_runs: 0 });
    }
}

backpressure!(RepeatWhen<P, F>, PassThrough);
opaque_debug!(RepeatWhen<P, F>);

struct Repeats<P, F> {
    repeat: RepeatWhen<P, F>,
    n_runs: u64,
}

impl<T, P, F> Successor<T> for Repeats<P, F>
where
    T: 'static,
    P: Publisher<Item = T> + Clone + Send + 'static,
    F: FnMut(Attempt) -> Option<Duration> + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        if matches!(end, End::Failed(_)) {
            return handoff.end(end);
        }
        let RepeatWhen { source, worker, policy } = &mut self.repeat;
        self.n_runs += 1;
        let run = Attempt { number: self.n_runs, n_items: handoff.n_produced() };
        match caught(|| policy(run)) {
            Ok(Some(delay)) => handoff.subscribe_after(delay, worker, source.clone()),
            Ok(None) => handoff.end(End::Complete),
            Err(panicked) => handoff.end(End::Failed(panicked)),
        }
    }
}
