//! `throttle`, `throttle_weighted`: at most so many items, or so much of what they cost, in so much
//! time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, check_capacity, inlet},
    },
    scheduler::{Scheduler, Worker, duration, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Passes at most `n` items on in each `period`, and has the source wait for the others.
    ///
    /// Nothing is dropped: a source that can be asked is asked more slowly.
    /// After a pause, up to `n` items pass at once. The rule is the generic cell rate algorithm
    /// (ITU-T I.371).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `n` items are asked for, and three quarters
    /// of that again whenever as many were passed on.
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
    /// check_in_time("(1234)------|", |source, clock| source.throttle(clock, 2, four),
    ///     "(12)-3-4--|");
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

    /// Passes items on that cost at most `max` in all in each `period`, such as bytes, and has the
    /// source wait for the others.
    ///
    /// As [`throttle`](Self::throttle), by what items cost.
    /// After a pause, items that cost up to `max` pass at once.
    /// One that costs more passes as if it cost `max`, so that it passes at all.
    /// One that costs nothing passes once those before it did.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then 32 items are asked for, and three quarters
    /// of that again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// As [`throttle`](Self::throttle). If `cost` panics, fails with an error of kind `Panicked`.
    ///
    /// # Panics
    ///
    /// If `max` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let four = Duration::from_millis(4);
    /// let cost = |digit: &char| u64::from(digit.to_digit(10).unwrap());
    /// check_in_time(
    ///     "(1321)----------|",
    ///     |source, clock| source.throttle_weighted(clock, 4, four, cost),
    ///     "(13)-21-------|",
    /// );
    /// ```
    #[doc(alias = "throttle_cost")]
    #[track_caller]
    pub fn throttle_weighted<F>(
        self,
        scheduler: &impl Scheduler,
        max: u64,
        period: Duration,
        cost: F,
    ) -> Flow<ThrottleWeighted<P, F>>
    where
        P::Item: Send + 'static,
        F: FnMut(&P::Item) -> u64 + Send + 'static,
    {
        assert!(max > 0, "nothing passes a throttle for a cost of 0: use at least 1");
        let (source, worker) = (self.source, scheduler.worker());
        Flow { source: ThrottleWeighted { source, worker, max, period, cost } }
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
        let bookings = Bookings::new(n as u64, period);
        subscribe(source, n, worker, bookings, |_| 1, downstream);
    }
}

backpressure!(Throttle<P>, Queue, |this| this.n);
opaque_debug!(Throttle<P>);

/// Publisher returned by [`Flow::throttle_weighted`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ThrottleWeighted<P, F> {
    source: P,
    worker: Worker,
    max: u64,
    period: Duration,
    cost: F,
}

impl<P, F> Publisher for ThrottleWeighted<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut(&P::Item) -> u64 + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, max, period, cost } = self;
        subscribe(source, PREFETCH, worker, Bookings::new(max, period), cost, downstream);
    }
}

backpressure!(ThrottleWeighted<P, F>, Queue, |_this| PREFETCH);
opaque_debug!(ThrottleWeighted<P, F>);

fn subscribe<P, S, C>(
    source: P,
    capacity: usize,
    worker: Worker,
    bookings: Bookings,
    cost: C,
    downstream: S,
) where
    P: Publisher<Item: Send + 'static>,
    S: Subscriber<P::Item>,
    C: FnMut(&P::Item) -> u64 + Send + 'static,
{
    let (entrance, inlet) = inlet(capacity);
    let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        let timer = GateTimer::new(worker, Weak::clone(gate));
        (ThrottleSource { inlet, held: None, cost, timer, bookings }, downstream, Inline)
    });
    source.subscribe(entrance.subscriber(Arc::clone(&gate)));
}

struct ThrottleSource<T, C> {
    inlet: Inlet<T>,
    /// The next item, whose time has not come, and what it costs. It keeps its place in the inlet.
    held: Option<(T, u64)>,
    cost: C,
    timer: GateTimer,
    bookings: Bookings,
}

/// The time that items have used up, in nanoseconds and `n`ths of one, so that nothing is rounded.
struct Bookings {
    /// What may be booked in a period.
    n: u64,
    period: u128,
    /// Until when time is used up, and the `n`ths: the algorithm's theoretical arrival time.
    until: (u128, u128),
}

impl Bookings {
    fn new(n: u64, period: Duration) -> Self {
        Self { n, period: period.as_nanos(), until: (0, 0) }
    }

    /// When an item that costs so much has had its time: a period divided by `n` for each unit.
    fn after(&self, (nanos, nths): (u128, u128), cost: u64) -> (u128, u128) {
        let (n, cost) = (u128::from(self.n), u128::from(cost.min(self.n)));
        // Neither product overflows: the first is at most a period, the second less than `n`
        // squared.
        let nths = nths + cost * (self.period % n);
        (nanos + cost * (self.period / n) + nths / n, nths % n)
    }

    /// When the next item may pass: as soon as its time ends within a period from now.
    /// Those that pass ahead of their time are the burst.
    fn opens_at(&self, cost: u64) -> Duration {
        let (nanos, nths) = self.after(self.until, cost);
        duration((nanos + u128::from(nths > 0)).saturating_sub(self.period))
    }

    /// An item passes.
    fn book(&mut self, now: Duration, cost: u64) {
        self.until = self.after(self.until.max((now.as_nanos(), 0)), cost);
    }
}

impl<T, C> Source for ThrottleSource<T, C>
where
    T: Send + 'static,
    C: FnMut(&T) -> u64 + Send + 'static,
{
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        self.inlet.start();
        let (item, cost) = match self.held.take() {
            Some(held) => held,
            None => match self.inlet.take() {
                Step::Item(item) => {
                    let cost = (self.cost)(&item);
                    (item, cost)
                }
                step => return step,
            },
        };
        let now = self.timer.now();
        let opens_at = self.bookings.opens_at(cost);
        if now < opens_at {
            self.held = Some((item, cost));
            return self.timer.wait_until(opens_at, || self.inlet.cancel());
        }
        self.bookings.book(now, cost);
        self.inlet.release(1);
        Step::Item(item)
    }

    fn end(&mut self) -> Option<End> {
        if self.held.is_some() { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
