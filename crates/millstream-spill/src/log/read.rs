//! Receiving: from the segments to items.

use std::sync::Arc;

use millstream_kernel::guard;

use super::{
    Log,
    segment::{Next, SegmentReader},
    state::Place,
};
use crate::{Codec, OnDamage, SpillError};

/// A received item, and its number: the first item of a queue has 0, and each the one after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// Its number, by which it is acknowledged.
    pub sequence: u64,
    /// The item.
    pub item: T,
}

/// The end that reads.
pub(crate) struct ReadHalf {
    reader: Option<Reading>,
    /// What is received next, unless the oldest were dropped meanwhile.
    position: u64,
}

struct Reading {
    segment: SegmentReader,
    base: u64,
    /// The sequence up to which the reader's limit goes.
    end: u64,
}

impl ReadHalf {
    pub(crate) fn new(position: u64) -> Self {
        Self { reader: None, position }
    }

    /// The sequence of the next item, unless the oldest were dropped meanwhile.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

impl<C: Codec> Log<C> {
    /// The next item that is safe, if there is one.
    ///
    /// # Errors
    ///
    /// The item cannot be read: after `Codec` it is skipped, after others it is tried again by the
    /// next call.
    pub(crate) fn read(&self, half: &mut ReadHalf) -> Result<Option<Entry<C::Item>>, SpillError> {
        loop {
            if half.reader.as_ref().is_none_or(|reading| half.position >= reading.end)
                && !self.advance(half)?
            {
                return Ok(None);
            }
            let Some(reading) = &mut half.reader else { return Ok(None) };
            let position = half.position;
            let found = reading.segment.read();
            match found {
                Ok(Next::Item(payload)) => {
                    let decoded = match guard::caught(|| self.codec.decode(payload)) {
                        Ok(decoded) => decoded.map_err(|error| SpillError::Codec(error.into())),
                        Err(panic) => Err(SpillError::Codec(Arc::new(panic))),
                    };
                    if !self.count(half, decoded.is_ok()) {
                        continue;
                    }
                    return decoded.map(|item| Some(Entry { sequence: position, item }));
                }
                Ok(Next::Gap(next)) => self.skip(half, next),
                Ok(Next::End | Next::Torn(_)) => {
                    let why = match found {
                        Ok(Next::Torn(why)) => why,
                        _ => "items are missing",
                    };
                    let (file, offset) =
                        (reading.segment.name().to_owned(), reading.segment.offset());
                    half.reader = None;
                    self.damaged(half, SpillError::Damaged { file, offset, why })?;
                }
                Err(error) => {
                    half.reader = None;
                    return Err(error);
                }
            }
        }
    }

    /// Goes back to the first item that was not acknowledged.
    pub(crate) fn rewind(&self, half: &mut ReadHalf) {
        let mut state = self.state.lock();
        let n_again = state.position - state.cursor;
        state.counts.delivered -= n_again;
        state.counts.redelivered += n_again;
        state.position = state.cursor;
        half.position = state.position;
        half.reader = None;
    }

    /// Stands `half` before the next item, in its segment, or where more of that is safe; whether
    /// there is one.
    fn advance(&self, half: &mut ReadHalf) -> Result<bool, SpillError> {
        loop {
            let state = self.state.lock();
            if half.position != state.position {
                half.position = state.position;
                half.reader = None;
            }
            let position = half.position;
            if position >= state.safe {
                return Ok(false);
            }
            let Some(segment) = state.segment_of(position).cloned() else {
                // Lost with its file; opening has said so.
                let next = state.after_gap(position);
                drop(state);
                self.skip(half, next);
                continue;
            };
            drop(state);
            if let Some(reading) = &mut half.reader
                && reading.base == segment.base
            {
                reading.end = segment.end;
                reading.segment.set_limit(segment.readable);
                return Ok(true);
            }
            half.reader = None;
            if segment.place == Place::Tier {
                self.fetch(segment.base)?;
            }
            match SegmentReader::open(&*self.storage, self.queue, segment.base) {
                Ok(reader) => {
                    let mut reading =
                        Reading { segment: reader, base: segment.base, end: segment.end };
                    reading.segment.set_limit(segment.readable);
                    self.seek(half, reading)?;
                    return Ok(true);
                }
                // It went to the tier at this moment.
                Err(SpillError::Io { cause, .. })
                    if cause.kind() == std::io::ErrorKind::NotFound
                        && self.is_elsewhere(segment.base, segment.place) => {}
                Err(error @ (SpillError::Damaged { .. } | SpillError::Foreign { .. })) => {
                    self.damaged(half, error)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn is_elsewhere(&self, base: u64, place: Place) -> bool {
        let state = self.state.lock();
        state.segment_with(base).is_none_or(|segment| segment.place != place)
    }

    /// Reads up to the position.
    fn seek(&self, half: &mut ReadHalf, mut reading: Reading) -> Result<(), SpillError> {
        while reading.segment.sequence() < half.position {
            if !matches!(reading.segment.read()?, Next::Item(_)) {
                break;
            }
        }
        half.reader = Some(reading);
        Ok(())
    }

    /// Counts the item at the position; whether it was still there, and not dropped with the
    /// oldest.
    fn count(&self, half: &mut ReadHalf, is_delivered: bool) -> bool {
        let mut state = self.state.lock();
        if state.position != half.position {
            half.position = state.position;
            half.reader = None;
            return false;
        }
        state.position += 1;
        half.position = state.position;
        if is_delivered {
            state.counts.delivered += 1;
        } else {
            state.counts.dropped_damaged += 1;
        }
        let (position, end) = (state.position, state.next);
        state.times.received(position, end, || self.clock.now());
        true
    }

    /// The rest of this segment is damaged.
    fn damaged(&self, half: &mut ReadHalf, error: SpillError) -> Result<(), SpillError> {
        if self.config.on_damage == OnDamage::Refuse {
            return Err(error);
        }
        let end = {
            let state = self.state.lock();
            state.segment_of(half.position).map_or(state.safe, |segment| segment.end)
        };
        self.skip(half, end);
        Ok(())
    }

    /// Counts the items before `next` as dropped.
    fn skip(&self, half: &mut ReadHalf, next: u64) {
        let mut state = self.state.lock();
        let next = next.min(state.safe);
        state.counts.dropped_damaged += next.saturating_sub(state.position);
        state.position = state.position.max(next);
        half.position = state.position;
        half.reader = None;
    }
}
