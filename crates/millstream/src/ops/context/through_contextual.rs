//! `through_contextual`: operators that are chosen for their downstream.

use reactive_streams::{Publisher, Subscriber};

use crate::{Backpressure, BackpressureKind, Bounded, Context, Flow};

impl<P: Publisher> Flow<P> {
    /// Passes this flow through `stage`, which gets the [`Context`] of the downstream as well: as
    /// [`through`](Self::through), when the flow is subscribed to.
    ///
    /// # Demand
    ///
    /// As `stage` has it; this adds nothing of its own.
    ///
    /// # Termination
    ///
    /// As `stage` has it. If it panics, fails with an error of kind `Panicked`, and the source is
    /// not subscribed to.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{ErrorKind, never, scheduler::VirtualTime};
    /// use millstream_testkit::Probe;
    ///
    /// /// When the answer is of no use any more, by the clock of the server.
    /// struct Deadline(Duration);
    ///
    /// let clock = VirtualTime::new();
    /// let timer = clock.clone();
    /// let answer = never::<u8>().through_contextual(move |flow, context| {
    ///     let left = context.get::<Deadline>().map_or(Duration::MAX, |deadline| {
    ///         deadline.0.saturating_sub(timer.now())
    ///     });
    ///     flow.timeout_total(&timer, left)
    /// });
    ///
    /// let deadline = Deadline(clock.now() + Duration::from_secs(2));
    /// let probe = Probe::subscribe_to(answer.context_write(|context| context.with(deadline)));
    /// probe.request(1);
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(probe.error().unwrap().kind(), ErrorKind::Timeout);
    /// ```
    #[doc(alias = "transform_deferred_contextual")]
    pub fn through_contextual<F, Q>(self, stage: F) -> Flow<ThroughContextual<P, F>>
    where
        F: FnOnce(Self, &Context) -> Flow<Q>,
        Q: Publisher<Item: 'static>,
    {
        Flow { source: ThroughContextual { source: self.source, stage } }
    }
}

/// Publisher returned by [`Flow::through_contextual`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ThroughContextual<P, F> {
    source: P,
    stage: F,
}

impl<P, F, Q> Publisher for ThroughContextual<P, F>
where
    P: Publisher,
    F: FnOnce(Flow<P>, &Context) -> Flow<Q>,
    Q: Publisher<Item: 'static>,
{
    type Item = Q::Item;

    fn subscribe<S: Subscriber<Q::Item>>(self, downstream: S) {
        let Self { source, stage } = self;
        let made = crate::defer(|| stage(Flow { source }, &Context::current()).source);
        made.subscribe(downstream);
    }
}

opaque_debug!(ThroughContextual<P, F>);

impl<P, F, Q> Backpressure for ThroughContextual<P, F>
where
    P: Backpressure + Publisher,
    F: FnOnce(Flow<P>, &Context) -> Flow<Q>,
    Q: Backpressure,
{
    const KIND: BackpressureKind = BackpressureKind::PassThrough;

    fn max_in_flight(&self) -> u64 {
        // The flow is made as it runs.
        self.source.max_in_flight()
    }
}

impl<P, F, Q> Bounded for ThroughContextual<P, F>
where
    P: Bounded + Publisher,
    F: FnOnce(Flow<P>, &Context) -> Flow<Q>,
    Q: Bounded,
{
}
