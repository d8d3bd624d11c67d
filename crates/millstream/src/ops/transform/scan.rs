//! `scan`: maps with a state, until told to stop.

use millstream_kernel::{End, Upstream};
use reactive_streams::{Offer, Publisher, Subscriber};

use crate::{Flow, parts::downstream::Downstream};

impl<P: Publisher> Flow<P> {
    /// Turns each item into another with a state of its own; a `None` ends the flow.
    ///
    /// The shape of `Iterator::scan`. A running total is `scan(0, |sum, n| { *sum += n;
    /// Some(*sum) })`.
    ///
    /// # Demand
    ///
    /// Passed on unchanged.
    ///
    /// # Termination
    ///
    /// Completes when `f` returns `None`, and stops the source; otherwise completes and fails with
    /// it.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_testkit::marbles::check;
    ///
    /// check("--1--2--3--|", |source| source.scan(0, |sum, item| {
    ///     *sum += item.to_digit(10)?;
    ///     Some(*sum)
    /// }), "--1--3--6--|");
    /// ```
    pub fn scan<U, A, F>(self, state: A, f: F) -> Flow<Scan<P, A, F>>
    where
        A: Send + 'static,
        F: FnMut(&mut A, P::Item) -> Option<U> + Send + 'static,
    {
        Flow { source: Scan { source: self.source, state, f } }
    }
}

/// Publisher returned by [`Flow::scan`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Scan<P, A, F> {
    source: P,
    state: A,
    f: F,
}

impl<P, U, A, F> Publisher for Scan<P, A, F>
where
    P: Publisher,
    A: Send + 'static,
    F: FnMut(&mut A, P::Item) -> Option<U> + Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        self.source.subscribe(ScanSubscriber {
            downstream: Downstream::new(downstream),
            upstream: Upstream::unset(),
            state: self.state,
            f: self.f,
        });
    }
}

opaque_debug!(Scan<P, A, F>);
backpressure!(Scan<P, A, F>, PassThrough);

struct ScanSubscriber<S, A, F> {
    downstream: Downstream<S>,
    upstream: Upstream,
    state: A,
    f: F,
}

impl<T, U, S, A, F> Subscriber<T> for ScanSubscriber<S, A, F>
where
    S: Subscriber<U>,
    A: Send + 'static,
    F: FnMut(&mut A, T) -> Option<U> + Send + 'static,
{
    forward!(on_subscribe, initial_request, on_next<T>, on_error, on_complete);

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        if self.downstream.is_ended() {
            return Offer::Finished;
        }
        match (self.f)(&mut self.state, item) {
            Some(item) => self.downstream.offer(item),
            None => self.downstream.end(End::Complete),
        }
    }
}
