//! `dedup`: each key is worked on once.

mod memory;

use std::time::Duration;

use millstream::{Flow, Publisher, Subscriber};

pub use self::memory::{DedupConfig, DedupSnapshot, MemoryDedup};
use super::{Acknowledge, Acknowledgement, Delivery, Settlement};

/// What a store knows of a key that work is to begin on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: the work is the caller's, until its lease ends.
    New {
        /// The number of the lease.
        lease: u64,
    },
    /// Somebody works on it.
    InProgress {
        /// How long their lease lasts.
        left: Duration,
    },
    /// It was done.
    Done,
    /// The store has no place for another key.
    Full {
        /// When it may be worth another attempt.
        retry_after: Duration,
    },
}

/// Remembers which keys are worked on, and which are done.
///
/// A key is absent, in progress with a lease, or done. One that is in progress is absent again when
/// its lease ends, so that the work of a process that died is done by another. No method waits.
pub trait DedupStore<K>: Clone + Send + Sync + 'static {
    /// Work on `key` is to begin: absent → in progress.
    fn begin(&self, key: &K) -> Begun;

    /// The work is done: in progress → done, also if the lease has ended.
    fn complete(&self, key: &K, lease: u64);

    /// The work was given up: in progress → absent, unless another has begun.
    fn release(&self, key: &K, lease: u64);

    /// The work goes on: the lease begins anew, unless another has begun.
    fn extend(&self, key: &K, lease: u64);
}

/// Publisher returned by [`FlowExt::dedup`](crate::FlowExt::dedup).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Dedup<P, F, D> {
    source: P,
    key_of: F,
    store: D,
}

impl<P, F, D> Dedup<P, F, D> {
    pub(crate) const fn new(source: P, key_of: F, store: D) -> Self {
        Self { source, key_of, store }
    }
}

impl<P, F, D, K, T, A> Publisher for Dedup<P, F, D>
where
    P: Publisher<Item = Delivery<T, A>>,
    F: FnMut(&Delivery<T, A>) -> K + Send + 'static,
    D: DedupStore<K>,
    K: Send + 'static,
    T: Send + 'static,
    A: Acknowledge,
{
    type Item = Delivery<T, DedupAck<K, A, D>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, mut key_of, store } = self;
        let pass = move |delivery: Delivery<T, A>| {
            let key = key_of(&delivery);
            match store.begin(&key) {
                Begun::New { lease } => {
                    let store = store.clone();
                    Some(delivery.wrap(|_, _, inner| DedupAck { key, lease, inner, store }))
                }
                Begun::Done => {
                    delivery.ack();
                    None
                }
                Begun::InProgress { left: delay } | Begun::Full { retry_after: delay } => {
                    delivery.nack(delay);
                    None
                }
            }
        };
        Flow::from(source).filter_map(pass).subscribe(downstream);
    }
}

/// Acknowledgement of a delivery behind [`FlowExt::dedup`](crate::FlowExt::dedup).
pub struct DedupAck<K, A: Acknowledge, D> {
    key: K,
    lease: u64,
    inner: Acknowledgement<A>,
    store: D,
}

impl<K, A, D> Acknowledge for DedupAck<K, A, D>
where
    K: Send + 'static,
    A: Acknowledge,
    D: DedupStore<K>,
{
    fn settle(self, settlement: Settlement) {
        let Self { key, lease, inner, store } = self;
        // First the store: between the two, a duplicate finds the key done, or may begin.
        match settlement {
            Settlement::Ack => store.complete(&key, lease),
            // Dead letters may refuse what is rejected: then it comes again, and is rejected again.
            Settlement::Nack { .. } | Settlement::Reject { .. } => store.release(&key, lease),
        }
        inner.settle(settlement);
    }

    fn extend(&self) {
        self.store.extend(&self.key, self.lease);
        self.inner.extend();
    }
}

impl<K, A: Acknowledge, D> std::fmt::Debug for DedupAck<K, A, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DedupAck").field("lease", &self.lease).finish_non_exhaustive()
    }
}

millstream::opaque_debug!(Dedup<P, F, D>);
millstream::backpressure!(Dedup<P, F, D>, PassThrough);
