//! Looks at the directory of a queue, checks it and repairs it.
//!
//! [`ls`], [`verify`] and [`dump`] change nothing and take no lock, so that they can look at a
//! queue that is in use; what is being written at that moment then looks like a torn tail.
//! [`repair`] takes the lock.
//!
//! # Examples
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use millstream::scheduler::Pool;
//! use millstream_spill::{Spill, codec::Text, storage::Disk, tool};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path();
//! let (sender, _receiver) = Spill::at(path).open(Text, &Pool::new(1))?;
//! sender.send_blocking("a".to_owned())?;
//!
//! let listing = tool::ls(&Disk::new(path), None)?;
//! assert_eq!(listing.segments.len(), 1);
//! assert!(tool::verify(&Disk::new(path), None)?.is_sound());
//!
//! let mut items = Vec::new();
//! tool::dump(&Disk::new(path), |sequence, payload| {
//!     items.push((sequence, payload.to_vec()));
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(items, [(0, b"a".to_vec())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod repair;

use std::ops::ControlFlow;

pub use repair::{Repaired, repair};

use crate::{
    Damage, SpillError,
    format::{HEADER, Header, segment_name},
    log::{
        recover::{Candidate, Read, candidates, queue_of, read_cursor, read_segment},
        segment::{Next, SegmentReader},
        state::Place,
    },
    storage::Storage,
    tier::Tier,
};

/// The files of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The number that all files of the queue have; `None` if none can be read.
    pub queue: Option<u64>,
    /// The first item that is not acknowledged; `None` without a cursor, or if it is damaged.
    pub cursor: Option<u64>,
    /// Oldest first.
    pub segments: Vec<SegmentInfo>,
}

/// A segment's file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentInfo {
    /// The file's name.
    pub file: String,
    /// Its first item.
    pub base: u64,
    /// Its size.
    pub bytes: u64,
    /// Whether it is in the tier alone.
    pub is_away: bool,
}

/// What [`verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Items that can be read, and that are not acknowledged.
    pub items: u64,
    /// Bytes behind the last item, which opening cuts off.
    pub torn_bytes: u64,
    /// Items that are lost, and files that cannot be read.
    pub damaged: Vec<Damage>,
    /// Files of another queue, or of a newer version.
    pub strangers: Vec<String>,
}

impl Report {
    /// Returns whether the queue can be opened and nothing is lost.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.strangers.is_empty()
    }
}

/// The files of the queue in this directory, and in its tier.
///
/// # Errors
///
/// The directory or the tier cannot be read.
pub fn ls(storage: &dyn Storage, tier: Option<&dyn Tier>) -> Result<Listing, SpillError> {
    let found = candidates(storage, tier)?;
    let cursor = read_cursor(storage).ok().flatten();
    let queue = match cursor {
        Some(cursor) => Some(cursor.queue),
        None => queue_of(storage, &found)?,
    };
    let segments = found.into_iter().map(|Candidate { base, bytes, place }| SegmentInfo {
        file: segment_name(base),
        base,
        bytes,
        is_away: place == Place::Tier,
    });
    Ok(Listing { queue, cursor: cursor.map(|cursor| cursor.at), segments: segments.collect() })
}

/// Reads everything in the directory. What is in the tier alone is not read.
///
/// # Errors
///
/// The directory or the tier cannot be read; what is wrong with the files is in the report.
pub fn verify(storage: &dyn Storage, tier: Option<&dyn Tier>) -> Result<Report, SpillError> {
    let mut report = Report::default();
    let found = candidates(storage, tier)?;
    let cursor = match read_cursor(storage) {
        Ok(cursor) => cursor,
        Err(SpillError::Damaged { file, offset, why }) => {
            report.damaged.push(Damage { file, offset, why, from: 0, to: 0 });
            None
        }
        Err(SpillError::Version { file, .. }) => {
            report.strangers.push(file);
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    let Some(queue) = cursor.map_or_else(|| queue_of(storage, &found), |c| Ok(Some(c.queue)))?
    else {
        let lost = found.iter().map(|candidate| Damage {
            file: segment_name(candidate.base),
            offset: 0,
            why: "no file of the queue has a header",
            from: candidate.base,
            to: candidate.base,
        });
        report.damaged.extend(lost);
        return Ok(report);
    };
    let first = found.first().map_or(0, |candidate| candidate.base);
    let cursor = cursor.map_or(first, |cursor| cursor.at);
    let mut end = cursor;
    for (at, candidate) in found.iter().enumerate() {
        let limit = found.get(at + 1).map(|next| next.base);
        let Some(read) = read(storage, queue, candidate, limit, &mut report)? else { continue };
        if limit.is_some_and(|limit| limit <= cursor) {
            continue;
        }
        if candidate.base > end {
            report.damaged.push(missing(end, candidate.base));
        }
        match (read.tear, limit) {
            (Some(tear), Some(to)) => report.damaged.push(Damage { to, ..tear }),
            (Some(tear), None) if read.readable == 0 && candidate.bytes > HEADER as u64 => {
                // A header is there before the first record is: this was none.
                report.damaged.push(Damage { to: candidate.base.saturating_add(1), ..tear });
            }
            (Some(_), None) => report.torn_bytes += candidate.bytes - read.readable,
            (None, Some(to)) if read.end < to => report.damaged.push(missing(read.end, to)),
            (None, _) => {}
        }
        let n_items = read.end.saturating_sub(cursor.max(candidate.base));
        report.items = report.items.saturating_add(n_items);
        end = end.max(limit.unwrap_or(read.end));
    }
    Ok(report)
}

/// Items of which there is no trace.
fn missing(from: u64, to: u64) -> Damage {
    Damage { file: segment_name(from), offset: 0, why: "items are missing", from, to }
}

/// What can be read of a segment; `None` if it is a stranger, which is reported.
fn read(
    storage: &dyn Storage,
    queue: u64,
    candidate: &Candidate,
    limit: Option<u64>,
    report: &mut Report,
) -> Result<Option<Read>, SpillError> {
    if candidate.place == Place::Tier {
        let end = limit.unwrap_or(candidate.base);
        let readable = candidate.bytes;
        return Ok(Some(Read { end, readable, tear: None, mark: (readable, end) }));
    }
    match read_segment(storage, queue, candidate.base, limit) {
        Ok(read) => Ok(Some(read)),
        Err(SpillError::Foreign { file } | SpillError::Version { file, .. }) => {
            report.strangers.push(file);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Hands every item that can be read in the directory to `take`, oldest first, acknowledged ones
/// included, until that breaks.
///
/// # Errors
///
/// The directory cannot be read. Damage ends a segment, and is no error.
pub fn dump(
    storage: &dyn Storage,
    mut take: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> Result<(), SpillError> {
    let found = candidates(storage, None)?;
    let cursor = read_cursor(storage).ok().flatten();
    let queue = match cursor {
        Some(Header { queue, .. }) => queue,
        None => match queue_of(storage, &found)? {
            Some(queue) => queue,
            None => return Ok(()),
        },
    };
    for (at, candidate) in found.iter().enumerate() {
        let limit = found.get(at + 1).map_or(u64::MAX, |next| next.base);
        let mut reader = match SegmentReader::open(storage, queue, candidate.base) {
            Ok(reader) => reader,
            Err(error @ SpillError::Io { .. }) => return Err(error),
            Err(_) => continue,
        };
        loop {
            let sequence = reader.sequence();
            if sequence >= limit {
                break;
            }
            match reader.read()? {
                Next::Item(payload) => {
                    if take(sequence, payload).is_break() {
                        return Ok(());
                    }
                }
                Next::Gap(_) | Next::End | Next::Torn(_) => break,
            }
        }
    }
    Ok(())
}
