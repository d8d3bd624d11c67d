//! Appending: from an item to bytes in the segment that is written.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use millstream_kernel::{guard, oneshot};
use parking_lot::{Mutex, MutexGuard};

use super::{
    Log,
    state::{Place, Segment, Verdict, Waiting},
};
use crate::{
    Codec, Durability, SpillError, WhenFull,
    format::{HEADER, Header, RECORD_HEADER, finish_record, segment_name},
    storage::StorageFile,
};

/// The end that writes.
pub(crate) struct Writer {
    /// The segment that is written; the next item begins one if there is none.
    active: Option<Active>,
    /// Whole records that are not in the file yet.
    buffer: Vec<u8>,
    /// The record that is being made.
    record: Vec<u8>,
    /// The sequence of the next item.
    next: u64,
    /// Writes since the file was last seen to have a name.
    n_writes: u32,
}

/// A segment that is written.
pub(super) struct Active {
    pub(super) base: u64,
    pub(super) file: Arc<Synced>,
    /// Bytes in the file.
    pub(super) written: u64,
}

/// A file, and whether a sync of it has failed (invariant 3).
pub(super) struct Synced {
    pub(super) file: Arc<dyn StorageFile>,
    pub(super) name: String,
    pub(super) has_failed: Mutex<bool>,
}

/// What became of an item that was appended.
pub(crate) enum Appended {
    /// It is safe.
    Safe(u64),
    /// It is written, and will be safe when this says so.
    Written(u64, oneshot::Receiver<Verdict>, Due),
    /// It was dropped, since there was no room.
    Dropped,
}

/// What became of many items.
pub(crate) struct Batch {
    /// What says when those that were written are safe.
    pub(crate) wait: Option<(oneshot::Receiver<Verdict>, Due)>,
    /// The sequence of the first that was written, and how many were.
    pub(crate) first: u64,
    pub(crate) n_written: u64,
    /// Why the next was not taken.
    pub(crate) failure: Option<SpillError>,
}

/// When a commit is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    After(Duration),
    /// It is on its way.
    Scheduled,
}

/// Beyond this, what waits for a sync is handed to the operating system.
const BUFFER: usize = 64 << 10;
/// After how many writes without a sync the file is looked at for a name.
const LOOK_FOR_NAME: u32 = 256;

impl Writer {
    pub(crate) fn new(next: u64) -> Self {
        Self { active: None, buffer: Vec::new(), record: Vec::new(), next, n_writes: 0 }
    }
}

impl<C: Codec> Log<C> {
    /// Appends an item, and does not wait for room or a sync.
    ///
    /// # Errors
    ///
    /// The item is not in the queue, and is counted as rejected; but after `Full` it is not
    /// counted, where the policy is to wait, and the caller offers it again.
    pub(crate) fn append(&self, item: &C::Item) -> Result<Appended, SpillError> {
        let mut writer = self.writer.lock();
        if let Err(error) = self.place(&mut writer, item) {
            return self.refuse(error);
        }
        if self.is_synced() {
            let (receiver, due) = self.wait_for(writer.next);
            let sequence = writer.next - 1;
            if writer.buffer.len() >= BUFFER {
                // Those that wait, this one among them, are told.
                drop(self.flush(&mut writer));
            }
            return Ok(Appended::Written(sequence, receiver, due));
        }
        self.flush(&mut writer)?;
        Ok(Appended::Safe(writer.next - 1))
    }

    /// Appends items from the front until one is not taken, and removes those that are safe; those
    /// to be waited for stay until they are.
    pub(crate) fn append_all(&self, items: &mut VecDeque<C::Item>) -> Batch {
        let mut writer = self.writer.lock();
        let first = writer.next;
        let mut n_placed = 0;
        let mut failure = None;
        while let Some(item) = items.get(n_placed) {
            match self.place(&mut writer, item).or_else(|error| self.refuse(error).map(drop)) {
                // Dropped, if it was not placed.
                Ok(()) if writer.next - first == n_placed as u64 => drop(items.remove(n_placed)),
                Ok(()) => n_placed += 1,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if !self.is_synced() {
            // After a failure, those of segments that were finished before are safe.
            let flushed = self.flush(&mut writer);
            drop(items.drain(..(writer.next - first) as usize));
            return Batch { wait: None, first, n_written: 0, failure: flushed.err().or(failure) };
        }
        // If finishing a segment failed, what was not safe is withdrawn, and with it what others
        // had written.
        let n_written = writer.next.saturating_sub(first);
        let wait = (n_written > 0).then(|| self.wait_for(writer.next));
        Batch { wait, first, n_written, failure }
    }

    /// Enters somebody who waits until all before `next` is safe.
    fn wait_for(&self, next: u64) -> (oneshot::Receiver<Verdict>, Due) {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        if next <= state.safe {
            // With the segment that was finished after it.
            drop(state);
            sender.send(Ok(()));
            return (receiver, Due::Scheduled);
        }
        let due = match self.config.durability {
            Durability::Group(n, _) if next - state.safe >= u64::from(n) => Due::Now,
            _ if state.is_commit_due => Due::Scheduled,
            Durability::Group(_, time) => Due::After(time),
            Durability::Each | Durability::Process => Due::Now,
        };
        state.is_commit_due = true;
        state.waiting.push_back(Waiting { next, sender });
        (receiver, due)
    }

    /// Counts an item that was not taken, or drops it.
    fn refuse(&self, error: SpillError) -> Result<Appended, SpillError> {
        let mut state = self.state.lock();
        if matches!(error, SpillError::Full) {
            match self.config.when_full {
                WhenFull::DropNewest => {
                    state.counts.offered += 1;
                    state.counts.dropped_newest += 1;
                    return Ok(Appended::Dropped);
                }
                WhenFull::Wait => return Err(error),
                WhenFull::Reject | WhenFull::DropOldest => {}
            }
        }
        state.counts.offered += 1;
        state.counts.rejected += 1;
        Err(error)
    }

    /// Puts an item behind the others in the buffer, and begins a segment if need be.
    fn place(&self, writer: &mut Writer, item: &C::Item) -> Result<(), SpillError> {
        if writer.next == u64::MAX {
            return Err(SpillError::Exhausted);
        }
        writer.record.clear();
        writer.record.resize(RECORD_HEADER, 0);
        match guard::caught(|| self.codec.encode(item, &mut writer.record)) {
            Ok(encoded) => encoded.map_err(|error| SpillError::Codec(error.into()))?,
            Err(panic) => return Err(SpillError::Codec(Arc::new(panic))),
        }
        let (bytes, max) =
            ((writer.record.len() - RECORD_HEADER) as u64, self.config.max_item_bytes());
        if bytes > max {
            return Err(SpillError::TooLarge { bytes, max });
        }
        let record = writer.record.len() as u64;
        let fits = |active: &Active| {
            active.written + writer.buffer.len() as u64 + record <= self.config.segment_bytes
        };
        let is_new = !writer.active.as_ref().is_some_and(fits);
        if is_new {
            self.seal(writer)?;
        }
        self.make_room(record + if is_new { HEADER as u64 } else { 0 })?;
        if is_new {
            self.begin_segment(writer)?;
        }
        finish_record(&mut writer.record, self.seed, writer.next);
        writer.buffer.extend_from_slice(&writer.record);
        let sequence = writer.next;
        writer.next += 1;
        let mut state = self.state.lock();
        state.next = writer.next;
        state.counts.offered += 1;
        state.directory_bytes += record;
        if let Some(segment) = state.segments.back_mut() {
            segment.bytes += record;
        }
        state.times.appended(sequence, record, || self.clock.now());
        Ok(())
    }

    /// Hands the buffer to the operating system.
    pub(super) fn flush(&self, writer: &mut Writer) -> Result<(), SpillError> {
        let Some(active) = &mut writer.active else { return Ok(()) };
        if writer.buffer.is_empty() {
            return Ok(());
        }
        let file = &active.file;
        let mut result = file
            .file
            .write_all_at(&writer.buffer, active.written)
            .map_err(SpillError::io("write", &file.name));
        writer.n_writes += 1;
        if result.is_ok() && !self.is_synced() && writer.n_writes.is_multiple_of(LOOK_FOR_NAME) {
            result = file.check_name();
        }
        if let Err(error) = result {
            self.withdraw(writer, &error, false);
            return Err(error);
        }
        active.written += writer.buffer.len() as u64;
        writer.buffer.clear();
        if !self.is_synced() {
            let settled = self.state.lock().settle(active.base, writer.next, active.written);
            self.changed.notify_all();
            settled.tell(&Ok(()));
        }
        Ok(())
    }

    /// Makes everything in the segment that is written safe, and ends it.
    fn seal(&self, writer: &mut Writer) -> Result<(), SpillError> {
        self.flush(writer)?;
        let Some(active) = &writer.active else { return Ok(()) };
        if self.is_synced() {
            let (base, next, written) = (active.base, writer.next, active.written);
            let file = Arc::clone(&active.file);
            if let Err(error) = self.sync(&file, base, next, written, None) {
                self.withdraw(writer, &error, true);
                return Err(error);
            }
        }
        writer.active = None;
        Ok(())
    }

    fn begin_segment(&self, writer: &mut Writer) -> Result<(), SpillError> {
        let (base, name) = (writer.next, segment_name(writer.next));
        let create = || match self.storage.create(&name) {
            // What was withdrawn before could not be removed.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.storage.remove(&name)?;
                self.storage.create(&name)
            }
            result => result,
        };
        let file = create().map_err(|error| self.maybe_removed("create", &name, error))?;
        let header = Header { queue: self.queue, at: base }.to_segment();
        let write = || {
            file.write_all_at(&header, 0)?;
            if self.is_synced() {
                file.sync()?;
                self.storage.sync_names()?;
            }
            Ok(())
        };
        if let Err(error) = write() {
            // If it stays, `create` comes across it.
            drop(self.storage.remove(&name));
            return Err(SpillError::io("begin", &name)(error));
        }
        let bytes = HEADER as u64;
        let mut state = self.state.lock();
        state.directory_bytes += bytes;
        let place = Place::Directory;
        state.segments.push_back(Segment { base, end: base, readable: bytes, bytes, place });
        drop(state);
        let file = Arc::new(Synced { file, name, has_failed: Mutex::new(false) });
        writer.active = Some(Active { base, file, written: bytes });
        Ok(())
    }

    /// Takes back what is not safe: those who wait for it are told why.
    pub(super) fn withdraw(&self, writer: &mut Writer, error: &SpillError, is_sync: bool) {
        let mut state = self.state.lock();
        let n_lost = state.next - state.safe;
        state.counts.rejected += n_lost;
        state.next = state.safe;
        state.generation += 1;
        state.is_commit_due = false;
        let safe = state.safe;
        let settled = super::state::Settled {
            waiting: state.waiting.drain(..).collect(),
            wakers: Vec::new(),
        };
        let mut readable = 0;
        if writer.active.is_some()
            && let Some(segment) = state.segments.back_mut()
        {
            readable = segment.readable;
            let cut = segment.bytes - segment.readable;
            segment.bytes = segment.readable;
            state.directory_bytes -= cut;
        }
        drop(state);
        writer.next = safe;
        writer.buffer.clear();
        self.cut(writer, readable, is_sync);
        settled.tell(&Err((error.clone(), safe)));
        self.announce_room();
    }

    /// Cuts the segment that is written to what is safe, and ends it unless it can be written on
    /// (invariant 3).
    fn cut(&self, writer: &mut Writer, readable: u64, is_sync: bool) {
        let Some(mut active) = writer.active.take() else { return };
        // If that fails, the records behind are cut off by where the next segment begins (invariant
        // 5).
        let is_cut = active.file.file.set_len(readable).is_ok();
        if is_cut && !is_sync {
            active.written = readable;
            writer.active = Some(active);
        } else if active.base == writer.next {
            // Nothing in it is safe, and the next will have its name.
            drop(self.storage.remove(&active.file.name));
            let mut state = self.state.lock();
            if let Some(segment) = state.segments.pop_back() {
                state.directory_bytes -= segment.bytes;
            }
        }
    }

    /// The last end is gone: makes safe what can be, and gives the directory free.
    pub(crate) fn close(&self) {
        let mut writer = self.writer.lock();
        // Nobody is left to be told.
        drop(self.seal(&mut writer));
        writer.active = None;
        drop(self.held.lock().take());
    }

    pub(super) fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock()
    }
}

impl Writer {
    pub(super) fn active(&self) -> Option<&Active> {
        self.active.as_ref()
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }
}

impl Synced {
    /// Fails if the file has no name any more.
    pub(super) fn check_name(&self) -> Result<(), SpillError> {
        match self.file.is_linked() {
            Ok(true) => Ok(()),
            Ok(false) => Err(SpillError::Removed { file: self.name.clone() }),
            Err(error) => Err(SpillError::io("look at", &self.name)(error)),
        }
    }
}
