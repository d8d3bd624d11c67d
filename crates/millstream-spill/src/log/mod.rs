//! The queue itself, without threads: whoever calls does the work.
//!
//! # Locks
//!
//! Taken in this order: `receiver`, `writer`, `cursor`, `moving`, the lock of the file that is
//! synced, `state`. `state` is held for a few instructions, and never while a file is touched or
//! anybody is woken.
//!
//! # Invariants
//!
//! 1. `cursor <= position <= safe <= next` (see [`State`]).
//! 2. Items from `safe` to `next` stand in the segment that is written, and nowhere else: before
//!    the next segment is begun, all of the one before is safe.
//! 3. A file of which one sync failed is not written again, and no other sync of it counts.
//! 4. An item is received only if it is safe.
//! 5. A segment's items end where the next segment begins: records behind that were withdrawn.

mod append;
mod commit;
pub(crate) mod cursor;
mod read;
pub(crate) mod recover;
pub(crate) mod segment;
pub(crate) mod state;
mod tiers;

use std::{any::Any, sync::Arc};

use millstream::scheduler::Worker;
use parking_lot::{Condvar, Mutex};

pub(crate) use append::{Appended, Due};
pub use read::Entry;
pub(crate) use read::ReadHalf;
pub use recover::{Damage, Recovered};

use self::{append::Writer, state::State};
use crate::{Codec, Config, Durability, Snapshot, SpillError, storage::Storage, tier::Tier};

/// Everything that the ends of a queue share.
pub(crate) struct Log<C: Codec> {
    storage: Arc<dyn Storage>,
    tier: Option<Arc<dyn Tier>>,
    pub(crate) config: Config,
    codec: C,
    pub(crate) clock: Worker,
    queue: u64,
    seed: u32,
    pub(crate) recovered: Recovered,
    pub(crate) receiver: Mutex<ReadHalf>,
    /// Held while the cursor is written.
    cursor: Mutex<()>,
    /// Held while a segment goes to the tier or comes back.
    moving: Mutex<()>,
    writer: Mutex<Writer>,
    pub(crate) state: Mutex<State>,
    /// Told when there are items, or room, or an end is gone.
    pub(crate) changed: Condvar,
    /// The lock of the directory, until the last end is gone.
    held: Mutex<Option<Box<dyn Any + Send + Sync>>>,
}

impl<C: Codec> Log<C> {
    /// Opens the directory, repairs its tail, and finds what is in it.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        tier: Option<Arc<dyn Tier>>,
        config: Config,
        codec: C,
        clock: Worker,
    ) -> Result<Self, SpillError> {
        config.validate()?;
        if tier.is_some() && config.max_bytes < config.segment_bytes.saturating_mul(4) {
            return Err(SpillError::Config(
                "with a tier, max_bytes has to be four segments: two at the ends, one on its way \
                 out, and one that comes back",
            ));
        }
        let held = storage.lock().map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => SpillError::Locked,
            _ => SpillError::io("lock", crate::format::LOCK_FILE)(error),
        })?;
        let found = recover::recover(&*storage, tier.as_deref(), &config)?;
        let mut state = found.state;
        state.times.begin(state.position, state.safe, clock.now());
        Ok(Self {
            seed: crate::format::seed(found.queue),
            queue: found.queue,
            recovered: found.report,
            receiver: Mutex::new(ReadHalf::new(state.position)),
            cursor: Mutex::new(()),
            moving: Mutex::new(()),
            writer: Mutex::new(Writer::new(state.next)),
            state: Mutex::new(state),
            changed: Condvar::new(),
            held: Mutex::new(Some(held)),
            storage,
            tier,
            config,
            codec,
            clock,
        })
    }

    /// Whether items are safe only when they were synced.
    fn is_synced(&self) -> bool {
        is_synced(&self.config)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let (position, end) = (state.position, state.next);
        let (oldest_age, drain_rate, time_spilling) = state.times.read(position, end, now);
        Snapshot {
            counts: state.counts,
            depth: state.safe - state.position,
            unsafe_items: state.next - state.safe,
            unacknowledged: state.position - state.cursor,
            bytes: state.directory_bytes,
            tier_bytes: state.tier_bytes,
            segments: state.segments.len(),
            oldest_age,
            drain_rate,
            time_spilling,
        }
    }

    /// The sequence of the next item to be appended.
    pub(crate) fn next(&self) -> u64 {
        self.state.lock().next
    }

    /// How many items are safe and wait to be received.
    pub(crate) fn depth(&self) -> u64 {
        let state = self.state.lock();
        state.safe - state.position
    }

    /// There is room, or an end is gone: whoever waits looks again.
    pub(crate) fn announce_room(&self) {
        let wakers = {
            let mut state = self.state.lock();
            state.n_room += 1;
            std::mem::take(&mut state.room)
        };
        self.changed.notify_all();
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

fn is_synced(config: &Config) -> bool {
    config.durability != Durability::Process
}
