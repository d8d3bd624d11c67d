//! The store as `dedup` uses it: leases in memory, and keys that are done in the file.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Duration,
};

use millstream_pressure::{Begun, DedupStore};

use super::{
    DedupError, DiskDedup, Once, Shared,
    tables::{self, Counted, Known, Moment},
};
use crate::Codec;

/// When it may be worth another attempt after the database could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl<C: Codec> Shared<C> {
    fn moment(&self) -> Moment {
        Moment { session: self.session, since_open: self.clock.since(self.opened) }
    }

    fn failed(&self, error: DedupError) {
        let mut state = self.state.lock();
        state.failures += 1;
        state.last_failure = Some(error);
    }

    fn begin(&self, key: &[u8]) -> Result<Begun, DedupError> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.leases.pass_time(now);
        if let Some(end) = state.leases.end_of(key) {
            state.waits += 1;
            return Ok(Begun::InProgress { left: end.saturating_sub(now) });
        }
        // Under the lock, and a lease ends after the key is in the file: it is seen in one of them.
        let remember = state.config.remember;
        match tables::look(&self.database, key, self.moment(), remember)? {
            Known::Done => {
                state.duplicates += 1;
                return Ok(Begun::Done);
            }
            // Or it would be done again after a crash, before the work that begins now is.
            Known::Expired => tables::forget(&self.database, key)?,
            Known::Absent => {}
        }
        if state.leases.len() >= state.config.capacity {
            state.refused += 1;
            let first = state.leases.first_end().unwrap_or(now);
            return Ok(Begun::Full { retry_after: first.saturating_sub(now) });
        }
        state.begun += 1;
        let end = now.saturating_add(state.config.lease);
        Ok(Begun::New { lease: state.leases.begin(key, end) })
    }

    /// Has keys be done, in one transaction.
    fn commit(&self, keys: &[Vec<u8>]) -> Result<(), DedupError> {
        self.transact(|once| keys.iter().try_for_each(|key| once.insert(key).map(drop)))
    }

    pub(super) fn transact<T, E: From<DedupError>>(
        &self,
        work: impl FnOnce(&mut Once<'_, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        let config = self.state.lock().config.clone();
        let transaction = self.database.begin_write().map_err(DedupError::from)?;
        let mut once = Once {
            transaction: &transaction,
            codec: &self.codec,
            config: &config,
            now: self.moment(),
            counts: Counted::default(),
        };
        // A transaction that is dropped is given up; but one that a panic unwinds through leaves
        // pages behind, and the file to be repaired.
        let output = match catch_unwind(AssertUnwindSafe(|| work(&mut once))) {
            Ok(output) => output?,
            Err(panic) => {
                drop(transaction);
                resume_unwind(panic);
            }
        };
        let counts = once.counts;
        transaction.commit().map_err(DedupError::from)?;
        let mut state = self.state.lock();
        state.begun += counts.begun;
        state.duplicates += counts.duplicates;
        state.evicted += counts.evicted;
        Ok(output)
    }
}

/// A key as bytes.
pub(super) fn encode<C: Codec>(codec: &C, key: &C::Item) -> Result<Vec<u8>, DedupError> {
    let mut bytes = Vec::new();
    codec.encode(key, &mut bytes).map_err(|cause| DedupError::Codec(Arc::from(cause)))?;
    Ok(bytes)
}

impl<C: Codec> DedupStore<C::Item> for DiskDedup<C> {
    fn begin(&self, key: &C::Item) -> Begun {
        let begun = encode(&*self.0.codec, key).and_then(|key| self.0.begin(&key));
        begun.unwrap_or_else(|error| {
            self.0.failed(error);
            Begun::Full { retry_after: AFTER_FAILURE }
        })
    }

    /// Returns when the key is on the disk, or could not be written: then the failure is counted,
    /// and the key is not remembered.
    fn complete(&self, key: &C::Item, _lease: u64) {
        let shared = &self.0;
        // A codec that fails has failed before: there is no lease.
        let Ok(key) = encode(&*shared.codec, key) else { return };
        shared.group.add(key.clone(), |keys| {
            if let Err(error) = shared.commit(keys) {
                shared.failed(error);
            }
        });
        shared.state.lock().leases.forget(&key);
    }

    fn release(&self, key: &C::Item, lease: u64) {
        if let Ok(key) = encode(&*self.0.codec, key) {
            self.0.state.lock().leases.end(&key, lease);
        }
    }

    fn extend(&self, key: &C::Item, lease: u64) {
        let Ok(key) = encode(&*self.0.codec, key) else { return };
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        state.leases.pass_time(now);
        let end = now.saturating_add(state.config.lease);
        state.leases.extend(&key, lease, end);
    }
}
