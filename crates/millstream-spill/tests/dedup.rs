//! Keys on a disk: done once, over restarts and faults.

#![cfg(feature = "dedup")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, and threads that meet")]

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Begun, BrokerConfig, DedupConfig, DedupStore as _, FlowExt as _, MemoryBroker, Position,
};
use millstream_spill::{
    Codec,
    codec::{CodecError, U64},
    dedup::{
        DedupError, DiskDedup,
        redb::{ReadableDatabase as _, StorageBackend, TableDefinition, backends::InMemoryBackend},
    },
};
use millstream_testkit::Probe;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const EFFECTS: TableDefinition<'_, u64, u64> = TableDefinition::new("effects");

fn config(capacity: usize) -> DedupConfig {
    DedupConfig { capacity, remember: 10 * SECOND, lease: 2 * SECOND }
}

fn open(path: &Path, capacity: usize, time: &VirtualTime) -> DiskDedup<U64> {
    DiskDedup::open("test", path, U64, config(capacity), time).unwrap()
}

fn lease_of(begun: Begun) -> u64 {
    match begun {
        Begun::New { lease } => lease,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_absent_in_progress_done_and_absent_again_also_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let time = VirtualTime::new();
    let store = open(&path, 9, &time);
    let lease = lease_of(store.begin(&1));
    assert_eq!(store.begin(&1), Begun::InProgress { left: 2 * SECOND });
    store.complete(&1, lease);
    assert_eq!(store.begin(&1), Begun::Done);
    let _in_progress = lease_of(store.begin(&2));
    time.advance(9 * SECOND);
    drop(store);

    // What is done is done; what was in progress is not. Its time begins anew.
    let store = open(&path, 9, &time);
    assert_eq!(store.begin(&1), Begun::Done);
    lease_of(store.begin(&2));
    time.advance(10 * SECOND);
    lease_of(store.begin(&1));
    let snapshot = store.snapshot().unwrap();
    // What begins anew is no longer done.
    assert_eq!((snapshot.keys, snapshot.duplicates, snapshot.expired), (0, 1, 1));
}

#[test]
fn a_lease_that_ended_changes_nothing_of_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let time = VirtualTime::new();
    let store = open(&directory.path().join("keys"), 9, &time);
    let first = lease_of(store.begin(&1));
    time.advance(SECOND);
    store.extend(&1, first);
    time.advance(SECOND + SECOND / 2);
    assert!(matches!(store.begin(&1), Begun::InProgress { .. }));
    time.advance(SECOND / 2);
    let second = lease_of(store.begin(&1));
    store.release(&1, first);
    store.extend(&1, first);
    assert_eq!(store.begin(&1), Begun::InProgress { left: 2 * SECOND });
    store.release(&1, second);
    lease_of(store.begin(&1));
    // Work that is done is done, whoever did it.
    store.complete(&1, first);
    assert_eq!(store.begin(&1), Begun::Done);
}

#[test]
fn the_file_is_bounded_in_number_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let time = VirtualTime::new();
    let store = open(&directory.path().join("keys"), 3, &time);
    let done = |key: u64| store.transact(|once| once.is_new(&key)).unwrap();
    assert!((0..5).all(done));
    assert_eq!(store.snapshot().unwrap().evicted, 2);
    assert!(done(0) && !done(4), "those that were done first are forgotten");
    time.advance(10 * SECOND);
    assert!(done(9));
    let snapshot = store.snapshot().unwrap();
    assert_eq!((snapshot.keys, snapshot.evicted), (1, 3), "what expired makes room");
    // All in progress.
    let leases: Vec<_> = (20..23).map(|key| lease_of(store.begin(&key))).collect();
    assert_eq!(store.begin(&30), Begun::Full { retry_after: 2 * SECOND });
    assert_eq!((leases.len(), store.snapshot().unwrap().refused), (3, 1));
}

#[test]
fn an_effect_its_key_and_its_position_are_there_together_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let time = VirtualTime::new();
    let store = open(&directory.path().join("keys"), 9, &time);
    let at = |offset| Position { sequence: "orders".into(), offset, minor: 0 };
    let effect = |key: u64, fails: bool| {
        store.transact(|once| {
            let is_new = once.is_new(&key)?;
            once.transaction().open_table(EFFECTS)?.insert(key, 1)?;
            once.set_position(&at(key))?;
            if fails { Err(DedupError::Version) } else { Ok(is_new) }
        })
    };
    assert!(effect(1, false).unwrap());
    assert!(effect(2, true).is_err());
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.transact(|once| {
            once.is_new(&3)?;
            assert!(once.transaction().list_tables().is_err(), "it panics here");
            Ok::<_, DedupError>(())
        })
    }));
    assert!(panics.is_err());
    assert_eq!(store.position("orders").unwrap(), Some(at(1)));
    assert_eq!(store.position("others").unwrap(), None);
    let effects = store.database().begin_read().unwrap().open_table(EFFECTS).unwrap();
    assert!(effects.get(1).unwrap().is_some() && effects.get(2).unwrap().is_none());
    assert_eq!(store.begin(&1), Begun::Done);
    assert!(effect(2, false).unwrap() && !effect(2, false).unwrap());
    lease_of(store.begin(&3));
}

#[test]
fn duplicates_of_a_flow_have_one_effect() {
    let directory = tempfile::tempdir().unwrap();
    let time = VirtualTime::new();
    let store = open(&directory.path().join("keys"), 100, &time);
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all([1, 2, 1, 3, 2, 1]);
    let probe =
        Probe::subscribe_to(broker.flow().dedup(|delivery| delivery.payload, &store).map(|item| {
            let payload = item.payload;
            item.ack();
            payload
        }));
    probe.request(10);
    assert_eq!(probe.items(), [1, 2, 3]);
    assert_eq!(broker.snapshot().acked, 6);
}

#[test]
fn threads_that_are_done_at_the_same_time_share_commits() {
    let directory = tempfile::tempdir().unwrap();
    let time = VirtualTime::new();
    let store = open(&directory.path().join("keys"), 10_000, &time);
    thread::scope(|scope| {
        for thread in 0..8_u64 {
            let store = store.clone();
            scope.spawn(move || {
                for n in 0..20 {
                    let key = thread * 1_000 + n;
                    let lease = lease_of(store.begin(&key));
                    store.complete(&key, lease);
                    assert_eq!(store.begin(&key), Begun::Done, "it returns when it is there");
                }
            });
        }
    });
    let snapshot = store.snapshot().unwrap();
    assert_eq!((snapshot.keys, snapshot.in_progress, snapshot.failures), (160, 0, 0));
}

#[test]
fn files_that_are_open_elsewhere_or_no_database_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, time) = (directory.path().join("keys"), VirtualTime::new());
    let store = open(&path, 9, &time);
    let again = || DiskDedup::open("test", &path, U64, config(9), &time);
    assert!(matches!(again(), Err(DedupError::Locked)));
    drop(store);
    let whole = std::fs::read(&path).unwrap();

    let text = b"not a database, but long enough to be read".to_vec();
    for (bytes, what) in [(text, "text"), (vec![0; 8_192], "zeros")] {
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(again(), Err(DedupError::Damaged(_))), "{what}: {:?}", again().err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what}");
    }
    std::fs::write(&path, &whole).unwrap();
    let newer = TableDefinition::<&str, u64>::new("millstream_meta");
    let store = again().unwrap();
    let transaction = store.database().begin_write().unwrap();
    transaction.open_table(newer).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(store);
    assert!(matches!(again(), Err(DedupError::Version)));
    let missing = directory.path().join("no").join("such");
    assert!(matches!(
        DiskDedup::open("test", missing, U64, config(9), &time),
        Err(DedupError::Io(_))
    ));
    let never = DedupConfig { lease: Duration::ZERO, ..config(9) };
    let other = directory.path().join("other");
    assert!(matches!(
        DiskDedup::open("test", other, U64, never, &time),
        Err(DedupError::Setting(_))
    ));
}

/// A storage in memory on whose disk there may be no room.
#[derive(Debug)]
struct MayBeFull(InMemoryBackend, Arc<AtomicBool>);

impl MayBeFull {
    fn room(&self) -> Result<(), io::Error> {
        let is_full = self.1.load(Ordering::Relaxed);
        if is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for MayBeFull {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.room()?;
        self.0.set_len(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        self.room()?;
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.room()?;
        self.0.write(offset, data)
    }
}

#[test]
fn a_full_disk_fails_the_transaction_and_is_counted_in_a_flow() {
    let is_full = Arc::new(AtomicBool::new(false));
    let (time, storage) = (VirtualTime::new(), InMemoryBackend::new());
    let storage = MayBeFull(storage, Arc::clone(&is_full));
    let store = DiskDedup::open_in("test", storage, U64, config(9), &time).unwrap();
    assert!(store.transact(|once| once.is_new(&1)).unwrap());
    let lease = lease_of(store.begin(&2));
    is_full.store(true, Ordering::Relaxed);
    assert!(matches!(store.transact(|once| once.is_new(&3)), Err(DedupError::Io(_))));
    store.complete(&2, lease);
    let failures = store.snapshot().map_or(1, |snapshot| snapshot.failures);
    assert_eq!(failures, 1);
}

/// A codec that cannot write.
struct Broken;

impl Codec for Broken {
    type Item = u64;
    fn encode(&self, _: &u64, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err("it cannot be written".into())
    }
    fn decode(&self, _: &[u8]) -> Result<u64, CodecError> {
        Err("it cannot be read".into())
    }
}

#[test]
fn a_key_that_cannot_be_written_is_not_worked_on() {
    let directory = tempfile::tempdir().unwrap();
    let (path, time) = (directory.path().join("keys"), VirtualTime::new());
    let store = DiskDedup::open("test", path, Broken, config(9), &time).unwrap();
    assert_eq!(store.begin(&1), Begun::Full { retry_after: SECOND });
    assert!(matches!(store.transact(|once| once.is_new(&1)), Err(DedupError::Codec(_))));
    assert_eq!(store.snapshot().unwrap().failures, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Keys, restarts and time, beside a plain map.
    #[test]
    fn it_does_what_a_plain_map_with_times_does(
        acts in prop::collection::vec((0..10_u8, 0..6_u64), 1..60),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (path, time) = (directory.path().join("keys"), VirtualTime::new());
        let mut store = open(&path, 100, &time);
        // Until when each key is remembered.
        let mut model: BTreeMap<u64, Duration> = BTreeMap::new();
        for (act, key) in acts {
            let now = time.now();
            match act {
                0..6 => {
                    let is_new = store.transact(|once| once.is_new(&key)).unwrap();
                    let expected = model.get(&key).is_none_or(|until| *until <= now);
                    prop_assert_eq!(is_new, expected);
                    if is_new {
                        model.insert(key, now + 10 * SECOND);
                    }
                }
                6..9 => time.advance((key as u32 + 1) * SECOND),
                _ => {
                    drop(store);
                    store = open(&path, 100, &time);
                    // As if they had been done now.
                    for until in model.values_mut().filter(|until| **until > now) {
                        *until = now + 10 * SECOND;
                    }
                    // What had expired and was not forgotten yet is remembered again.
                    let n_keys = store.snapshot().unwrap().keys as usize;
                    prop_assert!(n_keys <= model.len());
                    for (key, until) in &mut model {
                        if *until <= now && store.begin(key) == Begun::Done {
                            *until = now + 10 * SECOND;
                        }
                    }
                    time.advance(2 * SECOND);
                }
            }
        }
    }
}
