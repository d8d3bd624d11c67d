//! Reading one segment, record by record.

use std::sync::Arc;

use crate::{
    SpillError,
    format::{self, HEADER, Header, NoHeader, Parsed, RECORD_HEADER},
    storage::{Storage, StorageFile},
};

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// Reads the records of a segment in order, from its beginning.
pub(crate) struct SegmentReader {
    file: Arc<dyn StorageFile>,
    name: String,
    seed: u32,
    /// Where the next record begins in the file.
    offset: u64,
    /// What is not read, at the most.
    limit: u64,
    /// The sequence of the next record.
    next: u64,
    /// Bytes of the file from `start` to `end`; the others are room for more.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// What stands next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// The payload of the next record.
    Item(&'a [u8]),
    /// Items are lost up to this sequence, and nothing follows.
    Gap(u64),
    /// Nothing more.
    End,
    /// No record.
    Torn(&'static str),
}

impl SegmentReader {
    /// Opens the segment with this base.
    pub(crate) fn open(storage: &dyn Storage, queue: u64, base: u64) -> Result<Self, SpillError> {
        let name = format::segment_name(base);
        let file = storage.open(&name).map_err(SpillError::io("open", &name))?;
        let header = read_header(&*file, &name)?;
        match Header::of_segment(&header) {
            Ok(header) if header == (Header { queue, at: base }) => {}
            Ok(_) => return Err(SpillError::Foreign { file: name }),
            Err(NoHeader::Newer(found)) => return Err(SpillError::Version { file: name, found }),
            Err(NoHeader::Torn(why)) => {
                return Err(SpillError::Damaged { file: name, offset: 0, why });
            }
        }
        let limit = file.size().map_err(SpillError::io("measure", &name))?;
        Ok(Self {
            file,
            name,
            seed: format::seed(queue),
            offset: HEADER as u64,
            limit,
            next: base,
            buffer: Vec::new(),
            start: 0,
            end: 0,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the next record begins, in bytes from the file's beginning.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The sequence of the next record.
    pub(crate) fn sequence(&self) -> u64 {
        self.next
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Reads up to here; less than before is no use.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The next record, behind which the reader then stands.
    pub(crate) fn read(&mut self) -> Result<Next<'_>, SpillError> {
        loop {
            let available = self.limit.saturating_sub(self.offset);
            if available == 0 {
                return Ok(Next::End);
            }
            let bytes = &self.buffer[self.start..self.end];
            match format::parse(bytes, available, self.seed, self.next) {
                Parsed::Record(whole) => {
                    let start = self.start;
                    self.start += whole;
                    self.offset += whole as u64;
                    self.next += 1;
                    return Ok(Next::Item(&self.buffer[start + RECORD_HEADER..start + whole]));
                }
                Parsed::Gap(next) => {
                    self.offset = self.limit;
                    self.next = next;
                    return Ok(Next::Gap(next));
                }
                Parsed::Torn(why) => return Ok(Next::Torn(why)),
                Parsed::Short(needed) => {
                    // It may be shorter than it was.
                    if !self.fill(needed, available)? {
                        return Ok(Next::Torn("the file ends before its record"));
                    }
                }
            }
        }
    }

    /// Reads on until `needed` bytes are there; whether they are.
    fn fill(&mut self, needed: usize, available: u64) -> Result<bool, SpillError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let goal = ((needed.max(CHUNK) as u64).min(available) as usize).max(self.end);
        if self.buffer.len() < goal {
            self.buffer.resize(goal, 0);
        }
        let n_read = self
            .file
            .read_full_at(&mut self.buffer[self.end..goal], self.offset + self.end as u64)
            .map_err(SpillError::io("read", &self.name))?;
        self.end += n_read;
        Ok(self.end >= needed)
    }
}

/// The first bytes of a file, as many as a header has, or fewer.
pub(crate) fn read_header(file: &dyn StorageFile, name: &str) -> Result<Vec<u8>, SpillError> {
    let mut header = vec![0; HEADER];
    let n_read = file.read_full_at(&mut header, 0).map_err(SpillError::io("read", name))?;
    header.truncate(n_read);
    Ok(header)
}
