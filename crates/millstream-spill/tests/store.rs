//! The durable queue as the store behind a queue in memory: memory, disk, and memory again.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io,
    sync::{Arc, LazyLock},
    thread,
    time::Duration,
};

use millstream::scheduler::{Pool, VirtualTime};
use millstream_pressure::{Policy as _, Queue, QueueConfig, QueueHooks, Reason, WhenFull};
use millstream_spill::{
    Config, Durability, Spill, SpillError, WhenFull as OnDisk,
    codec::U64,
    storage::{Fault, Operation, Simulated},
};
use parking_lot::Mutex;

static DISK: LazyLock<Pool> = LazyLock::new(|| Pool::named("disk", 1));

/// Small segments, of five numbers each.
fn small(durability: Durability, when_full: OnDisk) -> Config {
    let (segment_bytes, max_bytes) = (32 + 5 * 24, 1 << 20);
    Config { segment_bytes, max_bytes, durability, when_full, ..Config::default() }
}

fn in_memory(capacity: usize) -> QueueConfig {
    QueueConfig { capacity, when_full: WhenFull::Spill, ..QueueConfig::default() }
}

fn queue(storage: &Simulated, config: Config, capacity: usize) -> Queue<u64> {
    let store = Spill::on(storage.clone()).config(config).store(U64, &*DISK).unwrap();
    let hooks = QueueHooks::new().store(store);
    Queue::with_hooks("test", in_memory(capacity), &*DISK, hooks).unwrap()
}

fn take_all(queue: &Queue<u64>) -> Vec<u64> {
    std::iter::from_fn(|| queue.try_take()).map(|taken| taken.item).collect()
}

#[test]
fn items_go_through_memory_disk_and_memory_in_order() {
    let queue = queue(&Simulated::new(), small(Durability::Process, OnDisk::Wait), 4);
    let places = |queue: &Queue<u64>| (queue.snapshot().items, queue.snapshot().spilled);
    for n in 0..4 {
        queue.try_put(n).unwrap();
    }
    assert_eq!(places(&queue), (4, 0));
    for n in 4..20 {
        queue.try_put(n).unwrap();
    }
    assert_eq!((places(&queue), queue.snapshot().is_high), ((4, 16), true));
    // Room in memory is no room while something is on the disk: it would overtake that.
    assert_eq!(queue.try_take().map(|taken| taken.item), Some(0));
    queue.try_put(20).unwrap();
    assert_eq!(places(&queue), (3, 17));
    assert_eq!(take_all(&queue), (1..21).collect::<Vec<_>>());
    queue.try_put(21).unwrap();
    assert_eq!((places(&queue), queue.snapshot().is_high), ((1, 0), false));
    assert!(queue.snapshot().balance.is_whole());
}

#[test]
fn what_is_on_the_disk_comes_first_when_it_is_opened_again() {
    let storage = Simulated::new();
    let config = || small(Durability::Each, OnDisk::Wait);
    let first = queue(&storage, config(), 2);
    for n in 0..10 {
        first.try_put(n).unwrap();
    }
    assert_eq!((first.try_take().unwrap().item, first.try_take().unwrap().item), (0, 1));
    assert_eq!(first.try_take().unwrap().item, 2);
    drop(first);

    let again = queue(&storage, config(), 2);
    assert_eq!((again.len(), again.snapshot().balance.offered), (7, 7));
    again.try_put(10).unwrap();
    assert_eq!(take_all(&again), (3..11).collect::<Vec<_>>());
    assert!(again.snapshot().balance.is_whole());
}

#[test]
fn a_full_directory_gives_items_back_or_has_producers_wait() {
    let two_segments = |when_full| Config {
        max_bytes: 2 * (32 + 5 * 24),
        ..small(Durability::Process, when_full)
    };
    let queue = queue(&Simulated::new(), two_segments(OnDisk::Reject), 1);
    for n in 0..11 {
        queue.try_put(n).unwrap();
    }
    let rejected = queue.try_put(11).unwrap_err();
    assert_eq!((rejected.reason, rejected.item), (Reason::SpillFull, 11));
    assert_eq!(take_all(&queue), (0..11).collect::<Vec<_>>());
    assert_eq!(queue.snapshot().balance.dropped(Reason::SpillFull), 1);
    assert!(queue.snapshot().balance.is_whole());

    let queue = self::queue(&Simulated::new(), two_segments(OnDisk::Wait), 1);
    thread::scope(|scope| {
        scope.spawn(|| (0..200).for_each(|n| queue.try_put(n).unwrap()));
        for n in 0..200 {
            assert_eq!(queue.take_blocking().unwrap().item, n);
        }
    });
}

#[test]
fn a_directory_that_drops_by_itself_is_refused() {
    for when_full in [OnDisk::DropNewest, OnDisk::DropOldest] {
        let config = small(Durability::Process, when_full);
        let refused = Spill::on(Simulated::new()).config(config).store(U64, &*DISK);
        assert!(matches!(refused, Err(SpillError::Config(_))));
    }
}

#[test]
fn a_read_that_fails_is_tried_again_and_nothing_overtakes() {
    let time = VirtualTime::new();
    let storage = Simulated::new();
    let store = Spill::on(storage.clone())
        .config(small(Durability::Process, OnDisk::Wait))
        .store(U64, &time)
        .unwrap();
    let hooks = QueueHooks::new().store(store);
    let queue = Queue::with_hooks("test", in_memory(1), &time, hooks).unwrap();
    for n in 0..5 {
        queue.try_put(n).unwrap();
    }
    assert_eq!(queue.try_take().unwrap().item, 0);
    storage.fail(|operation, _| {
        (operation == Operation::Read).then_some(Fault::Error(io::ErrorKind::Other))
    });
    assert!(queue.try_take().is_none());
    let mut take = Box::pin(queue.take());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(take.as_mut().poll(&mut cx).is_pending());
    queue.try_put(5).unwrap();
    assert_eq!(queue.snapshot().spilled, 5);
    storage.heal();
    time.advance(Duration::from_millis(100));
    let std::task::Poll::Ready(Some(taken)) = take.as_mut().poll(&mut cx) else {
        panic!("it is asked again")
    };
    assert_eq!((taken.item, taken.waited), (1, Duration::from_millis(100)));
    drop(take);
    assert_eq!(take_all(&queue), (2..6).collect::<Vec<_>>());
    assert!(queue.snapshot().balance.is_whole());
}

#[test]
fn offered_is_delivered_dropped_queued_and_spilled_under_64_threads_and_random_faults() {
    for (seed, durability) in [Durability::Process, Durability::Each].into_iter().enumerate() {
        let storage = Simulated::new();
        let config = Config { max_bytes: 1000, ..small(durability, OnDisk::Reject) };
        let queue = queue(&storage, config, 8);
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed as u64)));
        storage.fail(move |_, _| {
            (random.lock().u8(..) == 0).then_some(Fault::Error(io::ErrorKind::StorageFull))
        });
        let (n_back, received) = (Mutex::new(0), Mutex::new(Vec::new()));
        let assert_whole = |queue: &Queue<u64>| {
            let snapshot = queue.snapshot();
            let balance = snapshot.balance;
            assert!(balance.is_whole(), "{snapshot:?}");
            // What is neither delivered nor dropped is in one of the two places.
            assert_eq!(balance.queued, snapshot.items as u64 + snapshot.spilled, "{snapshot:?}");
        };
        thread::scope(|scope| {
            let producers: Vec<_> = (0..56)
                .map(|thread| {
                    let (queue, n_back) = (&queue, &n_back);
                    scope.spawn(move || {
                        for n in 0..40 {
                            if let Err(rejected) = queue.try_put(thread * 1000 + n) {
                                assert_eq!(rejected.item, thread * 1000 + n);
                                *n_back.lock() += 1;
                            }
                            assert_whole(queue);
                        }
                    })
                })
                .collect();
            for _ in 0..8 {
                scope.spawn(|| {
                    while let Some(taken) = queue.take_blocking() {
                        received.lock().push(taken.item);
                        assert_whole(&queue);
                    }
                });
            }
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
        });
        let snapshot = queue.snapshot();
        assert_eq!((snapshot.items, snapshot.spilled), (0, 0), "{snapshot:?}");
        let (n_received, balance) = (received.lock().len() as u64, snapshot.balance);
        assert_eq!((balance.offered, balance.delivered), (56 * 40, n_received));
        assert_eq!(balance.total_dropped(), *n_back.lock(), "{durability:?}");
        let mut items = received.into_inner();
        items.sort_unstable();
        items.dedup();
        assert_eq!(items.len() as u64, n_received, "none came twice");
    }
}
