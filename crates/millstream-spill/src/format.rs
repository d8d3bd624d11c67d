//! The bytes of segments and cursors.
//!
//! ```text
//! segment: header, record, record, ..
//!   header   magic 8 | version u16 | 0 u16 | crc u32 | queue u64 | base u64
//!   record   length u32 | crc u32 | sequence u64 | payload
//!   gap      8 + 2^31   | crc u32 | sequence u64 | next sequence u64
//! cursor:
//!            magic 8 | version u16 | 0 u16 | crc u32 | queue u64 | sequence u64
//! ```
//!
//! Numbers have their lowest byte first. Each crc is a CRC-32C of the bytes around it; that of a
//! record begins with the queue's number, so that a record of another queue is no record of this
//! one. Sequences in a segment are consecutive and begin with its base, so that an old record that
//! stands where a new one was expected is none either. Zeros are no record, because the crc of
//! zeros is not zero. A gap stands where `repair` found that items are lost; it is the last record
//! of its segment. No record has the sequence 2^64 - 1, so that there is always one after it.

pub(crate) const HEADER: usize = 32;
pub(crate) const RECORD_HEADER: usize = 16;
pub(crate) const VERSION: u16 = 1;

const SEGMENT_MAGIC: &[u8; 8] = b"MSTSPILL";
const CURSOR_MAGIC: &[u8; 8] = b"MSTCURSR";

/// The file that holds the cursor, and the one in which it is written before it is renamed.
pub(crate) const CURSOR_FILE: &str = "cursor";
pub(crate) const CURSOR_DRAFT: &str = "cursor.tmp";
pub(crate) const LOCK_FILE: &str = "lock";

pub(crate) fn segment_name(base: u64) -> String {
    format!("{base:020}.seg")
}

/// The base in the name of a segment file; `None` for other files.
pub(crate) fn base_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let is_ours = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_ours { digits.parse().ok() } else { None }
}

/// A header: of which queue, and its base or sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) queue: u64,
    pub(crate) at: u64,
}

/// Why 32 bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// Too few bytes, or a wrong checksum.
    Torn(&'static str),
    Newer(u16),
}

impl Header {
    pub(crate) fn to_segment(self) -> [u8; HEADER] {
        self.write(SEGMENT_MAGIC)
    }

    pub(crate) fn to_cursor(self) -> [u8; HEADER] {
        self.write(CURSOR_MAGIC)
    }

    pub(crate) fn of_segment(bytes: &[u8]) -> Result<Self, NoHeader> {
        Self::read(bytes, SEGMENT_MAGIC)
    }

    pub(crate) fn of_cursor(bytes: &[u8]) -> Result<Self, NoHeader> {
        Self::read(bytes, CURSOR_MAGIC)
    }

    fn write(self, magic: &[u8; 8]) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(magic);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.queue.to_le_bytes());
        bytes[24..].copy_from_slice(&self.at.to_le_bytes());
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8], magic: &[u8; 8]) -> Result<Self, NoHeader> {
        let Some(bytes) = bytes.get(..HEADER) else {
            return Err(NoHeader::Torn("the header is incomplete"));
        };
        if &bytes[..8] != magic {
            return Err(NoHeader::Torn("the header does not begin as it should"));
        }
        if u32_at(bytes, 12) != header_crc(bytes) {
            return Err(NoHeader::Torn("the header's checksum is wrong"));
        }
        // After the checksum: a flipped bit is damage, and no newer version.
        match u16::from_le_bytes([bytes[8], bytes[9]]) {
            VERSION => Ok(Self { queue: u64_at(bytes, 16), at: u64_at(bytes, 24) }),
            found => Err(NoHeader::Newer(found)),
        }
    }
}

/// The checksum of a header, whatever stands in the place of the checksum.
fn header_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..HEADER])
}

/// With what the checksums of a queue's records begin.
pub(crate) fn seed(queue: u64) -> u32 {
    crc32c::crc32c(&queue.to_le_bytes())
}

/// In the length of a record that is none: see the drawing.
const GAP: u32 = 1 << 31;

/// The record that says that the items from `sequence` to `next` are lost.
pub(crate) fn gap_record(seed: u32, sequence: u64, next: u64) -> [u8; RECORD_HEADER + 8] {
    let mut record = [0; RECORD_HEADER + 8];
    record[..4].copy_from_slice(&(8 | GAP).to_le_bytes());
    record[8..16].copy_from_slice(&sequence.to_le_bytes());
    record[16..].copy_from_slice(&next.to_le_bytes());
    let crc = record_crc(&record, seed);
    record[4..8].copy_from_slice(&crc.to_le_bytes());
    record
}

/// Writes the header of the record whose payload follows the first [`RECORD_HEADER`] bytes.
pub(crate) fn finish_record(record: &mut [u8], seed: u32, sequence: u64) {
    // The caller has compared the payload with the segment's size, which fits.
    let length = u32::try_from(record.len() - RECORD_HEADER).unwrap_or(u32::MAX);
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[8..16].copy_from_slice(&sequence.to_le_bytes());
    let crc = record_crc(record, seed);
    record[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn record_crc(record: &[u8], seed: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(seed, &record[..4]), &record[8..])
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The expected record, of so many bytes with its header.
    Record(usize),
    /// Items are lost from here on, up to this sequence.
    Gap(u64),
    /// It may be the expected record, but so many bytes are needed to tell.
    Short(usize),
    /// Another thing than the expected record.
    Torn(&'static str),
}

/// Reads the record `sequence` at the beginning of `bytes`, of which there are `available` in the
/// file.
pub(crate) fn parse(bytes: &[u8], available: u64, seed: u32, sequence: u64) -> Parsed {
    if bytes.len() < RECORD_HEADER {
        return if available < RECORD_HEADER as u64 {
            Parsed::Torn("a record's header is incomplete")
        } else {
            Parsed::Short(RECORD_HEADER)
        };
    }
    if u64_at(bytes, 8) != sequence {
        return Parsed::Torn("a record has not the sequence that is due");
    }
    if sequence == u64::MAX {
        return Parsed::Torn("a record has a sequence that is never given out");
    }
    let length = u32_at(bytes, 0);
    let whole = u64::from(length & !GAP) + RECORD_HEADER as u64;
    if whole > available {
        return Parsed::Torn("a record is longer than its file");
    }
    let whole = whole as usize;
    if bytes.len() < whole {
        return Parsed::Short(whole);
    }
    if u32_at(bytes, 4) != record_crc(&bytes[..whole], seed) {
        return Parsed::Torn("a record's checksum is wrong");
    }
    if length & GAP == 0 {
        return Parsed::Record(whole);
    }
    match bytes[RECORD_HEADER..whole].try_into().map(u64::from_le_bytes) {
        Ok(next) if next > sequence => Parsed::Gap(next),
        _ => Parsed::Torn("a gap does not say where it ends"),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | (u64::from(u32_at(bytes, at + 4)) << 32)
}

#[cfg(test)]
mod tests {
    use super::{HEADER, Header, NoHeader, Parsed, RECORD_HEADER, finish_record, parse, seed};

    #[test]
    fn zeros_are_neither_header_nor_record() {
        assert!(matches!(Header::of_segment(&[0; HEADER]), Err(NoHeader::Torn(_))));
        let zeros = [0; RECORD_HEADER];
        assert!(matches!(parse(&zeros, 16, seed(0), 0), Parsed::Torn(_)));
    }

    #[test]
    fn a_record_of_another_queue_or_place_is_none() {
        let mut record = vec![7; RECORD_HEADER + 3];
        finish_record(&mut record, seed(1), 5);

        assert_eq!(parse(&record, 19, seed(1), 5), Parsed::Record(19));
        assert!(matches!(parse(&record, 19, seed(2), 5), Parsed::Torn(_)));
        assert!(matches!(parse(&record, 19, seed(1), 6), Parsed::Torn(_)));
        assert!(matches!(parse(&record, 18, seed(1), 5), Parsed::Torn(_)));
        assert_eq!(parse(&record[..18], 19, seed(1), 5), Parsed::Short(19));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_seen() {
        let good = Header { queue: 3, at: 9 }.to_segment();
        assert_eq!(Header::of_segment(&good), Ok(Header { queue: 3, at: 9 }));
        for bit in 0..HEADER * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Header::of_segment(&bad), Err(NoHeader::Torn(_))), "bit {bit}");
        }
    }
}
