//! `retry_when`: a flow that failed, again, if and when a policy says so.

use std::time::Duration;

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::{
    Flow,
    parts::sequence::{self, Handoff, Successor, may_be_mended},
    scheduler::{self, Scheduler, Worker},
};

/// A run of a flow that has ended, as policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which one it was; the first is 1.
    pub number: u64,
    /// How many items it had.
    pub n_items: u64,
}

impl<P: Publisher> Flow<P> {
    /// Subscribes to the flow again when it fails, after the time that `policy` says; `None` gives
    /// up.
    ///
    /// `policy` sees the error and which attempt it ended. The time is waited for on the
    /// [ambient](scheduler::ambient) scheduler, and one of zero is not waited for at all. For waits
    /// that grow, see [`retry_backoff`](Self::retry_backoff).
    ///
    /// # Demand
    ///
    /// Passed to the present attempt. What it did not meet is asked of the next one, together with
    /// what was asked for meanwhile.
    ///
    /// # Termination
    ///
    /// Completes with the first attempt that completes. Fails with the last attempt, with an error
    /// of kind `Panicked` if `policy` panics, of kind `Rejected` if the scheduler was shut down,
    /// and when the downstream asks for nothing (rule 3.9). A cancel while it waits is obeyed at
    /// once. A panic of the source is a mistake in the code, and ends the flow without a question
    /// to `policy`: to try it again as well, make another kind of it by [`map_err`](Self::map_err).
    ///
    /// # Examples
    ///
    /// Only what may pass is tried again, with waits that grow:
    ///
    /// ```
    /// use millstream::{Backoff, Error, ErrorKind};
    ///
    /// let flaky = millstream::error::<u8>(Error::new(ErrorKind::InvalidData, "not a number"));
    /// let mut delays = Backoff::new().delays();
    /// let flow = flaky.retry_when(move |error, _attempt| {
    ///     if error.kind() == ErrorKind::Timeout { delays.next() } else { None }
    /// });
    /// assert_eq!(flow.count().wait().unwrap_err().to_string(), "not a number");
    /// ```
    pub fn retry_when<F>(self, policy: F) -> Flow<RetryWhen<P, F>>
    where
        P: Clone + Send + 'static,
        F: FnMut(&Error, Attempt) -> Option<Duration> + Send + 'static,
    {
        self.retry_when_on(&scheduler::ambient(), policy)
    }

    /// [`retry_when`](Self::retry_when) that waits on a worker of `scheduler`.
    ///
    /// # Demand
    ///
    /// As [`retry_when`](Self::retry_when).
    ///
    /// # Termination
    ///
    /// As [`retry_when`](Self::retry_when).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// check_in_time(
    ///     "--1--#",
    ///     |source, clock| source.retry_when_on(clock, |_error, attempt| {
    ///         (attempt.number == 1).then_some(Duration::from_millis(2))
    ///     }),
    ///     "--1------1--#",
    /// );
    /// ```
    pub fn retry_when_on<F>(self, scheduler: &impl Scheduler, policy: F) -> Flow<RetryWhen<P, F>>
    where
        P: Clone + Send + 'static,
        F: FnMut(&Error, Attempt) -> Option<Duration> + Send + 'static,
    {
        Flow { source: RetryWhen { source: self.source, worker: scheduler.worker(), policy } }
    }
}

/// Publisher returned by [`Flow::retry_when`] and [`Flow::retry_when_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct RetryWhen<P, F> {
    pub(super) source: P,
    pub(super) worker: Worker,
    pub(super) policy: F,
}

impl<P, F> Publisher for RetryWhen<P, F>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
    F: FnMut(&Error, Attempt) -> Option<Duration> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let first = self.source.clone();
        sequence::subscribe(first, downstream, Retries { retry: self, n_attempts: 0 });
    }
}

backpressure!(RetryWhen<P, F>, PassThrough);
opaque_debug!(RetryWhen<P, F>);

struct Retries<P, F> {
    retry: RetryWhen<P, F>,
    n_attempts: u64,
}

impl<T, P, F> Successor<T> for Retries<P, F>
where
    T: 'static,
    P: Publisher<Item = T> + Clone + Send + 'static,
    F: FnMut(&Error, Attempt) -> Option<Duration> + Send + 'static,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        let error = match end {
            End::Failed(error) if may_be_mended(&error) => error,
            end => return handoff.end(end),
        };
        let RetryWhen { source, worker, policy } = &mut self.retry;
        self.n_attempts += 1;
        let attempt = Attempt { number: self.n_attempts, n_items: handoff.n_produced() };
        match caught(|| policy(&error, attempt)) {
            Ok(Some(delay)) => handoff.subscribe_after(delay, worker, source.clone()),
            Ok(None) => handoff.end(End::Failed(error)),
            Err(panicked) => handoff.end(End::Failed(panicked)),
        }
    }
}
