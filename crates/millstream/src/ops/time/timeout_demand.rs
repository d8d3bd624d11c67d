//! `timeout_demand`: an item waits no longer than so much to be asked for.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
    scheduler::{Scheduler, Worker, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Fails with an error of kind `Timeout` when an item waits for longer than `limit` because the
    /// downstream asks for nothing.
    ///
    /// It finds a downstream that is stuck, or slower than its source for good;
    /// [`timeout`](Self::timeout) finds a source that is. The time runs while there is an item and no
    /// demand, from the first request on. A downstream that works on its last item while no other
    /// comes is not late.
    ///
    /// # Demand
    ///
    /// The source is asked for 32 items with the downstream's first request, and for three quarters
    /// of that again whenever as many were passed on.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait.
    /// After a timeout the source is canceled, and the items that wait are dropped.
    /// Fails with an error of kind `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::{ErrorKind, MissedTick, interval, scheduler::VirtualTime};
    /// use millstream_testkit::Probe;
    ///
    /// let clock = VirtualTime::new();
    /// let ticks = interval(&clock, Duration::from_secs(1), MissedTick::Burst);
    /// let stuck = Probe::subscribe_to(ticks.timeout_demand(&clock, Duration::from_secs(5)));
    /// stuck.request(2);
    /// // The third tick comes after 3 s, and nobody asks for it.
    /// clock.advance(Duration::from_secs(9));
    /// assert_eq!(stuck.items(), [0, 1]);
    /// assert_eq!(stuck.error().unwrap().kind(), ErrorKind::Timeout);
    /// ```
    #[doc(alias = "backpressure_timeout")]
    pub fn timeout_demand(
        self,
        scheduler: &impl Scheduler,
        limit: Duration,
    ) -> Flow<TimeoutDemand<P>>
    where
        P::Item: Send + 'static,
    {
        Flow { source: TimeoutDemand { source: self.source, worker: scheduler.worker(), limit } }
    }
}

/// Publisher returned by [`Flow::timeout_demand`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TimeoutDemand<P> {
    source: P,
    worker: Worker,
    limit: Duration,
}

impl<P> Publisher for TimeoutDemand<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, limit } = self;
        let (entrance, inlet) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            (Waiting { inlet, timer, limit, due: None, is_starved: false }, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(TimeoutDemand<P>, Queue, |_this| PREFETCH);
opaque_debug!(TimeoutDemand<P>);

struct Waiting<T> {
    inlet: Inlet<T>,
    timer: GateTimer,
    limit: Duration,
    /// When the first item will have waited for too long; `None` while none waits.
    due: Option<Duration>,
    /// Whether the last question for an item was in vain, so that there is demand left.
    is_starved: bool,
}

impl<T: Send + 'static> Source for Waiting<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        self.due = None;
        let step = self.inlet.next();
        self.is_starved = matches!(step, Step::Pending);
        step
    }

    fn end(&mut self) -> Option<End> {
        // Without demand, or after a question in vain, when none waits.
        if self.is_starved || self.inlet.is_drained() {
            return self.inlet.end();
        }
        let now = self.timer.now();
        let due = *self.due.get_or_insert(now.saturating_add(self.limit));
        if now >= due {
            self.inlet.cancel();
            let message = format!("an item was not asked for within {:?}", self.limit);
            return Some(End::Failed(Error::new(ErrorKind::Timeout, message)));
        }
        match self.timer.wait_until::<T>(due, || self.inlet.cancel()) {
            Step::End(end) => Some(end),
            Step::Item(_) | Step::Pending => None,
        }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
