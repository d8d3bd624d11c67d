//! Whatever bytes stand in a directory: no panic, no loop, no item that was never sent.

use std::ops::ControlFlow;

use millstream_spill::{
    Config, Durability, OnDamage, Spill,
    codec::Bytes,
    storage::{Simulated, Storage as _},
    tool,
};
use proptest::prelude::*;

use crate::disk;

const CURSOR: &str = "cursor";

fn config(on_damage: OnDamage) -> Config {
    Config {
        segment_bytes: 300,
        max_bytes: 1 << 20,
        durability: Durability::Process,
        on_damage,
        ..Config::default()
    }
}

/// What is item `n`, of which no two are alike.
fn item(n: u64) -> Vec<u8> {
    n.to_le_bytes().iter().copied().cycle().take(8 + n as usize % 23).collect()
}

/// Thirty items in some segments, and a cursor that stands at 4.
fn sample() -> Simulated {
    let storage = Simulated::new();
    let spill = Spill::on(storage.clone()).config(config(OnDamage::Refuse));
    let (sender, mut receiver) = spill.open(Bytes, disk()).expect("it is new");
    sender.send_all_blocking((0..30).map(item)).expect("there is room");
    for _ in 0..4 {
        receiver.try_recv().expect("sound").expect("sent");
    }
    receiver.acknowledge_blocking(3).expect("it can be written");
    storage
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(usize, u8),
    Truncate(usize),
    Zero(usize, usize),
    /// Bytes of one file copied to a place in another.
    Splice(usize, usize, usize),
    Append(Vec<u8>),
    Replace(Vec<u8>),
    Remove,
    Swap(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (0..400_usize, 1..=255_u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (0..400_usize).prop_map(Mutation::Truncate),
        (0..400_usize, 1..200_usize).prop_map(|(at, n)| Mutation::Zero(at, n)),
        (0..9_usize, 0..400_usize, 0..400_usize).prop_map(|(f, a, b)| Mutation::Splice(f, a, b)),
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Mutation::Append),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Mutation::Replace),
        Just(Mutation::Remove),
        (0..9_usize).prop_map(Mutation::Swap),
    ]
}

fn mutate(storage: &Simulated, names: &[String], name: &str, mutation: &Mutation) {
    let other = |at: &usize| storage.read(&names[at % names.len()]).unwrap_or_default();
    let mut bytes = storage.read(name).unwrap_or_default();
    match mutation {
        Mutation::Flip(at, bits) => {
            let len = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at % len) {
                *byte ^= bits;
            }
        }
        Mutation::Truncate(len) => bytes.truncate(*len),
        Mutation::Zero(at, n) => bytes.iter_mut().skip(*at).take(*n).for_each(|byte| *byte = 0),
        Mutation::Splice(file, from, to) => {
            let source = other(file);
            let part = source.get(*from..).unwrap_or_default();
            bytes.truncate(*to);
            bytes.extend(part);
        }
        Mutation::Append(more) => bytes.extend(more),
        Mutation::Replace(all) => bytes.clone_from(all),
        Mutation::Remove => return drop(storage.remove(name)),
        Mutation::Swap(file) => {
            let source = other(file);
            storage.write(&names[file % names.len()], bytes);
            bytes = source;
        }
    }
    storage.write(name, bytes);
}

/// Opens, and receives all there is; every item is one that was sent, in order.
fn check(storage: &Simulated, on_damage: OnDamage) -> Result<(), TestCaseError> {
    let opened = Spill::on(storage.clone()).config(config(on_damage)).open(Bytes, disk());
    let Ok((sender, mut receiver)) = opened else { return Ok(()) };
    let mut before = None;
    for _ in 0..1000 {
        match receiver.try_recv() {
            Ok(Some(entry)) => {
                prop_assert_eq!(&entry.item, &item(entry.sequence));
                prop_assert!(before < Some(entry.sequence));
                before = Some(entry.sequence);
            }
            Ok(None) | Err(_) => {
                prop_assert!(sender.snapshot().is_whole());
                return Ok(());
            }
        }
    }
    Err(TestCaseError::fail("it does not end"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_directory_gives_no_item_that_was_not_sent(
        mutations in prop::collection::vec((0..9_usize, mutation()), 1..5),
    ) {
        let storage = sample();
        let names: Vec<String> = storage.names().expect("it can be listed");
        let names: Vec<String> =
            names.into_iter().filter(|name| name.ends_with(".seg") || name == CURSOR).collect();
        for (at, mutation) in &mutations {
            mutate(&storage, &names, &names[at % names.len()], mutation);
        }
        let copy = |storage: &Simulated| {
            let copy = Simulated::new();
            for name in storage.names().expect("it can be listed") {
                copy.write(&name, storage.read(&name).unwrap_or_default());
            }
            copy
        };
        // The tools say what they see, and change nothing.
        let sound = tool::verify(&storage, None).is_ok_and(|report| report.is_sound());
        drop(tool::ls(&storage, None));
        let mut n_dumped = 0;
        drop(tool::dump(&storage, |_, _| {
            n_dumped += 1;
            ControlFlow::Continue(())
        }));
        prop_assert!(n_dumped <= 1000);

        check(&copy(&storage), OnDamage::Refuse)?;
        check(&copy(&storage), OnDamage::Skip)?;
        let opened = Spill::on(copy(&storage)).config(config(OnDamage::Refuse)).open(Bytes, disk());
        if sound {
            prop_assert!(opened.is_ok(), "verify said it is sound: {:?}", opened.err());
        }
        drop(opened);

        // What was repaired can be opened.
        if tool::repair(&storage, None).is_ok() {
            let opened = Spill::on(copy(&storage)).config(config(OnDamage::Refuse)).open(Bytes, disk());
            prop_assert!(opened.is_ok(), "after the repair: {:?}", opened.err());
            drop(opened);
            check(&storage, OnDamage::Refuse)?;
        }
    }

    #[test]
    fn any_bytes_are_no_segment(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let storage = Simulated::new();
        storage.write("00000000000000000000.seg", bytes);
        check(&storage, OnDamage::Skip)?;
        let (_sender, mut receiver) =
            match Spill::on(storage).config(config(OnDamage::Skip)).open(Bytes, disk()) {
                Ok(ends) => ends,
                Err(_) => return Ok(()),
            };
        prop_assert!(receiver.try_recv().expect("sound").is_none());
    }
}
