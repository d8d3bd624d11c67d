//! `on_error_resume`: another flow in place of a failed one.

use millstream_kernel::{End, guard::caught};
use reactive_streams::{Error, Publisher, Subscriber};

use crate::{
    Backpressure, BackpressureKind, Bounded, Flow,
    parts::sequence::{self, Handoff, Successor, may_be_mended},
};

impl<P: Publisher> Flow<P> {
    /// Goes on with the flow that `f` makes of the error, when this flow fails.
    ///
    /// # Demand
    ///
    /// Passed to this flow, and what it did not meet to the other one.
    ///
    /// # Termination
    ///
    /// Completes with this flow or with the other one; fails with the other one, or with an error
    /// of kind `Panicked` if `f` panics. An error of kind `IllegalRequest` is the downstream's own,
    /// and one of kind `Panicked` a mistake in the code: these end the flow. To go on after a panic
    /// as well, make another kind of it by [`map_err`](Self::map_err).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--#", |source| source.on_error_resume(|_| millstream::just('9')), "--1--(9|)");
    /// ```
    pub fn on_error_resume<F, Q>(self, f: F) -> Flow<OnErrorResume<P, F>>
    where
        F: FnOnce(Error) -> Q + Send + 'static,
        Q: Publisher<Item = P::Item>,
    {
        Flow { source: OnErrorResume { source: self.source, f } }
    }
}

/// Publisher returned by [`Flow::on_error_resume`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct OnErrorResume<P, F> {
    source: P,
    f: F,
}

impl<P, F, Q> Publisher for OnErrorResume<P, F>
where
    P: Publisher<Item: 'static>,
    F: FnOnce(Error) -> Q + Send + 'static,
    Q: Publisher<Item = P::Item>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        sequence::subscribe(self.source, downstream, Resume(Some(self.f)));
    }
}

opaque_debug!(OnErrorResume<P, F>);

impl<P, F, Q> Backpressure for OnErrorResume<P, F>
where
    P: Backpressure,
    F: FnOnce(Error) -> Q,
    Q: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        // The flow that it resumes with is made as it runs.
        self.source.max_in_flight()
    }
}

impl<P, F, Q> Bounded for OnErrorResume<P, F>
where
    P: Bounded,
    F: FnOnce(Error) -> Q,
    Q: Bounded,
{
}

struct Resume<F>(Option<F>);

impl<T, F, Q> Successor<T> for Resume<F>
where
    T: 'static,
    F: FnOnce(Error) -> Q + Send + 'static,
    Q: Publisher<Item = T>,
{
    fn next<S: Subscriber<T>>(&mut self, end: End, handoff: Handoff<T, S, Self>) {
        match (end, self.0.take()) {
            (End::Failed(error), Some(f)) if may_be_mended(&error) => match caught(|| f(error)) {
                Ok(publisher) => handoff.subscribe(publisher),
                Err(error) => handoff.end(End::Failed(error)),
            },
            (end, _) => handoff.end(end),
        }
    }
}
