//! Beyond the disk.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use millstream_spill::{
    Config, Durability, Spill, SpillError, WhenFull,
    codec::U64,
    storage::Simulated,
    tier::{DirectoryTier, Tier},
};
use parking_lot::Mutex;

use crate::{disk, drain, send_all, small};

fn four_segments() -> Config {
    let config = small(Durability::Each);
    Config { max_bytes: 4 * config.segment_bytes, when_full: WhenFull::Reject, ..config }
}

#[test]
fn segments_go_to_the_tier_and_come_back_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let tier = DirectoryTier::new(directory.path().join("tier")).expect("it can be made");
    let spill =
        Spill::at(directory.path().join("queue")).config(four_segments()).tier(tier.clone());
    let (sender, mut receiver) = spill.clone().open(U64, disk()).expect("it is new");
    send_all(&sender, 0..100);
    let snapshot = sender.snapshot();
    assert_eq!(snapshot.segments, 20);
    assert!(snapshot.bytes <= four_segments().max_bytes, "{snapshot:?}");
    assert_eq!(tier.list().expect("it can be listed").len(), 17);
    for n in 0..30 {
        let entry = receiver.try_recv().expect("sound").expect("sent");
        assert_eq!(entry.item, n);
        receiver.acknowledge_blocking(entry.sequence).expect("it can be written");
        assert!(sender.snapshot().bytes <= four_segments().max_bytes);
    }
    drop((sender, receiver));

    let (sender, mut receiver) = spill.open(U64, disk()).expect("it was closed");
    assert_eq!(sender.recovered().items, 70);
    send_all(&sender, 100..110);
    for n in 30..110 {
        let entry = receiver.try_recv().expect("sound").expect("sent");
        assert_eq!(entry.item, n);
        receiver.acknowledge_blocking(entry.sequence).expect("it can be written");
    }
    assert!(tier.list().expect("it can be listed").is_empty());
    assert_eq!(sender.snapshot().tier_bytes, 0);
    assert!(sender.snapshot().is_whole());
}

/// Fails as long as it is told to.
#[derive(Clone, Debug)]
struct Moody(DirectoryTier, Arc<Mutex<bool>>);

impl Moody {
    fn mood(&self) -> io::Result<()> {
        if *self.1.lock() { Err(io::Error::other("not now")) } else { Ok(()) }
    }
}

impl Tier for Moody {
    fn put(&self, name: &str, segment: &mut dyn Read) -> io::Result<()> {
        self.mood()?;
        self.0.put(name, segment)
    }
    fn get(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        self.mood()?;
        self.0.get(name, out)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.mood()?;
        self.0.remove(name)
    }
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }
}

#[test]
fn a_tier_that_fails_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let is_down = Arc::new(Mutex::new(false));
    let inner = DirectoryTier::new(directory.path()).expect("it can be made");
    let tier = Moody(inner, Arc::clone(&is_down));
    let storage = Simulated::new();
    let spill = Spill::on(storage).config(four_segments()).tier(tier);
    let (sender, mut receiver) = spill.clone().open(U64, disk()).expect("it is new");
    send_all(&sender, 0..30);
    *is_down.lock() = true;
    let refused = sender.send_all_blocking(30..60).expect_err("the tier takes nothing");
    assert!(matches!(refused.error, SpillError::Io { .. }), "{refused}");
    let first = *refused.item.front().expect("some are given back");
    *is_down.lock() = false;
    sender.send_all_blocking(refused.item).expect("it takes them again");

    *is_down.lock() = true;
    let mut items = Vec::new();
    let error = loop {
        match receiver.try_recv() {
            Ok(Some(entry)) => items.push(entry.item),
            Ok(None) => panic!("some are in the tier"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SpillError::Io { .. }), "{error}");
    *is_down.lock() = false;
    items.extend(drain(&mut receiver));
    assert_eq!(items, (0..60).collect::<Vec<_>>(), "{first} was the first to be given back");
    // What cannot be removed now is removed when the queue is opened again.
    *is_down.lock() = true;
    receiver.acknowledge_blocking(59).expect("it can be written");
    *is_down.lock() = false;
    drop((sender, receiver));
    let (sender, _receiver) = spill.open(U64, disk()).expect("it was closed");
    assert_eq!(sender.recovered().items, 0);
}
