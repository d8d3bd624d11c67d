//! The power fails at random instants, and with it goes what was not synced.

use std::{sync::Arc, time::Duration};

use millstream_spill::{
    Config, Durability, OnDamage, Spill,
    codec::U64,
    storage::{Fault, Simulated},
};
use parking_lot::Mutex;

use crate::{disk, drain, small};

/// Rounds for each durability; set `POWER_ROUNDS` for more.
fn n_rounds() -> u64 {
    std::env::var("POWER_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

/// What has been promised so far.
#[derive(Default)]
struct Promises {
    /// Items said to be safe, in order.
    safe: Vec<u64>,
    /// So many of these are acknowledged for good, and so many perhaps.
    acknowledged: usize,
    tried: usize,
    next_item: u64,
}

#[test]
fn synced_items_survive_in_order_and_no_other_is_invented() {
    for durability in [Durability::Each, Durability::Group(4, Duration::from_micros(50))] {
        for seed in 0..n_rounds() {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut storage = Simulated::new();
            let mut promises = Promises::default();
            for _life in 0..4 {
                live(&storage, durability, &mut random, &mut promises, seed);
                storage = storage.power_failure(|n| random.usize(0..n));
            }
        }
    }
}

fn live(
    storage: &Simulated,
    durability: Durability,
    random: &mut fastrand::Rng,
    promises: &mut Promises,
    seed: u64,
) {
    // Beside the loss, faults: one in so many operations.
    let faults =
        Arc::new(Mutex::new((fastrand::Rng::with_seed(random.u64(..)), random.u32(20..400))));
    let config = Config { max_bytes: 1 << 16, ..small(durability) };
    let opened = Spill::on(storage.clone()).config(config).open(U64, disk());
    let (sender, mut receiver) = match opened {
        Ok(ends) => ends,
        Err(error) => panic!("seed {seed}, {durability:?}: {error}"),
    };
    storage.fail(move |_, _| {
        let (random, one_in) = &mut *faults.lock();
        (random.u32(0..*one_in) == 0).then(|| match random.u8(0..3) {
            0 => Fault::Error(std::io::ErrorKind::StorageFull),
            1 => Fault::Error(std::io::ErrorKind::Other),
            _ => Fault::Short(random.usize(0..30)),
        })
    });
    let (tried_before, acknowledged_before) = (promises.tried, promises.acknowledged);
    let mut received: Vec<(u64, u64)> = Vec::new();
    for _ in 0..random.usize(0..40) {
        match random.u8(0..10) {
            0..5 => {
                let n = random.u64(1..6);
                let items = promises.next_item..promises.next_item + n;
                promises.next_item += n;
                match sender.send_all_blocking(items.clone()) {
                    Ok(()) => promises.safe.extend(items),
                    Err(refused) => {
                        promises.safe.extend(items.take(n as usize - refused.item.len()));
                    }
                }
            }
            5..9 => {
                if let Ok(Some(entry)) = receiver.try_recv() {
                    received.push((entry.sequence, entry.item));
                }
            }
            _ => {
                let Some(&(sequence, last)) = received.last() else { continue };
                promises.tried = promises.safe.partition_point(|item| *item <= last);
                if receiver.acknowledge_blocking(sequence).is_ok() {
                    promises.acknowledged = promises.tried;
                }
            }
        }
        assert!(sender.snapshot().is_whole());
    }
    storage.heal();
    received.extend(
        std::iter::from_fn(|| receiver.try_recv().expect("sound")).map(|e| (e.sequence, e.item)),
    );
    let items: Vec<u64> = received.iter().map(|(_, item)| *item).collect();
    assert!(items.is_sorted_by(|a, b| a < b), "seed {seed}: out of order or twice: {items:?}");
    assert!(items.iter().all(|item| *item < promises.next_item), "seed {seed}: invented");
    let due = &promises.safe[tried_before..];
    let lost = due.iter().find(|item| items.binary_search(item).is_err());
    assert_eq!(lost, None, "seed {seed}, {durability:?}: {due:?} is not in {items:?}");
    let again = promises.safe[..acknowledged_before].iter().find(|item| items.contains(item));
    assert_eq!(again, None, "seed {seed}, {durability:?}: acknowledged before");
}

#[test]
fn without_syncs_what_survives_is_in_order_and_was_sent() {
    for seed in 0..n_rounds() {
        let mut random = fastrand::Rng::with_seed(seed);
        let storage = Simulated::new();
        let config = Config { on_damage: OnDamage::Skip, ..small(Durability::Process) };
        let open = |storage: &Simulated| {
            Spill::on(storage.clone()).config(config.clone()).open(U64, disk())
        };
        let (sender, mut receiver) = open(&storage).expect("it is new");
        let n_sent = random.u64(1..40);
        sender.send_all_blocking(0..n_sent).expect("there is room");
        for _ in 0..random.u64(0..n_sent) {
            let entry = receiver.try_recv().expect("sound").expect("sent");
            receiver.acknowledge_blocking(entry.sequence).expect("it can be written");
        }
        let after = storage.power_failure(|n| random.usize(0..n));

        let (sender, mut receiver) =
            open(&after).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let left = drain(&mut receiver);
        assert!(left.is_sorted_by(|a, b| a < b), "seed {seed}: {left:?}");
        assert!(left.iter().all(|item| *item < n_sent), "seed {seed}: {left:?}");
        assert!(sender.snapshot().is_whole());
    }
}
