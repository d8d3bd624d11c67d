//! A broker's items as a flow.

use std::sync::{Arc, Weak};

use millstream::{
    Backpressure, BackpressureKind, Bounded, Publisher, Subscriber, parts::GateTimer,
};
use millstream_kernel::{End, Gate, Inline, Source, Step};
use parking_lot::Mutex;

use super::{super::Delivery, BrokerAck, MemoryBroker, Wake, state::Next};
use crate::Acknowledgement;

/// Those who are told when there is something new.
#[derive(Default)]
pub(super) struct Flows(Mutex<Vec<Weak<dyn Wake>>>);

impl Flows {
    fn add(&self, flow: Weak<dyn Wake>) {
        let mut flows = self.0.lock();
        flows.retain(|flow| flow.strong_count() > 0);
        flows.push(flow);
    }

    /// Has all look. Runs their code: not to be called under a lock.
    pub(super) fn wake(&self) {
        let flows = self.0.lock().clone();
        flows.iter().filter_map(Weak::upgrade).for_each(|flow| flow.wake());
    }
}

/// Publisher returned by [`MemoryBroker::flow`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromBroker<T>(MemoryBroker<T>);

impl<T> FromBroker<T> {
    pub(super) const fn new(broker: MemoryBroker<T>) -> Self {
        Self(broker)
    }
}

impl<T: Clone + Send + 'static> Publisher for FromBroker<T> {
    type Item = Delivery<T, BrokerAck<T>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let broker = self.0;
        Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            broker.0.flows.add(Weak::clone(gate) as Weak<dyn Wake>);
            let timer = GateTimer::new(broker.0.clock.worker().clone(), Weak::clone(gate));
            (BrokerSource { broker, timer }, downstream, Inline)
        });
    }
}

impl<T> Backpressure for FromBroker<T> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl<T> Bounded for FromBroker<T> {}

millstream::opaque_debug!(FromBroker<T>);

struct BrokerSource<T> {
    broker: MemoryBroker<T>,
    timer: GateTimer,
}

impl<T: Clone + Send + 'static> Source for BrokerSource<T> {
    type Item = Delivery<T, BrokerAck<T>>;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<Self::Item> {
        let shared = &self.broker.0;
        let now = shared.clock.now();
        // Taken out of the lock at once: items are the user's code.
        let next = shared.state.lock().next(now);
        match next {
            Next::Delivery(tag, envelope, payload) => {
                let acknowledge = BrokerAck { shared: Arc::clone(shared), tag };
                let acknowledgement = Acknowledgement::new(acknowledge);
                Step::Item(Delivery::from_parts(payload, envelope, acknowledgement))
            }
            Next::NotBefore(due) => {
                due.map_or(Step::Pending, |due| self.timer.wait_until(due, || ()))
            }
            Next::Over => Step::End(End::Complete),
        }
    }

    fn end(&mut self) -> Option<End> {
        self.broker.0.state.lock().is_over().then_some(End::Complete)
    }
}
