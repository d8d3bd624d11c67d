//! `throttle_latest`: an item at once, and then the newest one of each period.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{Gate, Inline};
use reactive_streams::{Publisher, Subscriber};

use super::sample::Latest;
use crate::{
    Flow,
    parts::shed::{keep_newest, shed_queue},
    scheduler::{Scheduler, Worker, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Passes an item on at once, then at most one each `period`: the newest that came in it.
    ///
    /// A period begins with an item that is passed on.
    /// Where none came in it, the next item passes at once.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound.
    /// The newest item waits until it is asked for; one of a later period takes its place.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the item that waits, which does not wait for the
    /// end of the period then. Fails with an error of kind `Rejected` if the scheduler was shut
    /// down or has no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let four = Duration::from_millis(4);
    /// check_in_time(
    ///     "-123----------4-5|",
    ///     |source, clock| source.throttle_latest(clock, four),
    ///     "-1---3--------4--(5|)",
    /// );
    /// ```
    pub fn throttle_latest(
        self,
        scheduler: &impl Scheduler,
        period: Duration,
    ) -> Flow<ThrottleLatest<P>> {
        Flow { source: ThrottleLatest { source: self.source, worker: scheduler.worker(), period } }
    }
}

/// Publisher returned by [`Flow::throttle_latest`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ThrottleLatest<P> {
    source: P,
    worker: Worker,
    period: Duration,
}

impl<P> Publisher for ThrottleLatest<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, period } = self;
        let (entrance, queue) = shed_queue(1);
        let clock = worker.clone();
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            (Latest::new(queue, timer), downstream, Inline)
        });
        let mut periods = Periods { period, opens_at: Duration::ZERO, is_booked: false };
        let stamped = Flow { source }.map(move |item| (periods.due(clock.now()), item));
        stamped.subscribe(entrance.subscriber(Arc::clone(&gate), keep_newest));
    }
}

backpressure!(ThrottleLatest<P>, Shed, |_this| 2_usize);
opaque_debug!(ThrottleLatest<P>);

struct Periods {
    period: Duration,
    /// When the present period ends.
    opens_at: Duration,
    /// Whether an item waits for that.
    is_booked: bool,
}

impl Periods {
    /// When an item may pass that comes now.
    fn due(&mut self, now: Duration) -> Duration {
        if self.is_booked && now >= self.opens_at {
            // The one that waited has begun a period.
            self.is_booked = false;
            self.opens_at = self.opens_at.saturating_add(self.period);
        }
        if now >= self.opens_at {
            self.opens_at = now.saturating_add(self.period);
            return now;
        }
        self.is_booked = true;
        self.opens_at
    }
}
