//! The cursor: what the receiver is done with, and the segments that it makes superfluous.

use std::io;

use super::{Log, state::Place, state::Segment};
use crate::{
    Codec, SpillError,
    format::{CURSOR_DRAFT, CURSOR_FILE, Header, segment_name},
    storage::Storage,
};

impl<C: Codec> Log<C> {
    /// Everything before `next` that was received is done with: returns when that is written, and
    /// removes the segments that nobody needs any more.
    ///
    /// # Errors
    ///
    /// Items that are done with may be received again when the queue is opened again.
    pub(crate) fn acknowledge(&self, next: u64) -> Result<(), SpillError> {
        let held = self.cursor.lock();
        let next = {
            let state = self.state.lock();
            if next <= state.cursor {
                return Ok(());
            }
            next.min(state.position)
        };
        self.write_cursor(next)?;
        let removed = {
            let mut state = self.state.lock();
            state.cursor = state.cursor.max(next);
            self.take_consumed(&mut state)
        };
        drop(held);
        self.remove(&removed);
        Ok(())
    }

    /// Removes the segments before the cursor; whether there were any.
    pub(super) fn purge(&self) -> bool {
        let removed = self.take_consumed(&mut self.state.lock());
        self.remove(&removed);
        !removed.is_empty()
    }

    /// Takes the oldest segment out, if it is not the one that is written, and counts its items as
    /// dropped.
    pub(super) fn drop_oldest(&self) -> Result<bool, SpillError> {
        let _held = self.cursor.lock();
        let end = {
            let state = self.state.lock();
            match state.segments.front() {
                Some(oldest) if state.segments.len() > 1 => oldest.end,
                _ => return Ok(false),
            }
        };
        // Before the items are gone, or opening would miss them.
        self.write_cursor(end)?;
        let removed = {
            let mut state = self.state.lock();
            state.counts.dropped_oldest += end.saturating_sub(state.position);
            state.position = state.position.max(end);
            state.cursor = state.cursor.max(end);
            self.take_consumed(&mut state)
        };
        self.remove(&removed);
        Ok(true)
    }

    fn write_cursor(&self, next: u64) -> Result<(), SpillError> {
        let header = Header { queue: self.queue, at: next };
        write_cursor(&*self.storage, header, self.is_synced())
            .map_err(|error| self.maybe_removed("write", CURSOR_FILE, error))
    }

    /// An error of the directory, or that it is gone.
    pub(super) fn maybe_removed(
        &self,
        doing: &'static str,
        name: &str,
        error: io::Error,
    ) -> SpillError {
        if error.kind() == io::ErrorKind::NotFound {
            return SpillError::Removed { file: name.to_owned() };
        }
        SpillError::io(doing, name)(error)
    }

    fn take_consumed(&self, state: &mut super::State) -> Vec<Segment> {
        let mut removed = Vec::new();
        // The last one may be the one that is written.
        while state.segments.len() > 1
            && state.segments[0].end <= state.cursor
            && state.segments[1].base <= state.cursor
        {
            let Some(segment) = state.segments.pop_front() else { break };
            if segment.place != Place::Tier {
                state.directory_bytes -= segment.bytes;
            }
            if segment.place != Place::Directory {
                state.tier_bytes -= segment.bytes;
            }
            removed.push(segment);
        }
        removed
    }

    fn remove(&self, segments: &[Segment]) {
        for segment in segments {
            let name = segment_name(segment.base);
            // What stays is before the cursor, and removed when the queue is opened again.
            if segment.place != Place::Tier {
                drop(self.storage.remove(&name));
            }
            if let (Some(tier), Place::Tier | Place::Both) = (&self.tier, segment.place) {
                drop(tier.remove(&name));
            }
        }
        if !segments.is_empty() {
            self.announce_room();
        }
    }
}

/// Writes the cursor beside the one that is there, which it then replaces.
pub(crate) fn write_cursor(
    storage: &dyn Storage,
    header: Header,
    is_synced: bool,
) -> io::Result<()> {
    let file = match storage.create(CURSOR_DRAFT) {
        // Of a time before, that did not get as far as being renamed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            storage.remove(CURSOR_DRAFT)?;
            storage.create(CURSOR_DRAFT)?
        }
        result => result?,
    };
    file.write_all_at(&header.to_cursor(), 0)?;
    if is_synced {
        file.sync()?;
    }
    storage.rename(CURSOR_DRAFT, CURSOR_FILE)?;
    if is_synced { storage.sync_names() } else { Ok(()) }
}
