//! Room: below the ceiling, and in the tier beyond it.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use super::{Log, state::Place};
use crate::{
    Codec, SpillError, WhenFull,
    format::segment_name,
    storage::{Storage, StorageFile},
    tier::Tier,
};

impl<C: Codec> Log<C> {
    /// Sees to it that `needed` bytes fit below the ceiling.
    ///
    /// # Errors
    ///
    /// `Full`, or why nothing could be moved out of the way.
    pub(super) fn make_room(&self, needed: u64) -> Result<(), SpillError> {
        // With a tier, room for one segment is kept for what comes back from it.
        let reserved = if self.tier.is_some() { self.config.segment_bytes } else { 0 };
        let ceiling = self.config.max_bytes - reserved;
        loop {
            if self.state.lock().directory_bytes + needed <= ceiling {
                return Ok(());
            }
            if self.purge() || self.offload()? {
                continue;
            }
            if self.config.when_full != WhenFull::DropOldest || !self.drop_oldest()? {
                return Err(SpillError::Full);
            }
        }
    }

    /// Moves the segment that is received last of all to the tier; whether there was one.
    fn offload(&self) -> Result<bool, SpillError> {
        let Some(tier) = &self.tier else { return Ok(false) };
        let _held = self.moving.lock();
        let (base, bytes, place) = {
            let state = self.state.lock();
            // Not the last, whose end is known by nothing else, and not the one that is being
            // received.
            let n_sealed = state.segments.len().saturating_sub(1);
            let sealed = state.segments.iter().take(n_sealed).rev();
            let mut idle = sealed
                .filter(|segment| segment.place != Place::Tier && segment.base > state.position);
            let Some(segment) = idle.next() else { return Ok(false) };
            (segment.base, segment.bytes, segment.place)
        };
        let name = segment_name(base);
        if place == Place::Directory {
            let file = self.storage.open(&name).map_err(SpillError::io("open", &name))?;
            let mut reader = FileReader { file, offset: 0, rest: bytes };
            tier.put(&name, &mut reader).map_err(SpillError::io("put into the tier", &name))?;
        }
        let mut state = self.state.lock();
        match state.segment_with_mut(base) {
            Some(segment) => {
                segment.place = Place::Tier;
                state.directory_bytes -= bytes;
                if place == Place::Directory {
                    state.tier_bytes += bytes;
                }
                drop(state);
                drop(self.storage.remove(&name));
            }
            // It was acknowledged meanwhile.
            None => {
                drop(state);
                drop(tier.remove(&name));
            }
        }
        self.announce_room();
        Ok(true)
    }

    /// Brings the segment with this base back from the tier.
    pub(super) fn fetch(&self, base: u64) -> Result<(), SpillError> {
        let Some(tier) = &self.tier else { return Ok(()) };
        let _held = self.moving.lock();
        let is_away = {
            let state = self.state.lock();
            let segment = state.segment_with(base);
            segment.is_some_and(|segment| segment.place == Place::Tier)
        };
        if !is_away {
            return Ok(());
        }
        fetch(&*self.storage, &**tier, base)?;
        let mut state = self.state.lock();
        if let Some(segment) = state.segment_with_mut(base) {
            segment.place = Place::Both;
            let bytes = segment.bytes;
            state.directory_bytes += bytes;
        }
        Ok(())
    }
}

/// Copies a segment from the tier into the directory.
pub(super) fn fetch(storage: &dyn Storage, tier: &dyn Tier, base: u64) -> Result<(), SpillError> {
    let name = segment_name(base);
    let draft = format!("{name}.tmp");
    let copy = || {
        match storage.remove(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = FileWriter { file: storage.create(&draft)?, offset: 0 };
        tier.get(&name, &mut out)?;
        storage.rename(&draft, &name)
    };
    copy().map_err(|error| {
        drop(storage.remove(&draft));
        SpillError::io("get from the tier", &name)(error)
    })
}

/// A file as something to read from.
struct FileReader {
    file: Arc<dyn StorageFile>,
    offset: u64,
    rest: u64,
}

impl Read for FileReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
        let n = self.file.read_at(&mut bytes[..most], self.offset)?;
        self.offset += n as u64;
        self.rest -= n as u64;
        Ok(n)
    }
}

/// A file as something to write to.
struct FileWriter {
    file: Arc<dyn StorageFile>,
    offset: u64,
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write_at(bytes, self.offset)?;
        self.offset += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
