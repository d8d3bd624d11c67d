//! `ls`, `verify`, `repair` and `dump`.

use std::ops::ControlFlow;

use millstream_spill::{
    Durability, Spill, SpillError,
    codec::U64,
    storage::{Simulated, Storage as _},
    tool,
};

use crate::{disk, drain, send_all, small};

fn twelve() -> Simulated {
    let storage = Simulated::new();
    let spill = Spill::on(storage.clone()).config(small(Durability::Each));
    let (sender, mut receiver) = spill.open(U64, disk()).expect("it is new");
    send_all(&sender, 0..12);
    receiver.try_recv().expect("sound").expect("sent");
    receiver.acknowledge_blocking(0).expect("it can be written");
    storage
}

fn items(storage: &Simulated) -> Vec<u64> {
    let spill = Spill::on(storage.clone()).config(small(Durability::Each));
    let (sender, mut receiver) = spill.open(U64, disk()).expect("sound");
    let items = drain(&mut receiver);
    assert!(sender.snapshot().is_whole());
    items
}

#[test]
fn a_sound_directory_is_listed_verified_dumped_and_left_alone() {
    let storage = twelve();
    let listing = tool::ls(&storage, None).expect("it can be read");
    assert_eq!(listing.cursor, Some(1));
    let bases: Vec<_> = listing.segments.iter().map(|segment| segment.base).collect();
    assert_eq!(bases, [0, 5, 10]);
    let report = tool::verify(&storage, None).expect("it can be read");
    assert!(report.is_sound());
    assert_eq!((report.items, report.torn_bytes), (11, 0));
    let mut dumped = Vec::new();
    tool::dump(&storage, |sequence, payload| {
        dumped.push((sequence, payload.to_vec()));
        ControlFlow::Continue(())
    })
    .expect("it can be read");
    assert_eq!(dumped.len(), 12);
    assert_eq!(dumped[7], (7, 7_u64.to_le_bytes().to_vec()));
    let mut n_taken = 0;
    tool::dump(&storage, |sequence, _| {
        n_taken += 1;
        if sequence == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .expect("it can be read");
    assert_eq!(n_taken, 3);

    let repaired = tool::repair(&storage, None).expect("nothing to do");

    assert_eq!(repaired, tool::Repaired::default());
    assert_eq!(items(&storage), (1..12).collect::<Vec<_>>());
}

#[test]
fn a_repaired_directory_opens_and_says_what_is_lost() {
    let storage = twelve();
    let mut second = storage.read("00000000000000000005.seg").expect("it is there");
    second[32 + 24 * 2 + 17] ^= 4;
    storage.write("00000000000000000005.seg", second.clone());
    let report = tool::verify(&storage, None).expect("it can be read");
    assert_eq!((report.damaged.len(), report.damaged[0].from, report.damaged[0].to), (1, 7, 10));

    let repaired = tool::repair(&storage, None).expect("it can be repaired");

    assert_eq!((repaired.lost[0].from, repaired.lost[0].to), (7, 10));
    assert_eq!(repaired.torn_bytes, 3 * 24);
    assert_eq!(storage.read(&repaired.aside[0]), Some(second[32 + 48..].to_vec()));
    assert!(tool::verify(&storage, None).expect("it can be read").is_sound());
    assert_eq!(items(&storage), [1, 2, 3, 4, 5, 6, 10, 11]);
}

#[test]
fn missing_files_and_a_damaged_cursor_are_repaired() {
    let storage = twelve();
    storage.write("cursor", b"not a cursor".to_vec());
    storage.remove("00000000000000000005.seg").expect("it is there");
    let repaired = tool::repair(&storage, None).expect("it can be repaired");
    assert_eq!((repaired.lost[0].from, repaired.lost[0].to), (5, 10));
    assert_eq!(items(&storage), [0, 1, 2, 3, 4, 10, 11]);

    let storage = twelve();
    storage.remove("00000000000000000000.seg").expect("it is there");
    let repaired = tool::repair(&storage, None).expect("it can be repaired");
    assert_eq!((repaired.lost[0].from, repaired.lost[0].to), (1, 5));
    assert_eq!(items(&storage), (5..12).collect::<Vec<_>>());
}

/// A mark is the last that is read of a segment: a second one behind it was never seen, and what
/// had been repaired twice could not be opened. Found by any bytes.
#[test]
fn what_is_lost_behind_a_mark_is_repaired_as_well() {
    let storage = twelve();
    storage.remove("00000000000000000005.seg").expect("it is there");
    tool::repair(&storage, None).expect("it can be repaired");
    let spill = Spill::on(storage.clone()).config(small(Durability::Each));
    let (sender, receiver) = spill.open(U64, disk()).expect("it was repaired");
    send_all(&sender, 12..15);
    drop((sender, receiver));

    storage.remove("00000000000000000010.seg").expect("it is there");
    let repaired = tool::repair(&storage, None).expect("it can be repaired again");
    assert_eq!((repaired.lost[0].from, repaired.lost[0].to), (10, 12));
    assert!(tool::verify(&storage, None).expect("it can be read").is_sound());
    assert_eq!(items(&storage), [1, 2, 3, 4, 12, 13, 14]);
    let again = tool::repair(&storage, None).expect("there is nothing to do");
    assert_eq!(again, tool::Repaired::default());
}

#[test]
fn a_directory_in_use_is_not_repaired() {
    let storage = twelve();
    let _ends = Spill::on(storage.clone()).open(U64, disk()).expect("sound");
    assert!(matches!(tool::repair(&storage, None), Err(SpillError::Locked)));
}
