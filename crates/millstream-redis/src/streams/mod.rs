//! `stream`: the deliveries of a consumer of a stream's group.

mod read;
mod source;

use std::sync::Arc;

use millstream::{
    Backpressure, BackpressureKind, Bounded, Publisher, Subscriber, scheduler::Scheduler as _,
};
use millstream_pressure::{Delivery, fetch_into};

pub use self::read::Entry;
use self::source::StreamSource;
use crate::{Redis, StreamAck, StreamConfig};

/// Publisher returned by [`Redis::stream`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Streamed {
    redis: Redis,
    config: Arc<StreamConfig>,
}

impl Streamed {
    pub(crate) fn new(redis: Redis, config: StreamConfig) -> Self {
        Self { redis, config: Arc::new(config) }
    }
}

impl Publisher for Streamed {
    type Item = Delivery<Entry, StreamAck>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let worker = self.redis.scheduler().worker();
        fetch_into(downstream, worker, |_| StreamSource::new(self.redis, self.config));
    }
}

impl Backpressure for Streamed {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        u64::from(self.config.max_batch)
    }
}

impl Bounded for Streamed {}

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streamed").field("config", &self.config).finish_non_exhaustive()
    }
}
