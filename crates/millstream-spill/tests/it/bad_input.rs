//! Directories and files that are not as they should be.

use std::{fs, io, time::Duration};

use millstream::scheduler::{Executor, Scheduled, Scheduler, Worker};
use millstream_kernel::Job;
use millstream_spill::{
    Codec, Config, Durability, OnDamage, Spill, SpillError,
    codec::{CodecError, U64},
    storage::{Disk, Fault, Operation, Simulated},
    tool,
};

use crate::{disk, drain, send_all, small};

const FIRST: &str = "00000000000000000000.seg";
const SECOND: &str = "00000000000000000005.seg";
const THIRD: &str = "00000000000000000010.seg";

/// Twelve items in three segments, closed.
fn twelve() -> Simulated {
    let storage = Simulated::new();
    let spill = Spill::on(storage.clone()).config(small(Durability::Each));
    let (sender, _receiver) = spill.open(U64, disk()).expect("it is new");
    send_all(&sender, 0..12);
    storage
}

fn open(
    storage: &Simulated,
    on_damage: OnDamage,
) -> Result<(millstream_spill::Sender<U64>, millstream_spill::Receiver<U64>), SpillError> {
    let config = Config { on_damage, ..small(Durability::Each) };
    Spill::on(storage.clone()).config(config).open(U64, disk())
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let len = twelve().read(THIRD).expect("it is there").len();
    for len in 0..len {
        let storage = twelve();
        let whole = storage.read(THIRD).expect("it is there");
        storage.write(THIRD, &whole[..len]);
        let n_left = len.saturating_sub(32) as u64 / 24;

        let (sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("no damage");
        assert_eq!(sender.recovered().items, 10 + n_left, "cut at {len}");
        // What comes next is behind what is left.
        send_all(&sender, [77]);
        let expected: Vec<u64> = (0..10 + n_left).chain([77]).collect();
        assert_eq!(drain(&mut receiver), expected);
        drop((sender, receiver));
        let (_sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("no damage");
        assert_eq!(drain(&mut receiver), expected);
    }
}

#[test]
fn a_segment_that_is_truncated_missing_or_flipped_is_refused_or_skipped() {
    type Harm = fn(&mut Vec<u8>);
    let cases: [(&str, Option<Harm>, &[u64]); 4] = [
        ("truncated", Some(|bytes| bytes.truncate(32 + 24 + 3)), &[0, 1, 2, 3, 4, 5, 10, 11]),
        ("flipped", Some(|bytes| bytes[32 + 24 * 2 + 20] ^= 1), &[0, 1, 2, 3, 4, 5, 6, 10, 11]),
        ("headless", Some(|bytes| bytes[3] ^= 1), &[0, 1, 2, 3, 4, 10, 11]),
        ("missing", None, &[0, 1, 2, 3, 4, 10, 11]),
    ];
    for (name, harm, left) in cases {
        let storage = twelve();
        let mut bytes = storage.read(SECOND).expect("it is there");
        match harm {
            Some(harm) => {
                harm(&mut bytes);
                storage.write(SECOND, bytes);
            }
            None => millstream_spill::storage::Storage::remove(&storage, SECOND).expect("there"),
        }
        let refused = open(&storage, OnDamage::Refuse).map(drop);
        let Err(SpillError::Damaged { file, .. }) = refused else { panic!("{name}: {refused:?}") };
        assert_eq!(file, SECOND);

        let (sender, mut receiver) = open(&storage, OnDamage::Skip).expect("it is skipped");
        assert_eq!(drain(&mut receiver), left, "{name}");
        let n_lost = 12 - left.len() as u64;
        let lost: u64 = sender.recovered().damaged.iter().map(|d| d.to - d.from).sum();
        assert_eq!((lost, sender.snapshot().counts.dropped_damaged), (n_lost, n_lost), "{name}");
        assert!(sender.snapshot().is_whole());
    }
}

#[test]
fn files_that_were_swapped_or_are_another_queues_are_refused() {
    let storage = twelve();
    let (first, second) = (storage.read(FIRST), storage.read(SECOND));
    storage.write(FIRST, second.expect("it is there"));
    storage.write(SECOND, first.expect("it is there"));
    assert!(matches!(open(&storage, OnDamage::Skip), Err(SpillError::Foreign { .. })));

    let storage = twelve();
    storage.write(SECOND, twelve().read(SECOND).expect("it is there"));
    assert!(matches!(open(&storage, OnDamage::Skip), Err(SpillError::Foreign { .. })));
}

#[test]
fn files_of_a_newer_version_are_refused_and_left_alone() {
    for name in [FIRST, "cursor"] {
        let storage = twelve();
        let mut bytes = storage.read(name).expect("it is there");
        bytes[8] = 2;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..32]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        storage.write(name, bytes.clone());

        let refused = open(&storage, OnDamage::Skip).map(drop);

        let Err(SpillError::Version { file, found }) = refused else { panic!("{refused:?}") };
        assert_eq!((&*file, found), (name, 2));
        assert_eq!(storage.read(name), Some(bytes));
    }
}

#[test]
fn a_cursor_ahead_of_the_data_is_where_the_queue_goes_on() {
    let storage = twelve();
    let (sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("sound");
    assert_eq!(drain(&mut receiver).len(), 12);
    receiver.acknowledge_blocking(11).expect("it can be written");
    drop((sender, receiver));
    let whole = storage.read(THIRD).expect("it is there");
    storage.write(THIRD, &whole[..whole.len() - 24]);

    let (sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("nobody misses it");
    assert_eq!((sender.recovered().cursor, sender.recovered().cursor_ahead), (12, 1));
    send_all(&sender, [70]);
    let entry = receiver.try_recv().expect("sound").expect("sent");
    assert_eq!((entry.sequence, entry.item), (12, 70));
}

#[test]
fn a_damaged_cursor_is_refused_and_a_missing_one_begins_at_the_first_segment() {
    let storage = twelve();
    let (sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("sound");
    assert_eq!(drain(&mut receiver).len(), 12);
    receiver.acknowledge_blocking(7).expect("it can be written");
    drop((sender, receiver));
    let cursor = storage.read("cursor").expect("it is there");
    storage.write("cursor", &cursor[..20]);
    assert!(matches!(open(&storage, OnDamage::Refuse), Err(SpillError::Damaged { .. })));
    let (sender, mut receiver) = open(&storage, OnDamage::Skip).expect("it is put aside");
    assert_eq!(drain(&mut receiver), (5..12).collect::<Vec<_>>());
    assert_eq!(storage.read("cursor.damaged").as_deref(), Some(&cursor[..20]));
    drop((sender, receiver));

    millstream_spill::storage::Storage::remove(&storage, "cursor").expect("it is there");
    let (_sender, mut receiver) = open(&storage, OnDamage::Refuse).expect("sound");
    assert_eq!(drain(&mut receiver), (5..12).collect::<Vec<_>>());
}

#[test]
fn one_directory_has_one_queue() {
    let directory = tempfile::tempdir().expect("a directory");
    let spill = Spill::at(directory.path());
    let ends = spill.clone().open(U64, disk()).expect("it is new");
    assert!(matches!(spill.clone().open(U64, disk()), Err(SpillError::Locked)));
    drop(ends);
    assert!(spill.open(U64, disk()).is_ok());
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    for operation in [Operation::Lock, Operation::Create, Operation::Rename] {
        let storage = Simulated::new();
        storage.fail(move |now, _| {
            (now == operation).then_some(Fault::Error(io::ErrorKind::PermissionDenied))
        });
        let refused = Spill::on(storage).open(U64, disk()).map(drop);
        let Err(SpillError::Io { cause, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(cause.kind(), io::ErrorKind::PermissionDenied);
    }
}

#[test]
fn a_path_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    assert!(matches!(Spill::at(file.path()).open(U64, disk()), Err(SpillError::Io { .. })));
}

#[test]
fn a_directory_removed_while_open_is_noticed_before_anything_counts_as_safe() {
    for durability in [Durability::Each, Durability::Group(1, Duration::from_secs(1))] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("queue");
        let config = small(durability);
        let (sender, mut receiver) =
            Spill::at(&path).config(config).open(U64, disk()).expect("it is new");
        send_all(&sender, [0]);
        fs::remove_dir_all(&path).expect("it is there");

        let refused = sender.send_blocking(1).expect_err("the file is gone");
        assert!(matches!(refused.error, SpillError::Removed { .. }), "{refused}");
        assert_eq!(refused.item, 1);
        let refused = sender.send_blocking(2).expect_err("no segment can be made");
        assert!(matches!(refused.error, SpillError::Removed { .. }), "{refused}");
        // What is read from is open.
        drop(receiver.try_recv());
        assert!(sender.snapshot().is_whole());
    }
}

#[test]
fn without_syncs_a_removed_directory_is_noticed_after_256_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("queue");
    let config = Config { durability: Durability::Process, ..Config::default() };
    let (sender, _receiver) = Spill::at(&path).config(config).open(U64, disk()).expect("it is new");
    send_all(&sender, [0]);
    fs::remove_dir_all(&path).expect("it is there");
    let refused = (1..=256).find_map(|n| sender.send_blocking(n).err()).expect("it is noticed");
    assert!(matches!(refused.error, SpillError::Removed { .. }), "{refused}");
}

/// A queue that has `left` numbers left, empty.
fn with_numbers_left(left: u64) -> Simulated {
    let storage = twelve();
    let mut cursor = storage.read("cursor").expect("it is there");
    cursor[24..32].copy_from_slice(&(u64::MAX - left).to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&cursor[..12]), &cursor[16..32]);
    cursor[12..16].copy_from_slice(&crc.to_le_bytes());
    storage.write("cursor", cursor);
    storage
}

#[test]
fn the_last_numbers_are_given_out_and_then_no_more() {
    for on_damage in [OnDamage::Refuse, OnDamage::Skip] {
        let storage = with_numbers_left(7);
        let (sender, mut receiver) = open(&storage, on_damage).expect("nobody misses the others");
        let refused = sender.send_all_blocking(0..9).expect_err("there are 7 numbers");
        assert_eq!(refused.item, [7, 8]);
        assert!(matches!(refused.error, SpillError::Exhausted), "{refused}");
        let refused = sender.send_blocking(7).expect_err("there is no number");
        assert_eq!(refused.item, 7);
        assert_eq!(drain(&mut receiver), (0..7).collect::<Vec<_>>());
        assert!(sender.snapshot().is_whole());
        receiver.acknowledge_blocking(u64::MAX - 3).expect("it can be written");
        drop((sender, receiver));

        let (sender, mut receiver) = open(&storage, on_damage).expect("sound");
        assert_eq!(sender.recovered().items, 2);
        let last = std::iter::from_fn(|| receiver.try_recv().expect("sound")).last();
        assert_eq!(last.map(|entry| (entry.sequence, entry.item)), Some((u64::MAX - 1, 6)));
        // Beyond what was received: as far as that.
        receiver.acknowledge_blocking(u64::MAX).expect("it can be written");
        assert!(sender.snapshot().is_whole());
        drop((sender, receiver));

        let (sender, mut receiver) = open(&storage, on_damage).expect("sound");
        assert_eq!(sender.recovered().items, 0);
        let refused = sender.send_blocking(8).expect_err("there is no number");
        assert!(matches!(refused.error, SpillError::Exhausted), "{refused}");
        assert!(receiver.try_recv().expect("sound").is_none());
        assert!(tool::verify(&storage, None).expect("it can be read").is_sound());
    }
}

/// A clock that goes backwards.
struct Backwards(parking_lot::Mutex<Duration>);

impl Executor for Backwards {
    fn schedule(&self, job: Job) {
        job.run();
    }
    fn schedule_after(&self, _delay: Duration, job: Job) -> Scheduled {
        job.run();
        Scheduled::over()
    }
    fn is_current(&self) -> bool {
        true
    }
    fn now(&self) -> Duration {
        let mut now = self.0.lock();
        *now = now.saturating_sub(Duration::from_secs(1));
        *now
    }
}

struct SetBack;

impl Scheduler for SetBack {
    fn worker(&self) -> Worker {
        Worker::new(Backwards(parking_lot::Mutex::new(Duration::from_secs(1000))))
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_older_than_new() {
    let spill = Spill::on(Simulated::new()).config(small(Durability::Process));
    let (sender, mut receiver) = spill.open(U64, &SetBack).expect("it is new");
    send_all(&sender, 0..100);
    assert_eq!(sender.snapshot().oldest_age, Some(Duration::ZERO));
    assert_eq!(drain(&mut receiver).len(), 100);
    let snapshot = sender.snapshot();
    assert_eq!((snapshot.time_spilling, snapshot.drain_rate), (Duration::ZERO, 0.0));
}

/// Fails at odd numbers, panics at 4.
struct Picky;

impl Codec for Picky {
    type Item = u64;

    fn encode(&self, item: &u64, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend(item.to_le_bytes());
        if *item == 100 { Err("not 100".into()) } else { Ok(()) }
    }

    fn decode(&self, bytes: &[u8]) -> Result<u64, CodecError> {
        let n = U64.decode(bytes)?;
        assert_ne!(n, 4, "not 4");
        if n % 2 == 1 { Err("odd".into()) } else { Ok(n) }
    }
}

#[test]
fn what_the_codec_cannot_do_is_said_once_and_loses_nothing_else() {
    let spill = Spill::on(Simulated::new()).config(small(Durability::Process));
    let (sender, mut receiver) = spill.open(Picky, disk()).expect("it is new");
    let refused = sender.send_all_blocking([0, 1, 100, 2]).expect_err("100 cannot be written");
    assert_eq!(refused.item, [100, 2]);
    assert!(matches!(refused.error, SpillError::Codec(_)));
    sender.send_all_blocking([2, 4, 6]).expect("these can");
    let results: Vec<_> = std::iter::from_fn(|| receiver.try_recv().transpose())
        .map(|result| result.map(|entry| entry.item).map_err(|error| error.to_string()))
        .collect();
    assert_eq!(results[0], Ok(0));
    assert_eq!(results[1], Err("the codec failed: odd".to_owned()));
    assert_eq!(results[2], Ok(2));
    assert!(results[3].as_ref().is_err_and(|error| error.contains("not 4")));
    assert_eq!(results[4..], [Ok(6)]);
    assert_eq!(sender.snapshot().counts.dropped_damaged, 2);
    assert!(sender.snapshot().is_whole());
}

#[test]
fn damage_while_the_queue_is_open_is_said_or_skipped() {
    for on_damage in [OnDamage::Refuse, OnDamage::Skip] {
        let directory = tempfile::tempdir().expect("a directory");
        let config = Config { on_damage, ..small(Durability::Each) };
        let spill = Spill::at(directory.path()).config(config);
        let (sender, mut receiver) = spill.open(U64, disk()).expect("it is new");
        send_all(&sender, 0..12);
        let second = directory.path().join(SECOND);
        let bytes = fs::read(&second).expect("it is there");
        fs::write(&second, &bytes[..80]).expect("it can be written");

        let mut items = Vec::new();
        let ended = loop {
            match receiver.try_recv() {
                Ok(Some(entry)) => items.push(entry.item),
                ended => break ended,
            }
        };
        if on_damage == OnDamage::Refuse {
            assert!(matches!(ended, Err(SpillError::Damaged { offset: 80, .. })), "{ended:?}");
            assert_eq!(items, (0..7).collect::<Vec<_>>());
        } else {
            assert_eq!(items, [0, 1, 2, 3, 4, 5, 6, 10, 11]);
        }
        assert!(sender.snapshot().is_whole());
        let _storage = Disk::new(directory.path());
    }
}
