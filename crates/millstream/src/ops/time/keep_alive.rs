//! `keep_alive`: an item of its own where none came.

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
        inlet::{Inlet, inlet},
    },
    scheduler::{Scheduler, Worker, gate_timer::GateTimer},
};

impl<P: Publisher> Flow<P> {
    /// Sends an item that `f` makes whenever the downstream has waited for `idle`.
    ///
    /// # Demand
    ///
    /// The source is asked for 32 items with the downstream's first request, and then in batches.
    /// An item that `f` makes uses demand like any other, and is made only if there is some.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the items that wait. Fails with an error of kind
    /// `Rejected` if the scheduler was shut down or has no clock, and of kind `Panicked` if `f`
    /// panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let two = Duration::from_millis(2);
    /// check_in_time("1-----2|", |source, clock| source.keep_alive(clock, two, || '.'),
    ///     "1-.-.-2|");
    /// ```
    pub fn keep_alive<F>(
        self,
        scheduler: &impl Scheduler,
        idle: Duration,
        f: F,
    ) -> Flow<KeepAlive<P, F>>
    where
        F: FnMut() -> P::Item + Send + 'static,
    {
        let worker = scheduler.worker();
        Flow { source: KeepAlive { source: self.source, worker, idle, f } }
    }
}

/// Publisher returned by [`Flow::keep_alive`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct KeepAlive<P, F> {
    source: P,
    worker: Worker,
    idle: Duration,
    f: F,
}

impl<P, F> Publisher for KeepAlive<P, F>
where
    P: Publisher<Item: Send + 'static>,
    F: FnMut() -> P::Item + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, idle, f } = self;
        let (entrance, inlet) = inlet(PREFETCH);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            (KeepAliveSource { inlet, timer, idle, f, deadline: None }, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(KeepAlive<P, F>, Queue, |_this| PREFETCH);
opaque_debug!(KeepAlive<P, F>);

struct KeepAliveSource<T, F> {
    inlet: Inlet<T>,
    timer: GateTimer,
    idle: Duration,
    f: F,
    /// When the downstream will have waited for long enough; `None` while it does not wait.
    deadline: Option<Duration>,
}

impl<T, F> Source for KeepAliveSource<T, F>
where
    T: Send + 'static,
    F: FnMut() -> T + Send + 'static,
{
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        let step = self.inlet.next();
        if !matches!(step, Step::Pending) {
            self.deadline = None;
            return step;
        }
        let now = self.timer.now();
        let deadline = *self.deadline.get_or_insert(now.saturating_add(self.idle));
        if now >= deadline {
            self.deadline = None;
            return Step::Item((self.f)());
        }
        self.timer.wait_until(deadline, || self.inlet.cancel())
    }

    fn end(&mut self) -> Option<End> {
        self.inlet.end()
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
