//! Committing: from written to safe.

use std::{io, sync::Arc};

use super::{Log, append::Synced};
use crate::{Codec, SpillError};

impl<C: Codec> Log<C> {
    /// Makes everything safe that was appended before. Concurrent calls share a sync.
    ///
    /// # Errors
    ///
    /// What was not safe is withdrawn, and those who wait for it are told.
    pub(crate) fn commit(&self) -> Result<(), SpillError> {
        let mut writer = self.lock_writer();
        let generation = {
            let mut state = self.state.lock();
            state.is_commit_due = false;
            state.generation
        };
        self.flush(&mut writer)?;
        let next = writer.next();
        let Some(active) = writer.active() else { return Ok(()) };
        let (file, base, written) = (Arc::clone(&active.file), active.base, active.written);
        drop(writer);
        let result = self.sync(&file, base, next, written, Some(generation));
        if let Err(error) = &result {
            let mut writer = self.lock_writer();
            let is_settled = {
                let state = self.state.lock();
                state.generation != generation || state.safe >= next
            };
            if !is_settled {
                self.withdraw(&mut writer, error, true);
            }
        }
        result
    }

    /// Syncs the segment with this base, and settles what is before `next`, unless that was
    /// withdrawn since `generation`.
    pub(super) fn sync(
        &self,
        file: &Synced,
        base: u64,
        next: u64,
        written: u64,
        generation: Option<u64>,
    ) -> Result<(), SpillError> {
        let mut has_failed = file.has_failed.lock();
        if self.state.lock().safe >= next {
            // By another sync, while this one waited.
            return Ok(());
        }
        // Invariant 3: what the failed sync lost would count as synced.
        if *has_failed {
            let cause = io::Error::other("an earlier sync of this file failed");
            return Err(SpillError::io("sync", &file.name)(cause));
        }
        let synced = file.file.sync().map_err(SpillError::io("sync", &file.name));
        if let Err(error) = synced.and_then(|()| file.check_name()) {
            *has_failed = true;
            return Err(error);
        }
        let mut state = self.state.lock();
        if generation.is_some_and(|generation| generation != state.generation) {
            return Ok(());
        }
        let settled = state.settle(base, next, written);
        drop(state);
        drop(has_failed);
        self.changed.notify_all();
        settled.tell(&Ok(()));
        Ok(())
    }
}
