//! `buffer_timeout`: groups of items that are full, or old enough.

use std::{
    mem,
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
    /// Groups items, and passes a group on when it has `n` of them, or when `limit` has passed since
    /// its first came.
    ///
    /// # Demand
    ///
    /// One unit for a group. Starts with the downstream's first request: then `n` items are asked for,
    /// and three quarters of that again whenever as many were put into a group. A group whose time has
    /// come waits until it is asked for, and takes up to `n` items meanwhile; another `n` wait behind
    /// it. It is never an error for lack of demand.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the group that was begun. Fails with an error of kind
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
    /// let three = Duration::from_millis(3);
    /// check_in_time(
    ///     "12-3-----|",
    ///     |source, clock| source.buffer_timeout(clock, 2, three).map(String::from_iter),
    ///     "-[12]----[3]--|",
    /// );
    /// ```
    #[doc(alias = "grouped_within")]
    #[doc(alias = "chunks_timeout")]
    #[track_caller]
    pub fn buffer_timeout(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        limit: Duration,
    ) -> Flow<BufferTimeout<P>> {
        check_capacity(n);
        Flow { source: BufferTimeout { source: self.source, worker: scheduler.worker(), n, limit } }
    }
}

/// Publisher returned by [`Flow::buffer_timeout`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct BufferTimeout<P> {
    source: P,
    worker: Worker,
    n: usize,
    limit: Duration,
}

impl<P> Publisher for BufferTimeout<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = Vec<P::Item>;

    fn subscribe<S: Subscriber<Vec<P::Item>>>(self, downstream: S) {
        let Self { source, worker, n, limit } = self;
        let (entrance, inlet) = inlet(n);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            let group = Vec::new();
            let source =
                Groups { inlet, timer, n, limit, group, due: None, end: None, is_started: false };
            (source, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(Arc::clone(&gate)));
    }
}

backpressure!(BufferTimeout<P>, Queue, |this| this.n.saturating_mul(2));
opaque_debug!(BufferTimeout<P>);

struct Groups<T> {
    inlet: Inlet<T>,
    timer: GateTimer,
    n: usize,
    limit: Duration,
    group: Vec<T>,
    /// When the group that was begun is passed on, full or not.
    due: Option<Duration>,
    /// How the source ended.
    end: Option<End>,
    /// Whether the downstream has asked for anything.
    is_started: bool,
}

impl<T> Groups<T> {
    /// Puts what waits into the group.
    fn fill(&mut self) {
        while self.group.len() < self.n && self.end.is_none() {
            match self.inlet.next() {
                Step::Item(item) => {
                    if self.group.is_empty() {
                        self.due = Some(self.timer.now().saturating_add(self.limit));
                    }
                    self.group.push(item);
                }
                Step::End(end) => self.end = Some(end),
                Step::Pending => return,
            }
        }
    }
}

impl<T: Send + 'static> Source for Groups<T> {
    type Item = Vec<T>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Vec<T>> {
        self.is_started = true;
        self.fill();
        let Some(due) = self.due else {
            return self.end.take().map_or(Step::Pending, Step::End);
        };
        if self.group.len() == self.n || self.end.is_some() || self.timer.now() >= due {
            self.due = None;
            return Step::Item(mem::take(&mut self.group));
        }
        self.timer.wait_until(due, || self.inlet.cancel())
    }

    /// A group's time begins with its first item, whether or not it was asked for.
    fn advance(&mut self) {
        if self.is_started {
            self.fill();
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.group.is_empty() { self.end.take().or_else(|| self.inlet.end()) } else { None }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
