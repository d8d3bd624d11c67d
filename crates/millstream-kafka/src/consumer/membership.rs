//! `Membership`: what transactions have to know of a consumer.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};

use super::context::Told;

/// The group's present view of a member, and whether it went on without what was passed on.
#[derive(Default)]
pub(crate) struct Membership(Mutex<State>);

#[derive(Default)]
struct State {
    client: Weak<BaseConsumer<Told>>,
    /// How often partitions went whose records were in progress.
    era: u64,
}

impl Membership {
    pub(super) fn begin(&self, client: &Arc<BaseConsumer<Told>>) {
        self.0.lock().client = Arc::downgrade(client);
    }

    /// Partitions are taken away, though records of theirs are in progress.
    pub(super) fn end_era(&self) {
        self.0.lock().era += 1;
    }

    /// Records of an earlier era may be another member's.
    pub(crate) fn era(&self) -> u64 {
        self.0.lock().era
    }

    /// By which a broker knows whether this member is up to date. `None` if it has left.
    pub(crate) fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        let client = self.0.lock().client.upgrade()?;
        client.group_metadata()
    }
}
