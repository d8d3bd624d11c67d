//! The tables, and what is done with them in one transaction.
//!
//! # Invariants
//!
//! 1. `DONE` and `ORDER` have the same keys: a key's number in `DONE` is where it stands in
//!    `ORDER`.
//! 2. Numbers are given in order, so that the first of `ORDER` is the key that was done first.

use std::{sync::Arc, time::Duration};

use millstream_pressure::{DedupConfig, Position};
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition, WriteTransaction,
};

use super::DedupError;
use crate::Codec;

/// The version of the tables.
const FORMAT: u64 = 1;

/// How many keys are forgotten for one that is new: more than one, so that room is made after a
/// capacity has shrunk or many have expired at a time.
const FORGOTTEN_FOR_ONE: usize = 4;

/// Session, nanoseconds into it, and number of a key.
const DONE: TableDefinition<'_, &[u8], (u64, u64, u64)> = TableDefinition::new("millstream_done");
const ORDER: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("millstream_order");
/// The offset after the last, and the number after the last of the same offset.
const POSITIONS: TableDefinition<'_, &str, (u64, u64)> =
    TableDefinition::new("millstream_positions");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("millstream_meta");

/// When a key was done, or something is looked at: in which session of the store, and how long
/// after it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) session: u64,
    pub(super) since_open: Duration,
}

impl Moment {
    fn nanos(self) -> u64 {
        u64::try_from(self.since_open.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether a key that was done then is still remembered. One of an earlier session is as if it
    /// had been done when the store was opened: no clock outlives a process.
    fn remembers(self, session: u64, nanos: u64, remember: Duration) -> bool {
        let done = if session == self.session { nanos } else { 0 };
        let age = self.nanos().saturating_sub(done);
        u128::from(age) < remember.as_nanos()
    }
}

/// Makes the tables, and begins a session.
pub(super) fn begin_session(database: &Database) -> Result<u64, DedupError> {
    let transaction = database.begin_write()?;
    let session = {
        let mut meta = transaction.open_table(META)?;
        let format = meta.get("format")?.map_or(FORMAT, |format| format.value());
        if format > FORMAT {
            return Err(DedupError::Version);
        }
        meta.insert("format", FORMAT)?;
        let session = meta.get("session")?.map_or(0, |session| session.value()) + 1;
        meta.insert("session", session)?;
        session
    };
    drop(transaction.open_table(DONE)?);
    drop(transaction.open_table(ORDER)?);
    drop(transaction.open_table(POSITIONS)?);
    transaction.commit()?;
    Ok(session)
}

/// What is in the file about a key.
pub(super) enum Known {
    Absent,
    Done,
    /// It was done so long ago that it may be done again.
    Expired,
}

pub(super) fn look(
    database: &Database,
    key: &[u8],
    now: Moment,
    remember: Duration,
) -> Result<Known, DedupError> {
    let done = database.begin_read()?.open_table(DONE)?;
    Ok(match done.get(key)?.map(|known| known.value()) {
        None => Known::Absent,
        Some((session, nanos, _)) if now.remembers(session, nanos, remember) => Known::Done,
        Some(_) => Known::Expired,
    })
}

/// Removes a key.
pub(super) fn forget(database: &Database, key: &[u8]) -> Result<(), DedupError> {
    let transaction = database.begin_write()?;
    {
        let mut done = transaction.open_table(DONE)?;
        let known = done.remove(key)?.map(|known| known.value());
        if let Some((_, _, number)) = known {
            transaction.open_table(ORDER)?.remove(number)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

pub(super) fn n_keys(database: &Database) -> Result<u64, DedupError> {
    Ok(database.begin_read()?.open_table(DONE)?.len()?)
}

pub(super) fn position(
    database: &Database,
    sequence: &str,
) -> Result<Option<Position>, DedupError> {
    let positions = database.begin_read()?.open_table(POSITIONS)?;
    let position = positions.get(sequence)?.map(|position| position.value());
    Ok(position.map(|(offset, minor)| Position { sequence: sequence.into(), offset, minor }))
}

/// A transaction in which each key is done once: its effects, its key and its position are all
/// there, or none of them is. Given by [`DiskDedup::transact`](super::DiskDedup::transact).
pub struct Once<'a, C: Codec> {
    pub(super) transaction: &'a WriteTransaction,
    pub(super) codec: &'a Arc<C>,
    pub(super) config: &'a DedupConfig,
    pub(super) now: Moment,
    pub(super) counts: Counted,
}

/// What a transaction has done, which counts once it is committed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) begun: u64,
    pub(super) duplicates: u64,
    pub(super) evicted: u64,
}

impl<C: Codec> Once<'_, C> {
    /// Returns whether `key` was not done before, and has it be done with this transaction: then
    /// the caller writes its effects, by [`transaction`](Self::transaction).
    ///
    /// # Errors
    ///
    /// The codec or the database failed. The transaction is to be given up, with this error.
    pub fn is_new(&mut self, key: &C::Item) -> Result<bool, DedupError> {
        let key = super::encode(&**self.codec, key)?;
        let is_new = self.insert(&key)?;
        if is_new {
            self.counts.begun += 1;
        } else {
            self.counts.duplicates += 1;
        }
        Ok(is_new)
    }

    /// The position of a sequence up to which everything was done, to begin there after a restart.
    /// It never moves back, as it would with items that are delivered again: a sequence that begins
    /// anew needs another name.
    ///
    /// # Errors
    ///
    /// The database failed. The transaction is to be given up, with this error.
    pub fn set_position(&mut self, position: &Position) -> Result<(), DedupError> {
        let mut positions = self.transaction.open_table(POSITIONS)?;
        let before = positions.get(&*position.sequence)?.map(|before| before.value());
        let position_now = (position.offset, position.minor);
        if before.is_none_or(|before| position_now > before) {
            positions.insert(&*position.sequence, position_now)?;
        }
        Ok(())
    }

    /// The transaction of the database, for effects in tables of one's own. Their names begin with
    /// anything but `millstream_`.
    #[must_use]
    pub const fn transaction(&self) -> &WriteTransaction {
        self.transaction
    }

    /// Has a key be done now. Returns whether it was not before.
    pub(super) fn insert(&mut self, key: &[u8]) -> Result<bool, DedupError> {
        let DedupConfig { capacity, remember, .. } = *self.config;
        let mut done = self.transaction.open_table(DONE)?;
        let mut order = self.transaction.open_table(ORDER)?;
        let known = done.get(key)?.map(|known| known.value());
        if let Some((session, nanos, number)) = known {
            if self.now.remembers(session, nanos, remember) {
                return Ok(false);
            }
            order.remove(number)?;
        }
        let number = order.last()?.map_or(0, |(number, _)| number.value() + 1);
        done.insert(key, (self.now.session, self.now.nanos(), number))?;
        order.insert(number, key)?;
        for _ in 0..FORGOTTEN_FOR_ONE {
            let is_full = done.len()? > capacity as u64;
            let Some((first, oldest)) =
                order.first()?.map(|(n, key)| (n.value(), key.value().to_vec()))
            else {
                break;
            };
            let known = done.get(&*oldest)?.map(|known| known.value());
            let is_remembered = known
                .is_some_and(|(session, nanos, _)| self.now.remembers(session, nanos, remember));
            if is_remembered && !is_full {
                break;
            }
            self.counts.evicted += u64::from(is_remembered);
            order.remove(first)?;
            done.remove(&*oldest)?;
        }
        Ok(true)
    }
}

impl<C: Codec> std::fmt::Debug for Once<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").field("counts", &self.counts).finish_non_exhaustive()
    }
}
