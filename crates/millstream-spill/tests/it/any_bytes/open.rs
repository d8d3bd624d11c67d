//! From any bytes to a directory, and what must hold of it.
//!
//! Random bytes do not get past a checksum, and what is behind it would never be tried. So the
//! first byte says how much is put right before the directory is opened: nothing, the headers, or
//! the checksums of records as well. This is written from the drawing of the format, beside the
//! code.

use std::{ops::ControlFlow, sync::LazyLock};

use millstream::scheduler::Pool;
use millstream_spill::{
    Config, Durability, OnDamage, Spill,
    codec::Bytes,
    storage::{Simulated, Storage as _},
    tool,
};

const HEADER: usize = 32;
const RECORD: usize = 16;
const QUEUE: u64 = 0x5eed;

static DISK: LazyLock<Pool> = LazyLock::new(|| Pool::named("disk", 1));

fn config(on_damage: OnDamage) -> Config {
    Config {
        segment_bytes: 4096,
        max_bytes: 1 << 20,
        durability: Durability::Process,
        on_damage,
        ..Config::default()
    }
}

/// A header as it should be.
fn header(magic: &[u8; 8], version: u16, at: u64) -> Vec<u8> {
    let mut bytes = [magic.as_slice(), &version.to_le_bytes(), &[0; 6]].concat();
    bytes.extend(QUEUE.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Puts sequences and checksums of records right, one after the other as their lengths say; also of
/// gaps, if there may be any.
fn put_right(records: &mut [u8], base: u64, with_gaps: bool) {
    let (mut at, mut sequence) = (0, base);
    while let Some(start) = records.get(at..at + RECORD) {
        let is_gap = with_gaps && start[3] >= 128;
        // Short ones: most of four random bytes are longer than a segment.
        let length = if is_gap { 8 } else { u32::from(start[0]) % 64 };
        let end = at + RECORD + length as usize;
        if end > records.len() {
            return;
        }
        let written = length | (u32::from(is_gap) << 31);
        records[at..at + 4].copy_from_slice(&written.to_le_bytes());
        records[at + 8..at + 16].copy_from_slice(&sequence.to_le_bytes());
        let crc = crc32c::crc32c(&QUEUE.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &records[at..at + 4]);
        let crc = crc32c::crc32c_append(crc, &records[at + 8..end]);
        records[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
        at = end;
        sequence = sequence.saturating_add(1);
    }
}

/// A directory of these bytes: a few segments and a cursor.
fn directory(bytes: &[u8]) -> Simulated {
    let storage = Simulated::new();
    let [mode, shape, bytes @ ..] = bytes else { return storage };
    let n_files = 1 + usize::from(shape % 4);
    let each = bytes.len().div_ceil(n_files).max(1);
    // Some queues stand before the last number there is.
    let first = if mode / 64 == 3 { u64::MAX - 12 } else { 0 };
    let mut base = first + u64::from(shape / 4 % 4);
    for part in bytes.chunks(each) {
        let mut records = part.to_vec();
        if mode % 4 >= 2 {
            put_right(&mut records, base, mode % 4 == 3);
        }
        if mode % 4 >= 1 {
            let version = if mode / 4 % 16 == 15 { 2 } else { 1 };
            records.splice(0..0, header(b"MSTSPILL", version, base));
        }
        storage.write(&format!("{base:020}.seg"), records);
        // Where the next one begins is right only by chance.
        base = base.saturating_add(1 + u64::from(part.first().copied().unwrap_or_default() % 8));
    }
    if shape & 64 != 0 {
        storage.write("cursor", header(b"MSTCURSR", 1, first + u64::from(mode / 4 % 12)));
    } else if shape & 128 != 0 {
        storage.write("cursor", bytes.get(..HEADER).unwrap_or(bytes).to_vec());
    }
    storage
}

/// Opens a directory of these bytes in every way there is.
///
/// # Panics
///
/// If something does not hold: that is found.
pub(crate) fn judge(bytes: &[u8]) {
    let storage = directory(bytes);
    let all: usize = bytes.len();
    drop(tool::ls(&storage, None));
    let sound = tool::verify(&storage, None).is_ok_and(|report| report.is_sound());
    let mut n_dumped = 0;
    drop(tool::dump(&storage, |_, _| {
        n_dumped += 1;
        ControlFlow::Continue(())
    }));
    assert!(n_dumped <= all, "it does not end: {n_dumped} of {all} bytes");
    for on_damage in [OnDamage::Refuse, OnDamage::Skip] {
        let copy = Simulated::new();
        for name in storage.names().unwrap_or_default() {
            copy.write(&name, storage.read(&name).unwrap_or_default());
        }
        receive_all(&copy, on_damage, all, sound);
    }
    if tool::repair(&storage, None).is_ok() {
        receive_all(&storage, OnDamage::Refuse, all, true);
    }
}

/// How many items there are, where damage is skipped.
pub(crate) fn n_items(bytes: &[u8]) -> usize {
    receive_all(&directory(bytes), OnDamage::Skip, bytes.len(), true)
}

/// Receives all there is: in order, of bytes that stand in the files, and it ends.
fn receive_all(storage: &Simulated, on_damage: OnDamage, all: usize, must_open: bool) -> usize {
    let files: Vec<Vec<u8>> =
        storage.names().unwrap_or_default().iter().filter_map(|name| storage.read(name)).collect();
    let opened = Spill::on(storage.clone()).config(config(on_damage)).open(Bytes, &*DISK);
    assert!(opened.is_ok() || !must_open, "it is sound or was repaired: {:?}", opened.err());
    let Ok((sender, mut receiver)) = opened else { return 0 };
    let (mut before, mut n_bytes) = (None, 0);
    for n in 0..=all {
        match receiver.try_recv() {
            Ok(Some(entry)) => {
                assert!(before < Some(entry.sequence), "out of order: {}", entry.sequence);
                before = Some(entry.sequence);
                n_bytes += entry.item.len() + RECORD;
                let stands = |file: &Vec<u8>| {
                    entry.item.is_empty()
                        || file.windows(entry.item.len()).any(|part| part == entry.item)
                };
                assert!(files.iter().any(stands), "invented: {:?}", entry.item);
                assert!(n_bytes <= all, "more items than there are bytes");
            }
            Ok(None) | Err(_) => {
                assert!(sender.snapshot().is_whole());
                return n;
            }
        }
    }
    panic!("it does not end");
}
