//! `consume`: the deliveries of a queue, sent as they are asked for here.
//!
//! A task of its own talks to the broker, because acknowledgements also come while nothing is
//! asked for.

mod channel;
mod driver;
mod outlet;
mod window;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use millstream::{
    Backpressure, BackpressureKind, Bounded, Error, Publisher, Subscriber,
    scheduler::Scheduler as _,
};
use millstream_pressure::{Fetch, fetch_into};

pub use self::outlet::AmqpAck;
use self::outlet::Item;
pub(crate) use self::outlet::Outlet;
use crate::{Amqp, ConsumeConfig};

/// Publisher returned by [`Amqp::consume`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Consumed {
    amqp: Amqp,
    config: Arc<ConsumeConfig>,
}

impl Consumed {
    pub(crate) fn new(amqp: Amqp, config: ConsumeConfig) -> Self {
        Self { amqp, config: Arc::new(config) }
    }
}

impl Publisher for Consumed {
    type Item = Item;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { amqp, config } = self;
        let worker = amqp.scheduler().worker();
        fetch_into(downstream, worker, |_| {
            let outlet = Arc::new(Outlet::default());
            {
                let mut outlets = amqp.0.outlets.lock();
                outlets.retain(|outlet| outlet.strong_count() > 0);
                outlets.push(Arc::downgrade(&outlet));
            }
            let runtime = amqp.0.runtime.clone();
            runtime.spawn(driver::drive(amqp.0, config, Arc::clone(&outlet)));
            Source(outlet)
        });
    }
}

impl Backpressure for Consumed {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        u64::from(self.config.max_prefetch)
    }
}

impl Bounded for Consumed {}

impl std::fmt::Debug for Consumed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumed").field("config", &self.config).finish_non_exhaustive()
    }
}

struct Source(Arc<Outlet>);

impl Fetch for Source {
    type Item = Item;

    fn poll_next(&mut self, cx: &mut Context<'_>, wanted: u64) -> Poll<Result<Item, Error>> {
        self.0.poll_next(cx, wanted)
    }
}

impl Drop for Source {
    /// What the broker has sent and nobody has seen is given back.
    fn drop(&mut self) {
        drop(self.0.cancel());
    }
}
