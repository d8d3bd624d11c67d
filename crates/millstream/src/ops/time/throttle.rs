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
    scheduler::{Scheduler, Worker, duration, gate_timer::GateTimer},
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
    /// Unless `n` lies in `1..=16_777_216`.
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
            (
                ThrottleSource { inlet, timer, bookings: Bookings::new(n, period) },
                downstream,
                Inline,
            )
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(Throttle<P>, Queue, |this| this.n);
opaque_debug!(Throttle<P>);

struct ThrottleSource<T> {
    inlet: Inlet<T>,
    timer: GateTimer,
    bookings: Bookings,
}

/// The time that items have used up, in nanoseconds and `n`ths of one, so that nothing is rounded.
struct Bookings {
    n: u128,
    period: u128,
    /// Until when time is used up, and the `n`ths: the algorithm's theoretical arrival time.
    until: (u128, u128),
}

impl Bookings {
    fn new(n: usize, period: Duration) -> Self {
        Self { n: n as u128, period: period.as_nanos(), until: (0, 0) }
    }

    /// When one item more has its time, which is a period divided by `n`.
    fn after(&self, (nanos, nths): (u128, u128)) -> (u128, u128) {
        let nths = nths + self.period % self.n;
        (nanos + self.period / self.n + nths / self.n, nths % self.n)
    }

    /// When the next item may pass: as soon as its time ends within a period from now. Those that pass ahead of
    /// their time are the burst.
    fn opens_at(&self) -> Duration {
        let (nanos, nths) = self.after(self.until);
        duration((nanos + u128::from(nths > 0)).saturating_sub(self.period))
    }

    /// An item passes.
    fn book(&mut self, now: Duration) {
        self.until = self.after(self.until.max((now.as_nanos(), 0)));
    }
}

impl<T: Send + 'static> Source for ThrottleSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        let now = self.timer.now();
        let opens_at = self.bookings.opens_at();
        if now < opens_at {
            return self.timer.wait_until(opens_at, || self.inlet.cancel());
        }
        let step = self.inlet.next();
        if matches!(step, Step::Item(_)) {
            self.bookings.book(now);
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
