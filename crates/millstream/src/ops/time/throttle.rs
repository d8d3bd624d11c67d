//! `throttle`: at most so many items in so much time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::inlet::{Inlet, check_capacity, inlet},
    scheduler::{Scheduler, Worker, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Passes at most `n` items on in each `period`, and has the source wait for the others.
    ///
    /// Nothing is dropped: a source that can be asked is asked more slowly. After a pause, up to `n`
    /// items pass at once. The rule is the generic cell rate algorithm (ITU-T I.371).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `n` items are asked for, and three quarters of
    /// that again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. Fails with an error of kind
    /// `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let four = Duration::from_millis(4);
    /// check_in_time("(1234)------|", |source, clock| source.throttle(clock, 2, four), "(12)-3-4--|");
    /// ```
    #[doc(alias = "rate_limit")]
    #[track_caller]
    pub fn throttle(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        period: Duration,
    ) -> Flow<Throttle<P>> {
        check_capacity(n);
        Flow { source: Throttle { source: self.source, worker: scheduler.worker(), n, period } }
    }
}

/// Publisher returned by [`Flow::throttle`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Throttle<P> {
    source: P,
    worker: Worker,
    n: usize,
    period: Duration,
}

impl<P> Publisher for Throttle<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, n, period } = self;
        let (entrance, inlet) = inlet(n);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            let spacing = period / u32::try_from(n).unwrap_or(u32::MAX);
            let tolerance = period.saturating_sub(spacing);
            let source =
                ThrottleSource { inlet, timer, spacing, tolerance, booked_until: Duration::ZERO };
            (source, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(Throttle<P>, Queue, |this| this.n);
opaque_debug!(Throttle<P>);

struct ThrottleSource<T> {
    inlet: Inlet<T>,
    timer: GateTimer,
    /// The time that one item uses up.
    spacing: Duration,
    /// How far ahead of the clock time may be used up: the burst.
    tolerance: Duration,
    /// Until when time is used up: the algorithm's theoretical arrival time.
    booked_until: Duration,
}

impl<T: Send + 'static> Source for ThrottleSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        let now = self.timer.now();
        let opens_at = self.booked_until.saturating_sub(self.tolerance);
        if now < opens_at {
            return self.timer.wait_until(opens_at, || self.inlet.cancel());
        }
        let step = self.inlet.next();
        if matches!(step, Step::Item(_)) {
            self.booked_until = self.booked_until.max(now).saturating_add(self.spacing);
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
