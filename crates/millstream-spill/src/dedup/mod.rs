//! Keys that are done once, on a disk: what a [`MemoryDedup`](millstream_pressure::MemoryDedup) is
//! in memory, and effects that happen exactly once.
//!
//! Its keys outlive the process, and so a duplicate that comes after a restart is known. Effects in
//! the same file, written by [`DiskDedup::transact`], are committed together with the key: after a
//! crash both are there, or neither is.
//!
//! The file is a database of [`redb`], which is exported here.

mod error;
mod group;
mod leases;
mod store;
mod tables;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use millstream_pressure::{Clock, DedupConfig, InvalidSetting, Position, Settings as _};
use parking_lot::Mutex;
pub use redb;
use redb::{Database, StorageBackend};

pub use self::{error::DedupError, tables::Once};
use self::{group::Group, leases::Leases, store::encode};
use crate::Codec;

/// Remembers keys on a disk: a handle, whose clones are the same store.
///
/// A key is absent, in progress with a lease, or done. Those that are done are in the file, for
/// [`remember`](DedupConfig::remember) and [`capacity`](DedupConfig::capacity) of them at most;
/// those in progress are in memory, since a process that dies has none in progress any more. One
/// process has the file open at a time.
///
/// # Effects that happen once
///
/// A broker delivers again what it was not told to forget in time. Where the effect is local, such
/// as a row in a table of the same file, [`transact`](Self::transact) commits it with the key:
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::DedupConfig;
/// use millstream_spill::{
///     codec::U64,
///     dedup::{DedupError, DiskDedup, redb::{ReadableTable as _, TableDefinition}},
/// };
///
/// const TOTALS: TableDefinition<&str, u64> = TableDefinition::new("totals");
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders.redb");
/// let store = DiskDedup::open("orders", &path, U64, DedupConfig::default(), &VirtualTime::new())?;
/// for (order, amount) in [(17, 5), (18, 2), (17, 5)] {
///     store.transact(|once| {
///         if once.is_new(&order)? {
///             let mut totals = once.transaction().open_table(TOTALS)?;
///             let before = totals.get("all")?.map_or(0, |total| total.value());
///             totals.insert("all", before + amount)?;
///         }
///         Ok::<_, DedupError>(())
///     })?;
///     // Here a delivery is acknowledged. A crash before this delivers it again, to no effect.
/// }
/// assert_eq!(store.snapshot()?.duplicates, 1);
/// # use millstream_spill::dedup::redb::ReadableDatabase as _;
/// let total = store.database().begin_read()?.open_table(TOTALS)?.get("all")?;
/// assert_eq!(total.map(|total| total.value()), Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # With a flow
///
/// [`FlowExt::dedup`](millstream_pressure::FlowExt::dedup) takes it as any store. There an
/// acknowledgement returns when the key is on the disk, with those that others acknowledge
/// meanwhile: acknowledge on a thread that may wait for a disk. The effect comes before the key, so
/// that a crash between them has it twice.
///
/// # Bad input
///
/// | what | then |
/// |---|---|
/// | the file is open elsewhere | [`Locked`](DedupError::Locked); the lock ends with its process |
/// | it is no database, or damaged | [`Damaged`](DedupError::Damaged), and nothing is changed |
/// | it is from a newer version | [`Version`](DedupError::Version), and nothing is changed |
/// | the disk is full, or fails | `transact` fails, and nothing of it is there; in a flow, the key is not remembered, and [`failures`](DiskDedupSnapshot::failures) counts it |
/// | a key cannot be read | it is nacked for a second |
/// | the closure of `transact` fails or panics | nothing of it is there |
/// | there are more keys than `capacity` | those that were done first are forgotten |
///
/// No clock is compared over a restart: keys from before are as if they had been done when the
/// store was opened, and are remembered for longer rather than for less.
pub struct DiskDedup<C>(Arc<Shared<C>>);

struct Shared<C> {
    name: Box<str>,
    codec: Arc<C>,
    database: Database,
    clock: Clock,
    opened: Duration,
    session: u64,
    group: Group,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    config: DedupConfig,
    leases: Leases,
    begun: u64,
    duplicates: u64,
    waits: u64,
    evicted: u64,
    refused: u64,
    failures: u64,
    last_failure: Option<DedupError>,
}

/// What a [`DiskDedup`] holds and has done since it was opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiskDedupSnapshot {
    /// Keys in the file.
    pub keys: u64,
    /// Keys in progress.
    pub in_progress: usize,
    /// Keys that work began on.
    pub begun: u64,
    /// Duplicates of keys that were done.
    pub duplicates: u64,
    /// Duplicates of keys that were in progress.
    pub waits: u64,
    /// Keys that were forgotten before their time for want of room.
    pub evicted: u64,
    /// Leases that ended before the work did.
    pub expired: u64,
    /// Keys that found no room in progress.
    pub refused: u64,
    /// How often the database could not be read or written, other than by `transact`.
    pub failures: u64,
    /// The last of these failures.
    pub last_failure: Option<DedupError>,
}

impl<C: Codec> DiskDedup<C> {
    /// Opens the store in the file `path`, or makes it there. Leases go by the clock of
    /// `scheduler`.
    ///
    /// # Errors
    ///
    /// A setting that is not valid, or see [the table](Self#bad-input).
    pub fn open(
        name: &str,
        path: impl AsRef<Path>,
        codec: C,
        config: DedupConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, DedupError> {
        Self::with(name, Database::create(path)?, codec, config, scheduler)
    }

    /// The same in a storage of one's own, such as one that fails as a test says.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_in(
        name: &str,
        storage: impl StorageBackend,
        codec: C,
        config: DedupConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, DedupError> {
        let database = Database::builder().create_with_backend(storage)?;
        Self::with(name, database, codec, config, scheduler)
    }

    fn with(
        name: &str,
        database: Database,
        codec: C,
        config: DedupConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, DedupError> {
        config.validate().map_err(DedupError::Setting)?;
        let session = tables::begin_session(&database)?;
        let clock = Clock::of(scheduler);
        let state = Mutex::new(State { config, ..State::default() });
        let (opened, group, codec) = (clock.now(), Group::default(), Arc::new(codec));
        let name = name.into();
        Ok(Self(Arc::new(Shared { name, codec, database, clock, opened, session, group, state })))
    }

    /// The database, for tables of one's own. Their names begin with anything but `millstream_`.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The position that was set last for a sequence, to begin there.
    ///
    /// # Errors
    ///
    /// The database could not be read.
    pub fn position(&self, sequence: &str) -> Result<Option<Position>, DedupError> {
        tables::position(&self.0.database, sequence)
    }

    /// Runs `work` in one transaction, and commits it with the keys and positions that it was for.
    /// Returns when all of it is on the disk. Waits while another transaction is written.
    ///
    /// # Errors
    ///
    /// That of `work`, or of the database. Nothing of it is there then, unless the failure was in
    /// the last step of the commit: then all of it or nothing is, and the keys say which.
    pub fn transact<T, E: From<DedupError>>(
        &self,
        work: impl FnOnce(&mut Once<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.transact(work)
    }

    /// A reading of what it holds and has done.
    ///
    /// # Errors
    ///
    /// The database could not be read.
    pub fn snapshot(&self) -> Result<DiskDedupSnapshot, DedupError> {
        let keys = tables::n_keys(&self.0.database)?;
        let state = self.0.state.lock();
        let &State { begun, duplicates, waits, evicted, refused, failures, .. } = &*state;
        Ok(DiskDedupSnapshot {
            keys,
            in_progress: state.leases.len(),
            begun,
            duplicates,
            waits,
            evicted,
            expired: state.leases.n_expired,
            refused,
            failures,
            last_failure: state.last_failure.clone(),
        })
    }

    /// The present configuration.
    #[must_use]
    pub fn config(&self) -> DedupConfig {
        self.0.state.lock().config.clone()
    }

    /// Replaces the configuration. Where fewer keys may be remembered, they are forgotten as others
    /// are done.
    ///
    /// # Errors
    ///
    /// A setting that is not valid. Nothing has changed.
    pub fn reconfigure(&self, config: DedupConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl<C> Clone for DiskDedup<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for DiskDedup<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskDedup").field("name", &self.0.name).finish_non_exhaustive()
    }
}
