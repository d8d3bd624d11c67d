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
    Backpressure, BackpressureKind, Bounded, Publisher, Subscriber, parts::GateTimer,
    scheduler::Scheduler as _,
};
use millstream_pressure::{Delivery, fetch_into};

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
        let worker = nats.scheduler().worker();
        fetch_into(downstream, worker.clone(), |gate| {
            nats.0.epochs.tell(Weak::clone(gate));
            PullSource::new(nats, config, GateTimer::waking(worker, Weak::clone(gate)))
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
