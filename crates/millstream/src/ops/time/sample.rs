//! `sample`: the newest item at every tick.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use millstream_kernel::{End, Gate, Inline, Source, Step};
use reactive_streams::{Publisher, Subscriber};

use crate::{
    Flow,
    parts::shed::{ShedQueue, keep_newest, shed_queue},
    scheduler::{Scheduler, Worker, duration, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Passes on, at the end of each `period`, the newest item that came in it, if one did.
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
    /// # Panics
    ///
    /// If `period` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let four = Duration::from_millis(4);
    /// check_in_time("-12------3-|", |source, clock| source.sample(clock, four),
    ///     "----2------(3|)");
    /// ```
    #[doc(alias = "throttle_last")]
    pub fn sample(self, scheduler: &impl Scheduler, period: Duration) -> Flow<Sample<P>> {
        assert!(!period.is_zero(), "a period of zero would never end: use at least 1 ns");
        Flow { source: Sample { source: self.source, worker: scheduler.worker(), period } }
    }
}

/// Publisher returned by [`Flow::sample`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Sample<P> {
    source: P,
    worker: Worker,
    period: Duration,
}

impl<P> Publisher for Sample<P>
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
        let begin = clock.now();
        let stamped = Flow { source }.map(move |item| {
            let now = clock.now();
            let into_period = now.saturating_sub(begin).as_nanos() % period.as_nanos();
            (now.saturating_add(duration(period.as_nanos() - into_period)), item)
        });
        stamped.subscribe(entrance.subscriber(Arc::clone(&gate), keep_newest));
    }
}

backpressure!(Sample<P>, Shed, |_this| 2_usize);
opaque_debug!(Sample<P>);

/// The newest of the items that are due at a time, for `sample` and `debounce`.
pub(super) struct Latest<T> {
    queue: ShedQueue<(Duration, T)>,
    timer: GateTimer,
    /// The newest item so far, and when it is due.
    waiting: Option<(Duration, T)>,
    /// How the source ended, while an item waits.
    ended: Option<End>,
}

impl<T> Latest<T> {
    pub(super) fn new(queue: ShedQueue<(Duration, T)>, timer: GateTimer) -> Self {
        Self { queue, timer, waiting: None, ended: None }
    }
}

impl<T: Send + 'static> Source for Latest<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        loop {
            // What is due comes before what is newer.
            let now = self.timer.now();
            if let Some((_, item)) = self.waiting.take_if(|(due, _)| now >= *due) {
                return Step::Item(item);
            }
            if let Some(end) = self.ended.take() {
                return Step::End(end);
            }
            match self.queue.next() {
                Step::Item(newer) => self.waiting = Some(newer),
                Step::End(end) => match self.waiting.take() {
                    Some((_, item)) => {
                        self.ended = Some(end);
                        return Step::Item(item);
                    }
                    None => return Step::End(end),
                },
                Step::Pending => break,
            }
        }
        let Some((due, _)) = self.waiting else { return Step::Pending };
        self.timer.wait_until(due, || self.queue.cancel())
    }

    fn end(&mut self) -> Option<End> {
        if self.waiting.is_some() {
            return None;
        }
        self.ended.take().or_else(|| self.queue.end())
    }

    fn cancel(&mut self) {
        self.queue.cancel();
    }
}
