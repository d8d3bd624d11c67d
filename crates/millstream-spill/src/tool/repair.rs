//! `repair`: a directory that cannot be opened any more.

use std::io;

use crate::{
    Damage, SpillError,
    format::{CURSOR_FILE, HEADER, Header, gap_record, seed, segment_name},
    log::{
        cursor::write_cursor,
        recover::{candidates, queue_of, read_cursor, read_segment},
        state::Place,
    },
    storage::Storage,
    tier::Tier,
};

/// What [`repair`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// What was lost, which the queue from now on says by a mark of its own.
    pub lost: Vec<Damage>,
    /// Files that were put aside, by their new names: what was cut off, and what could not be used.
    pub aside: Vec<String>,
    /// Bytes behind the last item that were cut off.
    pub torn_bytes: u64,
}

/// A segment that stays.
struct Kept {
    base: u64,
    end: u64,
    /// Where a mark would be written, and for which item.
    mark: (u64, u64),
    is_away: bool,
}

/// Keeps what can be read, and makes the directory one that can be opened: what cannot be read is
/// put aside under another name, and where items are lost, a mark says so.
///
/// Nothing is deleted. Files of another queue are put aside too.
///
/// # Errors
///
/// `Locked` if the queue is open; `Version` if a file is from a newer version, which is left alone;
/// `Io`.
pub fn repair(storage: &dyn Storage, tier: Option<&dyn Tier>) -> Result<Repaired, SpillError> {
    let _held = storage.lock().map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => SpillError::Locked,
        _ => SpillError::io("lock", "the directory")(error),
    })?;
    let mut repaired = Repaired::default();
    let found = candidates(storage, tier)?;
    let cursor = match read_cursor(storage) {
        Ok(cursor) => cursor,
        Err(SpillError::Damaged { .. }) => {
            put_aside(storage, CURSOR_FILE, &mut repaired)?;
            None
        }
        Err(error) => return Err(error),
    };
    let queue = match cursor {
        Some(cursor) => Some(cursor.queue),
        None => queue_of(storage, &found)?,
    };
    let Some(queue) = queue else {
        for candidate in &found {
            put_aside(storage, &segment_name(candidate.base), &mut repaired)?;
        }
        return Ok(repaired);
    };
    let mut kept: Vec<Kept> = Vec::new();
    for (at, candidate) in found.iter().enumerate() {
        let limit = found.get(at + 1).map(|next| next.base);
        let (base, bytes) = (candidate.base, candidate.bytes);
        if candidate.place == Place::Tier {
            let end = limit.unwrap_or(base);
            kept.push(Kept { base, end, mark: (bytes, end), is_away: true });
            continue;
        }
        let read = match read_segment(storage, queue, base, limit) {
            Ok(read) if read.readable > 0 => read,
            Ok(_) | Err(SpillError::Foreign { .. }) => {
                put_aside(storage, &segment_name(base), &mut repaired)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if read.tear.is_some() {
            cut(storage, base, read.readable, bytes, &mut repaired)?;
        }
        kept.push(Kept { base, end: read.end, mark: read.mark, is_away: false });
    }
    let first = kept.first().map_or(0, |first| first.base);
    let header = Header { queue, at: cursor.map_or(first, |cursor| cursor.at) };
    if cursor.is_none() {
        write_cursor(storage, header, true).map_err(SpillError::io("write", CURSOR_FILE))?;
    }
    mark_gaps(storage, header, &kept, &mut repaired)?;
    storage.sync_names().map_err(SpillError::io("sync", "the directory"))?;
    Ok(repaired)
}

/// Puts a mark wherever items are lost that the cursor has not passed.
fn mark_gaps(
    storage: &dyn Storage,
    cursor: Header,
    kept: &[Kept],
    repaired: &mut Repaired,
) -> Result<(), SpillError> {
    let mut before: Option<&Kept> = None;
    for segment in kept {
        // Each segment has to reach up to the next, whatever those before it say.
        let end = before.map_or(cursor.at, |before| before.end);
        if segment.base > end && segment.base > cursor.at {
            let why = "it was lost before the repair";
            let from = end.max(cursor.at);
            let file = match before.filter(|before| !before.is_away) {
                Some(Kept { base, mark: (offset, due), .. }) => {
                    mark(storage, cursor.queue, *base, *offset, *due, segment.base)?
                }
                None => mark(storage, cursor.queue, from, 0, from, segment.base)?,
            };
            repaired.lost.push(Damage { file, offset: 0, why, from, to: segment.base });
        }
        before = Some(segment);
    }
    Ok(())
}

/// Writes the mark at `offset` in the segment `base`, or as the first thing in a new one; its name.
fn mark(
    storage: &dyn Storage,
    queue: u64,
    base: u64,
    offset: u64,
    from: u64,
    to: u64,
) -> Result<String, SpillError> {
    let name = segment_name(base);
    let write = || {
        let (file, offset) = if offset == 0 {
            let file = storage.create(&name)?;
            file.write_all_at(&Header { queue, at: base }.to_segment(), 0)?;
            (file, HEADER as u64)
        } else {
            (storage.open(&name)?, offset)
        };
        file.set_len(offset)?;
        file.write_all_at(&gap_record(seed(queue), from, to), offset)?;
        file.sync()
    };
    write().map_err(SpillError::io("mark", &name))?;
    Ok(name)
}

/// Puts what stands behind `readable` into a file of its own.
fn cut(
    storage: &dyn Storage,
    base: u64,
    readable: u64,
    bytes: u64,
    repaired: &mut Repaired,
) -> Result<(), SpillError> {
    let name = segment_name(base);
    let aside = free_name(storage, &name)?;
    let cut = || {
        let file = storage.open(&name)?;
        let mut rest = vec![0; bytes.saturating_sub(readable) as usize];
        let n_read = file.read_full_at(&mut rest, readable)?;
        let copy = storage.create(&aside)?;
        copy.write_all_at(&rest[..n_read], 0)?;
        copy.sync()?;
        file.set_len(readable)?;
        file.sync()
    };
    cut().map_err(SpillError::io("cut", &name))?;
    repaired.torn_bytes += bytes.saturating_sub(readable);
    repaired.aside.push(aside);
    Ok(())
}

fn put_aside(storage: &dyn Storage, name: &str, repaired: &mut Repaired) -> Result<(), SpillError> {
    let aside = free_name(storage, name)?;
    match storage.rename(name, &aside) {
        Ok(()) => repaired.aside.push(aside),
        // In the tier alone.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(SpillError::io("rename", name)(error)),
    }
    Ok(())
}

/// A name that no earlier repair has used.
fn free_name(storage: &dyn Storage, name: &str) -> Result<String, SpillError> {
    let names = storage.names().map_err(SpillError::io("list", "the directory"))?;
    let free = (0..).map(|n| format!("{name}.damaged-{n}")).find(|name| !names.contains(name));
    free.ok_or(SpillError::Full)
}
