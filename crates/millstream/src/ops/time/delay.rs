//! `delay`: every item some time later.

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
    /// Passes every item on `delay` after it came; up to `capacity` items are on their way.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then `capacity` items are asked for, and three
    /// quarters of that again whenever as many were passed on. So at most `capacity` items pass in
    /// each `delay`.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. Fails with an error of kind
    /// `Rejected` if the scheduler was shut down or has no clock.
    ///
    /// # Panics
    ///
    /// Unless `capacity` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("-1-2---|", |source, clock| source.delay(clock, three, 8), "----1-2|");
    /// ```
    #[doc(alias = "delay_elements")]
    #[track_caller]
    pub fn delay(
        self,
        scheduler: &impl Scheduler,
        delay: Duration,
        capacity: usize,
    ) -> Flow<Delay<P>> {
        check_capacity(capacity);
        Flow { source: Delay { source: self.source, worker: scheduler.worker(), delay, capacity } }
    }
}

/// Publisher returned by [`Flow::delay`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Delay<P> {
    source: P,
    worker: Worker,
    delay: Duration,
    capacity: usize,
}

impl<P> Publisher for Delay<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, delay, capacity } = self;
        let (entrance, inlet) = inlet(capacity);
        let clock = worker.clone();
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            (DelaySource { inlet, timer, waiting: None }, downstream, Inline)
        });
        let stamped = Flow { source }.map(move |item| (clock.now().saturating_add(delay), item));
        stamped.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(Delay<P>, Queue, |this| this.capacity.saturating_add(1));
opaque_debug!(Delay<P>);

struct DelaySource<T> {
    inlet: Inlet<(Duration, T)>,
    timer: GateTimer,
    /// The next item and when it is due.
    waiting: Option<(Duration, T)>,
}

impl<T: Send + 'static> Source for DelaySource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        let (due, item) = match self.waiting.take() {
            Some(waiting) => waiting,
            None => match self.inlet.next() {
                Step::Item(next) => next,
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(end),
            },
        };
        if self.timer.now() >= due {
            return Step::Item(item);
        }
        self.waiting = Some((due, item));
        self.timer.wait_until(due, || self.inlet.cancel())
    }

    fn end(&mut self) -> Option<End> {
        if self.waiting.is_some() { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
