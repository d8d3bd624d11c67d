//! Queues: every item is accounted for, by any operations and from any thread.

use std::{thread, time::Duration};

use millstream::scheduler::{Pool, VirtualTime};
use millstream_pressure::{Discipline, Policy as _, Queue, QueueConfig, WhenFull};
use proptest::prelude::*;

use crate::queue::{MS, config, logged};

#[test]
fn the_ledger_is_exact_under_64_threads_and_reconfiguration() {
    let pool = Pool::new(1);
    for when_full in [
        WhenFull::Wait,
        WhenFull::Reject,
        WhenFull::DropOldest,
        WhenFull::Sample { one_of: 3 },
        WhenFull::Reservoir,
    ] {
        let queue = Queue::new("test", config(16, when_full), &pool).unwrap();
        thread::scope(|scope| {
            let producers: Vec<_> = (0..56)
                .map(|n| {
                    let queue = &queue;
                    scope.spawn(move || {
                        for round in 0..50 {
                            match (n + round) % 3 {
                                0 => drop(queue.put_blocking(round)),
                                1 => drop(queue.try_reserve().map(|slot| slot.put(round))),
                                _ => drop(queue.try_put(round)),
                            }
                        }
                    })
                })
                .collect();
            for _ in 0..7 {
                scope.spawn(|| while queue.take_blocking().is_some() {});
            }
            scope.spawn(|| {
                for capacity in [1, 64, 8, 16].into_iter().cycle().take(200) {
                    queue.reconfigure(config(capacity, when_full)).unwrap();
                    let snapshot = queue.snapshot();
                    assert!(snapshot.balance.is_whole(), "{snapshot:?}");
                    assert_eq!(snapshot.balance.queued, snapshot.items as u64);
                }
            });
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
        });
        let snapshot = queue.snapshot();
        assert!(snapshot.balance.is_whole() && snapshot.items == 0, "{snapshot:?}");
        assert_eq!((snapshot.reserved, snapshot.waiting_puts, snapshot.waiting_takes), (0, 0, 0));
    }
}

#[derive(Clone, Debug)]
enum Act {
    Put(u32),
    PutWithin(u32, u64),
    Take,
    Advance(u64),
    Reserve(bool),
    Capacity(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..300_u32).prop_map(Act::Put),
        1 => (0..300_u32, 0..9_u64).prop_map(|(n, ms)| Act::PutWithin(n, ms)),
        4 => Just(Act::Take),
        2 => (0..40_u64).prop_map(Act::Advance),
        1 => any::<bool>().prop_map(Act::Reserve),
        1 => (1..9_usize).prop_map(Act::Capacity),
    ]
}

fn policy() -> impl Strategy<Value = (WhenFull, Discipline)> {
    let (target, interval) = (5 * MS, 20 * MS);
    let when_full = prop_oneof![
        Just(WhenFull::Wait),
        Just(WhenFull::Throttle { max_pause: 5 * MS }),
        Just(WhenFull::Reject),
        Just(WhenFull::DropNewest),
        Just(WhenFull::DropOldest),
        Just(WhenFull::Sample { one_of: 2 }),
        Just(WhenFull::Reservoir),
        Just(WhenFull::Spill),
    ];
    let discipline = prop_oneof![
        Just(Discipline::Fifo),
        Just(Discipline::Codel { target, interval }),
        Just(Discipline::ControlledDelay { target, interval }),
        Just(Discipline::AdaptiveLifo { target, interval }),
    ];
    (when_full, discipline)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every item is somewhere: taken, dropped, given back or queued, each exactly once; and each
    /// drop has gone to the callback.
    #[test]
    fn every_item_is_accounted_for(
        (when_full, discipline) in policy(),
        acts in prop::collection::vec(act(), 0..120),
    ) {
        let time = VirtualTime::new();
        let start = QueueConfig { discipline, ..config(4, when_full) };
        let (queue, log) = logged(start.clone(), &time);
        let (mut n_offered, mut n_taken, mut n_back) = (0_usize, 0, 0);
        for act in acts {
            match act {
                Act::Put(n) => {
                    n_offered += 1;
                    n_back += usize::from(queue.try_put(n).is_err());
                }
                Act::PutWithin(n, ms) => {
                    n_offered += 1;
                    let left = Duration::from_millis(ms);
                    n_back += usize::from(queue.try_put_within(n, left).is_err());
                }
                Act::Take => n_taken += usize::from(queue.try_take().is_some()),
                Act::Advance(ms) => time.advance(Duration::from_millis(ms)),
                Act::Reserve(fills) => {
                    if let Ok(slot) = queue.try_reserve() && fills {
                        n_offered += 1;
                        slot.put(0);
                    }
                }
                Act::Capacity(capacity) => {
                    queue.reconfigure(QueueConfig { capacity, ..start.clone() }).unwrap();
                }
            }
            let snapshot = queue.snapshot();
            prop_assert!(snapshot.balance.is_whole());
            prop_assert_eq!(snapshot.balance.queued, snapshot.items as u64 + snapshot.spilled);
            let n_dropped = log.lock().unwrap().len();
            prop_assert_eq!(n_offered, n_taken + n_back + n_dropped + queue.len());
        }
    }
}
