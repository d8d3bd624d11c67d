//! Opening: what is in a directory, and where its torn tail is cut off.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{BuildHasher, Hasher, RandomState},
    io,
};

use super::{
    cursor::write_cursor,
    is_synced,
    segment::{Next, SegmentReader},
    state::{Place, Segment, State, Times},
    tiers::fetch,
};
use crate::{
    Config, OnDamage, SpillError,
    format::{CURSOR_FILE, HEADER, Header, NoHeader, base_of, segment_name},
    stats::Counts,
    storage::Storage,
    tier::Tier,
};

/// What was found when a queue was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Items that wait to be received, lost ones included.
    pub items: u64,
    /// The first of them.
    pub cursor: u64,
    /// Bytes that a crash had left half written, or that were never safe.
    pub torn_bytes: u64,
    /// What is damaged, and skipped because of [`OnDamage::Skip`].
    pub damaged: Vec<Damage>,
    /// How far the cursor was beyond the items: those between were acknowledged and then lost, in a
    /// power failure that `Durability::Process` does not survive.
    pub cursor_ahead: u64,
}

/// Items that were safe and are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file in which they were, or should have been.
    pub file: String,
    /// Where it is damaged.
    pub offset: u64,
    /// What is wrong there.
    pub why: &'static str,
    /// The first lost item.
    pub from: u64,
    /// The first that is not lost.
    pub to: u64,
}

pub(super) struct Found {
    pub(super) queue: u64,
    pub(super) state: State,
    pub(super) report: Recovered,
}

/// Everything that is known about a segment before it is read.
pub(crate) struct Candidate {
    pub(crate) base: u64,
    pub(crate) bytes: u64,
    pub(crate) place: Place,
}

pub(super) fn recover(
    storage: &dyn Storage,
    tier: Option<&dyn Tier>,
    config: &Config,
) -> Result<Found, SpillError> {
    remove_drafts(storage)?;
    let mut candidates = candidates(storage, tier)?;
    let first = candidates.first().map(|candidate| candidate.base);
    let found = match read_cursor(storage) {
        Err(SpillError::Damaged { .. }) if config.on_damage == OnDamage::Skip => {
            let aside = format!("{CURSOR_FILE}.damaged");
            let renamed = storage.rename(CURSOR_FILE, &aside);
            renamed.map_err(SpillError::io("rename", CURSOR_FILE))?;
            None
        }
        result => result?,
    };
    let cursor = match found {
        Some(cursor) => cursor,
        None => found_queue(storage, &candidates, first.unwrap_or(0), is_synced(config))?,
    };
    let mut report = Recovered { cursor: cursor.at, ..Recovered::default() };
    remove_consumed(storage, tier, &mut candidates, cursor.at);
    let mut segments: VecDeque<Segment> = VecDeque::new();
    let mut end = cursor.at;
    for at in 0..candidates.len() {
        let Candidate { base, bytes, place } = candidates[at];
        let limit = candidates.get(at + 1).map(|next| next.base);
        let found = match (limit, place) {
            // Its items are counted by where the next begins; it is read when it comes back.
            (Some(next), Place::Tier) => {
                Read { end: next, readable: bytes, tear: None, mark: (bytes, next) }
            }
            (None, Place::Tier) => {
                if let Some(tier) = tier {
                    fetch(storage, tier, base)?;
                }
                read_segment(storage, cursor.queue, base, limit)?
            }
            _ => read_segment(storage, cursor.queue, base, limit)?,
        };
        let place = if limit.is_none() && place == Place::Tier { Place::Both } else { place };
        if base > end {
            let file = segment_name(end);
            miss(
                &mut report,
                config,
                Damage { file, offset: 0, why: "missing", from: end, to: base },
            )?;
        }
        let (Read { end: found_end, readable, tear, .. }, mut bytes) = (found, bytes);
        if let Some(tear) = tear {
            match limit {
                // What was withdrawn stands behind the last safe item.
                Some(next) if found_end >= next => {}
                Some(next) => miss(&mut report, config, Damage { to: next, ..tear })?,
                None if readable == 0 && bytes > HEADER as u64 => {
                    // A header is there before the first record is: this was none.
                    let name = segment_name(base);
                    miss(&mut report, config, Damage { to: base.saturating_add(1), ..tear })?;
                    let aside = format!("{name}.damaged");
                    storage.rename(&name, &aside).map_err(SpillError::io("rename", &name))?;
                    continue;
                }
                None => {
                    report.torn_bytes += bytes - readable.min(bytes);
                    cut_tail(storage, base, readable, found_end, config)?;
                    bytes = readable;
                }
            }
        } else if let Some(next) = limit
            && found_end < next
        {
            let (file, why) = (segment_name(found_end), "items are missing");
            let damage = Damage { file, offset: 0, why, from: found_end, to: next };
            miss(&mut report, config, damage)?;
        }
        let found_end = limit.map_or(found_end, |next| found_end.min(next));
        // What is missing before the next was reported above.
        end = limit.unwrap_or(found_end).max(end);
        if limit.is_none() && found_end <= cursor.at.max(base) {
            // Nothing in it is needed, and the next segment may have its name.
            report.cursor_ahead = cursor.at.saturating_sub(found_end);
            if place == Place::Both
                && let Some(tier) = tier
            {
                drop(tier.remove(&segment_name(base)));
            }
            remove_file(storage, base)?;
            continue;
        }
        segments.push_back(Segment { base, end: found_end, readable, bytes, place });
    }
    if is_synced(config) {
        // What follows is going to be safe: so must be what is before it.
        sync_tail(storage, segments.back())?;
    }
    let last = segments.back().map_or(cursor.at, |segment| segment.end);
    let safe = last.max(cursor.at);
    report.items = safe - cursor.at;
    let directory = |segment: &&Segment| segment.place != Place::Tier;
    let away = |segment: &&Segment| segment.place != Place::Directory;
    let state = State {
        cursor: cursor.at,
        position: cursor.at,
        safe,
        next: safe,
        generation: 0,
        waiting: VecDeque::new(),
        directory_bytes: segments.iter().filter(directory).map(|s| s.bytes).sum(),
        tier_bytes: segments.iter().filter(away).map(|s| s.bytes).sum(),
        segments,
        counts: Counts { recovered: report.items, ..Counts::default() },
        times: Times::default(),
        is_commit_due: false,
        n_senders: 1,
        is_receiver_gone: false,
        news: Vec::new(),
        n_room: 0,
        room: Vec::new(),
    };
    Ok(Found { queue: cursor.queue, state, report })
}

/// The segments in the directory and the tier, oldest first.
pub(crate) fn candidates(
    storage: &dyn Storage,
    tier: Option<&dyn Tier>,
) -> Result<Vec<Candidate>, SpillError> {
    let mut found = BTreeMap::new();
    for name in storage.names().map_err(SpillError::io("list", "the directory"))? {
        if let Some(base) = base_of(&name) {
            let file = storage.open(&name).map_err(SpillError::io("open", &name))?;
            let bytes = file.size().map_err(SpillError::io("measure", &name))?;
            found.insert(base, Candidate { base, bytes, place: Place::Directory });
        }
    }
    let Some(tier) = tier else { return Ok(found.into_values().collect()) };
    for (name, bytes) in tier.list().map_err(SpillError::io("list", "the tier"))? {
        if let Some(base) = base_of(&name) {
            found
                .entry(base)
                .and_modify(|candidate| candidate.place = Place::Both)
                .or_insert(Candidate { base, bytes, place: Place::Tier });
        }
    }
    Ok(found.into_values().collect())
}

/// Removes what was being written beside what it should replace.
fn remove_drafts(storage: &dyn Storage) -> Result<(), SpillError> {
    for name in storage.names().map_err(SpillError::io("list", "the directory"))? {
        if name.ends_with(".tmp") {
            // One that stays is in nobody's way.
            drop(storage.remove(&name));
        }
    }
    Ok(())
}

pub(crate) fn read_cursor(storage: &dyn Storage) -> Result<Option<Header>, SpillError> {
    let file = match storage.open(CURSOR_FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SpillError::io("open", CURSOR_FILE)(error)),
    };
    let bytes = super::segment::read_header(&*file, CURSOR_FILE)?;
    let file = CURSOR_FILE.to_owned();
    match Header::of_cursor(&bytes) {
        Ok(header) => Ok(Some(header)),
        Err(NoHeader::Newer(found)) => Err(SpillError::Version { file, found }),
        Err(NoHeader::Torn(why)) => Err(SpillError::Damaged { file, offset: 0, why }),
    }
}

/// A directory without a cursor: a new queue, or one whose cursor was removed, which is received
/// from its first segment on.
fn found_queue(
    storage: &dyn Storage,
    candidates: &[Candidate],
    first: u64,
    is_synced: bool,
) -> Result<Header, SpillError> {
    let queue = match queue_of(storage, candidates)? {
        Some(queue) => queue,
        None => RandomState::new().build_hasher().finish(),
    };
    let header = Header { queue, at: first };
    write_cursor(storage, header, is_synced).map_err(SpillError::io("write", CURSOR_FILE))?;
    Ok(header)
}

/// The number of the queue that these segments say they belong to, by the first that has a header.
pub(crate) fn queue_of(
    storage: &dyn Storage,
    candidates: &[Candidate],
) -> Result<Option<u64>, SpillError> {
    for candidate in candidates.iter().filter(|candidate| candidate.place != Place::Tier) {
        let name = segment_name(candidate.base);
        let file = storage.open(&name).map_err(SpillError::io("open", &name))?;
        let bytes = super::segment::read_header(&*file, &name)?;
        if let Ok(header) = Header::of_segment(&bytes) {
            return Ok(Some(header.queue));
        }
    }
    Ok(None)
}

/// Removes the segments whose items are all before the cursor, as far as their ends are known.
fn remove_consumed(
    storage: &dyn Storage,
    tier: Option<&dyn Tier>,
    candidates: &mut Vec<Candidate>,
    cursor: u64,
) {
    let n_before = candidates.windows(2).take_while(|pair| pair[1].base <= cursor).count();
    for candidate in candidates.drain(..n_before) {
        let name = segment_name(candidate.base);
        // What stays is tried again when the queue is opened the next time.
        if candidate.place != Place::Tier {
            drop(storage.remove(&name));
        }
        if let (Some(tier), Place::Tier | Place::Both) = (tier, candidate.place) {
            drop(tier.remove(&name));
        }
    }
}

/// What was read of a segment.
pub(crate) struct Read {
    /// The sequence after its last item.
    pub(crate) end: u64,
    /// The bytes of its items, with the header; 0 if there is no header.
    pub(crate) readable: u64,
    /// What follows that is no item.
    pub(crate) tear: Option<Damage>,
    /// Where a mark of lost items would be written, and for which item: behind the last one that is
    /// there, in place of a mark that says so already.
    pub(crate) mark: (u64, u64),
}

/// Reads a segment up to its end, the first thing that is no record, or the item `limit`.
pub(crate) fn read_segment(
    storage: &dyn Storage,
    queue: u64,
    base: u64,
    limit: Option<u64>,
) -> Result<Read, SpillError> {
    let tear = |file: String, offset, why, from| Some(Damage { file, offset, why, from, to: from });
    let mut reader = match SegmentReader::open(storage, queue, base) {
        Ok(reader) => reader,
        Err(SpillError::Damaged { file, offset, why }) => {
            let tear = tear(file, offset, why, base);
            return Ok(Read { end: base, readable: 0, tear, mark: (0, base) });
        }
        Err(error) => return Err(error),
    };
    loop {
        let (offset, sequence) = (reader.offset(), reader.sequence());
        let mark = (offset, sequence);
        if limit.is_some_and(|limit| sequence >= limit) {
            return Ok(Read { end: sequence, readable: offset, tear: None, mark });
        }
        match reader.read()? {
            Next::Item(_) => {}
            Next::Gap(next) => {
                let readable = reader.limit();
                return Ok(Read { end: next, readable, tear: None, mark });
            }
            Next::End => return Ok(Read { end: sequence, readable: offset, tear: None, mark }),
            Next::Torn(why) => {
                let file = reader.name().to_owned();
                let tear = tear(file, offset, why, sequence);
                return Ok(Read { end: sequence, readable: offset, tear, mark });
            }
        }
    }
}

fn miss(report: &mut Recovered, config: &Config, damage: Damage) -> Result<(), SpillError> {
    // Before the cursor nobody misses it.
    if damage.to <= report.cursor {
        return Ok(());
    }
    if config.on_damage == OnDamage::Refuse {
        let Damage { file, offset, why, .. } = damage;
        return Err(SpillError::Damaged { file, offset, why });
    }
    report.damaged.push(damage);
    Ok(())
}

fn cut_tail(
    storage: &dyn Storage,
    base: u64,
    readable: u64,
    end: u64,
    config: &Config,
) -> Result<(), SpillError> {
    if end == base {
        // It is removed as a whole.
        return Ok(());
    }
    let name = segment_name(base);
    let cut = || {
        let file = storage.open(&name)?;
        file.set_len(readable)?;
        if is_synced(config) { file.sync() } else { Ok(()) }
    };
    cut().map_err(SpillError::io("cut", &name))
}

fn sync_tail(storage: &dyn Storage, last: Option<&Segment>) -> Result<(), SpillError> {
    if let Some(segment) = last.filter(|segment| segment.place != Place::Tier) {
        let name = segment_name(segment.base);
        let file = storage.open(&name).map_err(SpillError::io("open", &name))?;
        file.sync().map_err(SpillError::io("sync", &name))?;
    }
    storage.sync_names().map_err(SpillError::io("sync", "the directory"))
}

fn remove_file(storage: &dyn Storage, base: u64) -> Result<(), SpillError> {
    let name = segment_name(base);
    storage.remove(&name).map_err(SpillError::io("remove", &name))
}
