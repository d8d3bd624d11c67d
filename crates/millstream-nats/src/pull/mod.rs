//! `pull`: the deliveries of a JetStream consumer, asked for as they are asked for here.
//!
//! The client's own streams ask ahead: 200 messages for one that is wanted. So the requests are
//! made here. What is asked of the server and has not come is never more than what was asked for
//! here and has not been passed on.

mod inbox;
mod request;
mod source;

use std::sync::{Arc, Weak};

use bytes::Bytes;
use millstream::{
    Backpressure, BackpressureKind, Bounded, Offer, Publisher, Subscriber, Subscription,
    parts::{GateTimer, GateWaker, OnWorker},
    scheduler::Scheduler as _,
};
use millstream_kernel::{Gate, Pending, Wake};
use millstream_pressure::Delivery;

use self::source::PullSource;
use crate::{Nats, NatsAck, PullConfig};

/// Publisher returned by [`Nats::pull`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Pull {
    nats: Nats,
    config: Arc<PullConfig>,
}

impl Pull {
    pub(crate) fn new(nats: Nats, config: PullConfig) -> Self {
        Self { nats, config: Arc::new(config) }
    }
}

impl Publisher for Pull {
    type Item = Delivery<Bytes, NatsAck>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { nats, config } = self;
        let demand = Arc::new(Pending::new());
        let downstream = Counting { downstream, demand: Arc::clone(&demand) };
        Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
            nats.0.epochs.tell(Weak::clone(gate) as Weak<dyn Wake>);
            let worker = nats.scheduler().worker();
            let timer = GateTimer::new(worker.clone(), Weak::clone(gate));
            let waker = Arc::new(GateWaker::new(Weak::clone(gate)));
            let source = PullSource::new(nats, config, demand, waker.into(), timer);
            (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
        });
    }
}

impl Backpressure for Pull {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        u64::from(self.config.max_requested)
    }
}

impl Bounded for Pull {}

impl std::fmt::Debug for Pull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pull").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Tells the source how much is asked for: a gate asks it for one item at a time.
struct Counting<S> {
    downstream: S,
    demand: Arc<Pending>,
}

struct CountedSubscription {
    gate: Arc<dyn Subscription>,
    demand: Arc<Pending>,
}

impl Subscription for CountedSubscription {
    fn request(&self, n: u64) {
        if n > 0 {
            // The gate's turn takes it.
            let _is_first = self.demand.add(n);
        }
        self.gate.request(n);
    }

    fn cancel(&self) {
        self.gate.cancel();
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for Counting<S>
where
    T: Send + 'static,
{
    millstream::forward!(on_error, on_complete);

    fn on_subscribe(&mut self, gate: Arc<dyn Subscription>) {
        let demand = Arc::clone(&self.demand);
        self.downstream.on_subscribe(Arc::new(CountedSubscription { gate, demand }));
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        self.downstream.on_next(item);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let offer = self.downstream.offer(item);
        if offer == Offer::Skipped {
            // It used no demand of the gate's, and so none here.
            let _is_first = self.demand.add(1);
        }
        offer
    }
}
