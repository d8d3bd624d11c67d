//! `debounce`: an item after which it stayed quiet.

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
    /// Passes an item on if none follows within `quiet`, and drops those that are followed sooner.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked without bound. The last
    /// item waits until it is asked for; a newer one takes its place.
    ///
    /// # Termination
    ///
    /// Completes and fails with the source, after the item that waits, which does not wait for
    /// quiet then. Fails with an error of kind `Rejected` if the scheduler was shut down or has no
    /// clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_testkit::marbles::check_in_time;
    ///
    /// let three = Duration::from_millis(3);
    /// check_in_time("1-2-----3-|", |source, clock| source.debounce(clock, three),
    ///     "-----2----(3|)");
    /// ```
    #[doc(alias = "throttle_with_timeout")]
    #[doc(alias = "sample_timeout")]
    pub fn debounce(self, scheduler: &impl Scheduler, quiet: Duration) -> Flow<Debounce<P>> {
        Flow { source: Debounce { source: self.source, worker: scheduler.worker(), quiet } }
    }
}

/// Publisher returned by [`Flow::debounce`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Debounce<P> {
    source: P,
    worker: Worker,
    quiet: Duration,
}

impl<P> Publisher for Debounce<P>
where
    P: Publisher<Item: Send + 'static>,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, worker, quiet } = self;
        let (entrance, queue) = shed_queue(1);
        let clock = worker.clone();
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let timer = GateTimer::new(worker, Weak::clone(gate));
            (Latest::new(queue, timer), downstream, Inline)
        });
        let stamped = Flow { source }.map(move |item| (clock.now().saturating_add(quiet), item));
        stamped.subscribe(entrance.subscriber(Arc::clone(&gate), keep_newest));
    }
}

backpressure!(Debounce<P>, Shed, |_this| 2_usize);
opaque_debug!(Debounce<P>);
