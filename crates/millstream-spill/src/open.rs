//! `Spill`: opens a queue.

use std::{fmt, path::Path, sync::Arc};

use millstream::scheduler::Scheduler;

use crate::{
    Codec, Config, Receiver, Sender, SpillError,
    log::Log,
    storage::{Disk, Storage},
    tier::Tier,
};

/// Where a queue is, what it promises, and what lies beyond it.
///
/// # Examples
///
/// ```
/// use millstream::scheduler::Pool;
/// use millstream_spill::{Config, Durability, Sent, Spill, codec::Text};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// let disk = Pool::named("disk", 1);
/// let config = Config { durability: Durability::Each, ..Config::default() };
///
/// let (sender, receiver) = Spill::at(path).config(config.clone()).open(Text, &disk)?;
/// assert_eq!(sender.send_blocking("safe".to_owned())?, Sent::Safe(0));
/// drop((sender, receiver));
///
/// let (sender, mut receiver) = Spill::at(path).config(config).open(Text, &disk)?;
/// let entry = receiver.recv_blocking()?.expect("it was safe");
/// assert_eq!((entry.sequence, &*entry.item), (0, "safe"));
/// receiver.acknowledge_blocking(entry.sequence)?;
/// assert_eq!(sender.snapshot().depth, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Spill {
    storage: Arc<dyn Storage>,
    tier: Option<Arc<dyn Tier>>,
    config: Config,
}

impl Spill {
    /// In this directory, which is made if it is not there.
    pub fn at(directory: impl AsRef<Path>) -> Self {
        Self::on(Disk::new(directory))
    }

    /// In a directory of one's own making, such as [`Simulated`](crate::storage::Simulated).
    pub fn on(storage: impl Storage + 'static) -> Self {
        Self { storage: Arc::new(storage), tier: None, config: Config::default() }
    }

    /// With this configuration instead of the default one.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Segments for which the directory has no room go to `tier`, and come back when they are due.
    #[must_use]
    pub fn tier(mut self, tier: impl Tier) -> Self {
        self.tier = Some(Arc::new(tier));
        self
    }

    #[cfg(feature = "queue")]
    pub(crate) fn when_full(&self) -> crate::WhenFull {
        self.config.when_full
    }

    /// Opens the queue: takes its lock, cuts off a torn tail, and reads everything that waits once.
    ///
    /// Whatever is not done by a method named `.._blocking` is done on a worker of `disk`, which is
    /// held up while the disk works: give it a pool that serves nobody else, such as
    /// `Pool::named("disk", 1)`. Times are those of its clock.
    ///
    /// # Errors
    ///
    /// `Locked` if another queue has the directory open; `Damaged` if items that were safe are
    /// lost, unless [`OnDamage`](crate::OnDamage) says otherwise; `Version`, `Foreign`, `Config`,
    /// `Io`.
    pub fn open<C: Codec>(
        self,
        codec: C,
        disk: &impl Scheduler,
    ) -> Result<(Sender<C>, Receiver<C>), SpillError> {
        let log = self.open_log(codec, disk)?;
        Ok((Sender::first(Arc::clone(&log)), Receiver::new(log)))
    }

    pub(crate) fn open_log<C: Codec>(
        self,
        codec: C,
        disk: &impl Scheduler,
    ) -> Result<Arc<Log<C>>, SpillError> {
        let Self { storage, tier, config } = self;
        Ok(Arc::new(Log::open(storage, tier, config, codec, disk.worker())?))
    }
}

impl fmt::Debug for Spill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spill")
            .field("storage", &self.storage)
            .field("tier", &self.tier)
            .field("config", &self.config)
            .finish()
    }
}
