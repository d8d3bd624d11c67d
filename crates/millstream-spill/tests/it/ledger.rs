//! Offered = delivered + dropped + rejected + queued, whoever does what at the same time.

use std::io;

use millstream_spill::{
    Config, Durability, Spill, WhenFull,
    codec::U64,
    storage::{Fault, Operation, Simulated},
};
use parking_lot::Mutex;

use crate::{disk, small};

#[test]
fn every_item_is_accounted_for_under_64_threads_and_random_faults() {
    let durabilities = [
        Durability::Process,
        Durability::Group(8, std::time::Duration::from_micros(100)),
        Durability::Each,
    ];
    for (seed, durability) in durabilities.into_iter().enumerate() {
        for when_full in [WhenFull::Reject, WhenFull::DropNewest, WhenFull::DropOldest] {
            let storage = Simulated::new();
            let config = Config { max_bytes: 1000, when_full, ..small(durability) };
            let spill = Spill::on(storage.clone()).config(config);
            let (sender, mut receiver) = spill.open(U64, disk()).expect("it is new");
            let random = Mutex::new(fastrand::Rng::with_seed(seed as u64));
            storage.fail(move |operation, _| {
                let can_fail = !matches!(operation, Operation::Read | Operation::Open);
                (can_fail && random.lock().u8(..) == 0)
                    .then_some(Fault::Error(io::ErrorKind::StorageFull))
            });
            let sums = Mutex::new((0_u64, 0_u64, 0_u64));
            std::thread::scope(|scope| {
                for thread in 0..63 {
                    let (sender, sums) = (sender.clone(), &sums);
                    scope.spawn(move || {
                        let (mut n_safe, mut n_dropped, mut n_refused) = (0, 0, 0);
                        for n in 0..40 {
                            match sender.send_blocking(thread * 1000 + n) {
                                Ok(millstream_spill::Sent::Safe(_)) => n_safe += 1,
                                Ok(millstream_spill::Sent::Dropped) => n_dropped += 1,
                                Err(refused) => {
                                    assert_eq!(refused.item, thread * 1000 + n);
                                    n_refused += 1;
                                }
                            }
                            assert!(sender.snapshot().is_whole());
                        }
                        let mut sums = sums.lock();
                        sums.0 += n_safe;
                        sums.1 += n_dropped;
                        sums.2 += n_refused;
                    });
                }
                drop(sender);
                let mut n_received = 0;
                while let Some(entry) = receiver.recv_blocking().expect("no read fails") {
                    n_received += 1;
                    assert!(receiver.snapshot().is_whole());
                    if n_received % 3 == 0 {
                        // May fail: it is tried again with the next.
                        drop(receiver.acknowledge_blocking(entry.sequence));
                    }
                }
                let counts = receiver.snapshot().counts;
                assert_eq!(counts.delivered, n_received);
            });
            let snapshot = receiver.snapshot();
            assert!(snapshot.is_whole(), "{snapshot:?}");
            assert_eq!((snapshot.depth, snapshot.unsafe_items), (0, 0));
            let counts = snapshot.counts;
            // What the senders were told is what the queue counted.
            assert_eq!(
                (counts.delivered + counts.dropped_oldest, counts.dropped_newest, counts.rejected),
                *sums.lock(),
                "{durability:?} {when_full:?}"
            );
            assert_eq!(counts.offered, 63 * 40);
        }
    }
}
