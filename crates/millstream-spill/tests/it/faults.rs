//! Every operation of the storage fails once, in every way, at every place.

use std::{io, sync::Arc};

use millstream_spill::{
    Config, Durability, Spill, WhenFull,
    codec::U64,
    storage::{Fault, Simulated},
};
use parking_lot::Mutex;

use crate::{disk, drain, small};

const FAULTS: [Fault; 4] = [
    Fault::Error(io::ErrorKind::StorageFull),
    Fault::Error(io::ErrorKind::Other),
    Fault::Error(io::ErrorKind::Interrupted),
    Fault::Short(1),
];

/// Sends, receives and acknowledges; which items were said to be safe, how many of them were
/// acknowledged for good, and how many perhaps.
fn run(storage: &Simulated, durability: Durability) -> Option<(Vec<u64>, usize, usize)> {
    let config = Config { when_full: WhenFull::Reject, ..small(durability) };
    let spill = Spill::on(storage.clone()).config(config);
    let Ok((sender, mut receiver)) = spill.open(U64, disk()) else { return None };
    let (mut safe, mut acknowledged, mut tried) = (Vec::new(), 0, 0);
    let mut next_received = Vec::new();
    for n in 0..13 {
        if n % 3 == 2 {
            let refused = sender.send_all_blocking([10 * n, 10 * n + 1]);
            let n_refused = refused.map_or_else(|refused| refused.item.len(), |()| 0);
            safe.extend((0..2 - n_refused as u64).map(|at| 10 * n + at));
        } else if sender.send_blocking(10 * n).is_ok() {
            safe.push(10 * n);
        }
        if n % 4 == 3 {
            while let Ok(Some(entry)) = receiver.try_recv() {
                next_received.push(entry);
            }
            if let Some(last) = next_received.last() {
                tried = next_received.len();
                if receiver.acknowledge_blocking(last.sequence).is_ok() {
                    acknowledged = tried;
                }
            }
        }
        assert!(sender.snapshot().is_whole());
    }
    // In order, and nothing but what was safe, each once.
    while let Ok(Some(entry)) = receiver.try_recv() {
        next_received.push(entry);
    }
    let received: Vec<_> = next_received.iter().map(|entry| entry.item).collect();
    assert_eq!(received, safe[..received.len()], "what is received is what is safe");
    Some((safe, acknowledged, tried))
}

#[test]
fn one_fault_anywhere_loses_nothing_that_was_safe() {
    for durability in [Durability::Process, Durability::Each] {
        for fault in FAULTS {
            // How far the fault is: until a run has fewer operations.
            for at in 0.. {
                let n_operations = Arc::new(Mutex::new(0));
                let counter = Arc::clone(&n_operations);
                let storage = Simulated::new();
                storage.fail(move |_, _| {
                    let mut n = counter.lock();
                    *n += 1;
                    (*n == at + 1).then_some(fault)
                });
                let ran = run(&storage, durability);
                storage.heal();
                let (safe, acknowledged, tried) = ran.unwrap_or_default();
                // What was said to be safe is there when the process ends, and, if synced, after a
                // power failure that keeps nothing else.
                let survivors = match durability {
                    Durability::Process => storage.clone(),
                    _ => storage.power_failure(|_| 0),
                };
                let spill = Spill::on(survivors).config(small(durability));
                let (_sender, mut receiver) = spill.open(U64, disk()).unwrap_or_else(|error| {
                    panic!("{durability:?}, {fault:?} at operation {at}: {error}")
                });
                let left = drain(&mut receiver);
                let case = format!("{durability:?}, {fault:?} at operation {at}: {left:?}");
                assert!(is_subsequence(&safe[tried..], &left), "lost: {case} of {safe:?}");
                let again = safe[..acknowledged].iter().find(|item| left.contains(item));
                assert_eq!(again, None, "acknowledged: {case}");
                assert!(left.is_sorted_by(|a, b| a < b), "out of order or twice: {case}");
                if *n_operations.lock() <= at {
                    assert!(at > 40, "all of it was tried");
                    break;
                }
            }
        }
    }
}

fn is_subsequence(short: &[u64], long: &[u64]) -> bool {
    let mut rest = long.iter();
    short.iter().all(|item| rest.any(|other| other == item))
}

#[test]
fn after_a_failed_sync_nothing_is_said_to_be_safe_that_may_be_lost() {
    let storage = Simulated::new();
    let spill = Spill::on(storage.clone()).config(small(Durability::Each));
    let (sender, mut receiver) = spill.open(U64, disk()).expect("it is new");
    sender.send_blocking(1).expect("there is room");
    let mut n_failures = 1;
    storage.fail(move |operation, _| {
        let fails = operation == millstream_spill::storage::Operation::Sync && n_failures > 0;
        n_failures -= i32::from(fails);
        fails.then_some(Fault::Error(io::ErrorKind::Other))
    });

    let refused = sender.send_blocking(2).expect_err("it was not synced");
    assert_eq!(refused.item, 2);
    // The sync that fails once succeeds from then on, and has lost what it should have written:
    // another file.
    sender.send_blocking(3).expect("the next file can be synced");

    assert_eq!(drain(&mut receiver), [1, 3]);
    drop((sender, receiver));
    storage.heal();
    let after = storage.power_failure(|_| 0);
    let spill = Spill::on(after).config(small(Durability::Each));
    let (_sender, mut receiver) = spill.open(U64, disk()).expect("sound");
    assert_eq!(drain(&mut receiver), [1, 3]);
}

#[test]
fn a_full_disk_takes_items_again_once_it_has_room() {
    for durability in [Durability::Process, Durability::Each] {
        let storage = Simulated::new();
        let spill = Spill::on(storage.clone()).config(small(durability));
        let (sender, mut receiver) = spill.open(U64, disk()).expect("it is new");
        sender.send_all_blocking(0..7).expect("there is room");
        storage.fail(|operation, _| {
            let needs_room = matches!(
                operation,
                millstream_spill::storage::Operation::Write
                    | millstream_spill::storage::Operation::Create
            );
            needs_room.then_some(Fault::Error(io::ErrorKind::StorageFull))
        });
        for n in 0..10 {
            let refused = sender.send_blocking(100 + n).expect_err("the disk is full");
            assert_eq!(refused.item, 100 + n);
        }
        storage.heal();
        sender.send_all_blocking(7..20).expect("there is room again");
        assert_eq!(drain(&mut receiver), (0..20).collect::<Vec<_>>());
        assert!(sender.snapshot().is_whole());
        assert_eq!(sender.snapshot().counts.rejected, 10);
    }
}
