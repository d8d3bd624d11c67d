//! `DiskStore`: a durable queue as the store behind a queue in memory.

use std::fmt;

use millstream::scheduler::Scheduler;
use millstream_pressure::{SpillStore, StoreError};
use parking_lot::Mutex;

use crate::{Codec, Receiver, Sender, Snapshot, Spill, SpillError, WhenFull};

/// Items that are acknowledged together.
const BATCH: u64 = 64;

/// A durable queue as the store behind a [`Queue`](millstream_pressure::Queue) with
/// [`WhenFull::Spill`](millstream_pressure::WhenFull::Spill): memory, then the disk, then memory
/// again.
///
/// An item counts as stored when it is as safe as the [`Durability`](crate::Durability) says; its
/// producer waits for that on its own thread. Those that were taken are acknowledged in batches of
/// 64: after a crash these come again, and none that was not taken is lost. What
/// is left when the queue is dropped comes first when the directory is opened again.
///
/// # Bad input
///
/// | what | then |
/// |---|---|
/// | the directory has reached its ceiling | producers wait for room with `WhenFull::Wait`, and with `Reject` the queue gives the item back as [`SpillFull`](millstream_pressure::Reason::SpillFull) |
/// | a policy of the directory that drops | is refused: the queue could not account for it |
/// | the disk is full, or a write or sync fails | the item is given back as `SpillFull` |
/// | a read fails | the queue asks again after 100 ms, and nothing overtakes the item |
/// | the codec cannot read an item | it is counted as dropped, as `SpillFull` |
///
/// # Examples
///
/// ```
/// use millstream::scheduler::Pool;
/// use millstream_pressure::{Policy as _, Queue, QueueConfig, QueueHooks, WhenFull};
/// use millstream_spill::{Spill, codec::U64};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// let disk = Pool::named("disk", 1);
/// let config = millstream_spill::Config {
///     durability: millstream_spill::Durability::Process,
///     ..Default::default()
/// };
/// let store = Spill::at(path).config(config).store(U64, &disk)?;
///
/// let config = QueueConfig { capacity: 10, when_full: WhenFull::Spill, ..Default::default() };
/// let queue = Queue::with_hooks("orders", config, &disk, QueueHooks::new().store(store))?;
/// for order in 0..1_000 {
///     queue.try_put(order)?;
/// }
/// let snapshot = queue.snapshot();
/// assert_eq!((snapshot.items, snapshot.spilled), (10, 990));
/// for order in 0..1_000 {
///     assert_eq!(queue.try_take().map(|taken| taken.item), Some(order));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DiskStore<C: Codec> {
    sender: Sender<C>,
    taken: Mutex<Taken<C>>,
}

struct Taken<C: Codec> {
    receiver: Receiver<C>,
    /// The last that was taken, and how many are not acknowledged.
    last: Option<u64>,
    n_open: u64,
}

impl<C: Codec> Taken<C> {
    /// Acknowledges what was taken.
    fn acknowledge(&mut self) {
        // What fails is acknowledged with the next.
        if let Some(last) = self.last
            && self.n_open > 0
            && self.receiver.acknowledge_blocking(last).is_ok()
        {
            self.n_open = 0;
        }
    }
}

impl Spill {
    /// Opens the queue as the store behind a [`Queue`](millstream_pressure::Queue).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); `Config` if it would drop items by itself.
    pub fn store<C: Codec>(
        self,
        codec: C,
        disk: &impl Scheduler,
    ) -> Result<DiskStore<C>, SpillError> {
        if matches!(self.when_full(), WhenFull::DropNewest | WhenFull::DropOldest) {
            return Err(SpillError::Config(
                "a store behind a queue must not drop items by itself: use Wait or Reject",
            ));
        }
        let (sender, receiver) = self.open(codec, disk)?;
        let taken = Mutex::new(Taken { receiver, last: None, n_open: 0 });
        Ok(DiskStore { sender, taken })
    }
}

impl<C: Codec> DiskStore<C> {
    /// A consistent reading of what is on the disk.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.sender.snapshot()
    }
}

impl<C: Codec> SpillStore<C::Item> for DiskStore<C> {
    fn put(&self, item: C::Item) -> Result<(), C::Item> {
        self.sender.send_blocking(item).map(drop).map_err(|rejected| rejected.item)
    }

    fn take(&self) -> Result<C::Item, StoreError> {
        let mut taken = self.taken.lock();
        match taken.receiver.try_recv() {
            Ok(Some(entry)) => {
                // Those before this one, which is not handed over yet; with the last one there is,
                // so that those who wait for room find some.
                if taken.n_open >= BATCH || taken.receiver.depth() == 0 {
                    taken.acknowledge();
                }
                taken.last = Some(entry.sequence);
                taken.n_open += 1;
                Ok(entry.item)
            }
            // The codec could not read it, or damage was skipped.
            Ok(None) | Err(SpillError::Codec(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::Unavailable),
        }
    }

    fn len(&self) -> u64 {
        self.sender.snapshot().depth
    }
}

impl<C: Codec> Drop for DiskStore<C> {
    fn drop(&mut self) {
        self.taken.get_mut().acknowledge();
    }
}

impl<C: Codec> fmt::Debug for DiskStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStore").finish_non_exhaustive()
    }
}
