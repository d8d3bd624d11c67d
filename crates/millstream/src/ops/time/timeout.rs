//! `timeout`, `timeout_first`: no longer than so much between two items.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step, after_turn};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::scheduler::surroundings::Surroundings;
use crate::{
    Failed, Flow, error,
    parts::{
        fan_in::PREFETCH,
        inlet::{Inlet, inlet},
    },
    scheduler::{Scheduler, Worker, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Fails with an error of kind `Timeout` when an item that was asked for does not come within
    /// `limit`.
    ///
    /// The time runs while the downstream waits: from its request, or from the item before,
    /// whichever is later. A downstream that asks for nothing never times out.
    ///
    /// # Demand
    ///
    /// The source is asked for 32 items with the downstream's first request, and then in batches.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. After a timeout the source
    /// is canceled. Fails with an error of kind `Rejected` if the scheduler was shut down or has no
    /// clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("-1-2------3-|", |source, clock| source.timeout(clock, three), "-1-2--#");
    /// ```
    #[doc(alias = "idle_timeout")]
    pub fn timeout(
        self,
        scheduler: &impl Scheduler,
        limit: Duration,
    ) -> Flow<Timeout<P, Flow<Failed<P::Item>>>>
    where
        P::Item: Send + 'static,
    {
        let message = format!("no item came within {limit:?}");
        let failed = error(Error::new(ErrorKind::Timeout, message));
        self.timeout_with(scheduler, limit, failed)
    }

    /// Fails with an error of kind `Timeout` when the first item does not come within `limit`.
    ///
    /// The time runs from the downstream's first request. For the whole flow, see
    /// [`timeout_total`](Self::timeout_total).
    ///
    /// # Demand
    ///
    /// As [`timeout`](Self::timeout).
    ///
    /// # Termination
    ///
    /// As [`timeout`](Self::timeout).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("-1-----2|", |source, clock| source.timeout_first(clock, three), "-1-----2|");
    /// check_in_time("----1--2|", |source, clock| source.timeout_first(clock, three), "---#");
    /// ```
    #[doc(alias = "initial_timeout")]
    pub fn timeout_first(
        self,
        scheduler: &impl Scheduler,
        limit: Duration,
    ) -> Flow<Timeout<P, Flow<Failed<P::Item>>>>
    where
        P::Item: Send + 'static,
    {
        let mut flow = self.timeout(scheduler, limit);
        flow.source.is_for_first = true;
        flow
    }

    /// [`timeout`](Self::timeout), which goes on with `fallback` in place of the error.
    ///
    /// # Demand
    ///
    /// As [`timeout`](Self::timeout), of the source and then of `fallback`.
    ///
    /// # Termination
    ///
    /// As [`timeout`](Self::timeout), and then with `fallback`, for which no time runs.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream::just;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("-1------2-|", |source, clock| source.timeout_with(clock, three, just('x')),
    /// "-1--(x|)");
    /// ```
    pub fn timeout_with<Q>(
        self,
        scheduler: &impl Scheduler,
        limit: Duration,
        fallback: Q,
    ) -> Flow<Timeout<P, Q>>
    where
        Q: Publisher<Item = P::Item> + Send + 'static,
    {
        let worker = scheduler.worker();
        let is_for_first = false;
        Flow { source: Timeout { source: self.source, worker, limit, fallback, is_for_first } }
    }
}

/// Publisher returned by [`Flow::timeout`] and its like.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Timeout<P, Q> {
    source: P,
    worker: Worker,
    limit: Duration,
    fallback: Q,
    /// Whether the time runs for the first item alone.
    is_for_first: bool,
}

impl<P, Q> Publisher for Timeout<P, Q>
where
    P: Publisher<Item: Send + 'static>,
    Q: Publisher<Item = P::Item> + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, limit, fallback, is_for_first } = self;
        let (entrance, inlet) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            let gate = Weak::clone(gate);
            let fallback = Some(fallback);
            let surroundings = Surroundings::current();
            let source = TimeoutSource {
                inlet,
                timer,
                limit,
                deadline: None,
                is_for_first,
                fallback,
                gate,
                surroundings,
            };
            (source, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(two Timeout<P, Q>, source max fallback, Queue, |_this| PREFETCH);
opaque_debug!(Timeout<P, Q>);

struct TimeoutSource<Q: Publisher, S> {
    inlet: Inlet<Q::Item>,
    timer: GateTimer,
    limit: Duration,
    /// When the downstream will have waited for too long; `None` while it does not wait.
    deadline: Option<Duration>,
    is_for_first: bool,
    /// `None` after a timeout, and when no time runs any more.
    fallback: Option<Q>,
    /// What the fallback wakes.
    gate: Weak<Gate<Self, S, Inline>>,
    surroundings: Surroundings,
}

impl<Q, S> Source for TimeoutSource<Q, S>
where
    Q: Publisher<Item: Send + 'static> + Send + 'static,
    S: Subscriber<Q::Item>,
{
    type Item = Q::Item;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Q::Item> {
        loop {
            let step = self.inlet.next();
            if !matches!(step, Step::Pending) || self.fallback.is_none() {
                self.deadline = None;
                if self.is_for_first {
                    self.fallback = None;
                }
                return step;
            }
            let now = self.timer.now();
            let deadline = *self.deadline.get_or_insert(now.saturating_add(self.limit));
            if now < deadline {
                return self.timer.wait_until(deadline, || self.inlet.cancel());
            }
            self.inlet.cancel();
            let (Some(fallback), Some(gate)) = (self.fallback.take(), self.gate.upgrade()) else {
                return Step::Pending;
            };
            let (entrance, inlet) = inlet(PREFETCH);
            self.inlet = inlet;
            let surroundings = self.surroundings.clone();
            let subscriber = entrance.subscriber(gate);
            after_turn::run(move || surroundings.within(|| fallback.subscribe(subscriber)));
        }
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
