//! Memory, then disk, then memory again.

use std::{io, time::Duration};

use millstream::{Processor as _, Publisher as _, scheduler::VirtualTime};
use millstream_spill::{
    Config, Durability, FlowExt as _, Spill, SpillProcessor, WhenFull,
    codec::U64,
    storage::{Fault, Operation, Simulated},
};
use millstream_testkit::{Probe, Puppet};

use crate::{disk, drain, small};

const ALL: [Durability; 2] = [Durability::Process, Durability::Each];

fn processor(
    storage: &Simulated,
    config: Config,
    memory: usize,
    time: &VirtualTime,
) -> SpillProcessor<U64> {
    Spill::on(storage.clone()).config(config).processor(U64, memory, time).expect("it is sound")
}

#[test]
fn order_is_kept_through_memory_disk_and_memory_at_any_pace() {
    for durability in ALL {
        for seed in 0..30 {
            let mut random = fastrand::Rng::with_seed(seed);
            let time = VirtualTime::new();
            let memory = random.usize(0..6);
            let processor = processor(&Simulated::new(), small(durability), memory, &time);
            let monitor = processor.monitor();
            let (probe, subscriber) = Probe::new();
            let (puppet, source) = Puppet::new();
            let (front, flow) = processor.split();
            flow.subscribe(subscriber);
            source.subscribe(front);
            probe.request(1);
            let (mut n_sent, mut n_asked) = (0, 1);
            let mut has_spilled = false;
            for _ in 0..200 {
                match random.u8(0..4) {
                    0 | 1 => {
                        for _ in 0..random.u64(1..12) {
                            n_sent += u64::from(puppet.next(n_sent).is_ok());
                        }
                    }
                    2 => {
                        let n = random.u64(1..15);
                        probe.request(n);
                        n_asked += n;
                    }
                    _ => drop(time.run()),
                }
                has_spilled |= monitor.snapshot().counts.offered > 0;
                let items = probe.items();
                assert_eq!(items, (0..items.len() as u64).collect::<Vec<_>>(), "seed {seed}");
                assert!(items.len() as u64 <= n_asked);
                assert!(monitor.snapshot().is_whole());
            }
            probe.request(u64::MAX);
            time.run();
            puppet.complete();
            time.run();
            assert_eq!(probe.items(), (0..n_sent).collect::<Vec<_>>(), "seed {seed}");
            assert!(probe.is_completed(), "seed {seed}");
            assert!(has_spilled, "seed {seed}: nothing was spilled");
            assert_eq!(monitor.snapshot().unacknowledged, 0);
        }
    }
}

#[test]
fn what_fits_into_memory_never_sees_the_disk() {
    let storage = Simulated::new();
    let time = VirtualTime::new();
    let processor = processor(&storage, small(Durability::Each), 8, &time);
    let n = millstream::range(0..10_000_u64).spill(processor).count();
    assert_eq!(n.wait().expect("no error"), 10_000);
    assert!(storage.read("00000000000000000000.seg").is_none());
}

#[test]
fn the_upstream_is_asked_only_while_there_is_room() {
    let time = VirtualTime::new();
    let config = small(Durability::Process);
    // Two segments of five items.
    let config = Config { max_bytes: 2 * config.segment_bytes, ..config };
    let processor = processor(&Simulated::new(), config, 3, &time);
    let monitor = processor.monitor();
    let (probe, subscriber) = Probe::new();
    let (puppet, source) = Puppet::new();
    let (front, flow) = processor.split();
    flow.subscribe(subscriber);
    source.subscribe(front);
    assert_eq!(puppet.n_requests(), 0);
    probe.request(1);
    let mut n_sent = 0;
    for _ in 0..100 {
        while puppet.next(n_sent).is_ok() {
            n_sent += 1;
        }
        time.run();
    }
    // Passed on, in memory, ahead of that, before the disk, and on it; less those on their way to
    // the exit.
    assert!((60..100).contains(&n_sent), "{n_sent}");
    assert!(monitor.snapshot().bytes <= 2 * (32 + 5 * 24));
    for _ in 0..1000 {
        probe.request(1);
        time.run();
        while n_sent < 500 && puppet.next(n_sent).is_ok() {
            n_sent += 1;
        }
        time.run();
    }
    assert_eq!(n_sent, 500);
    puppet.complete();
    time.run();
    assert_eq!(probe.items(), (0..500).collect::<Vec<_>>());
    assert!(probe.is_completed());
}

#[test]
fn a_cancel_leaves_on_the_disk_what_was_not_passed_on() {
    let storage = Simulated::new();
    for round in 0..3 {
        let time = VirtualTime::new();
        let processor = processor(&storage, small(Durability::Each), 0, &time);
        let (probe, subscriber) = Probe::new();
        let (puppet, source) = Puppet::new();
        let (front, flow) = processor.split();
        flow.subscribe(subscriber);
        source.subscribe(front);
        probe.request(10);
        time.run();
        if round == 0 {
            for n in 0..50 {
                puppet.next(n).expect("it was asked for");
            }
            time.run();
        }
        assert_eq!(probe.items(), (round * 10..round * 10 + 10).collect::<Vec<_>>());
        probe.cancel();
        time.run();
        assert!(puppet.is_canceled());
    }
    let spill = Spill::on(storage).config(small(Durability::Each));
    let (_sender, mut receiver) = spill.open(U64, disk()).expect("it was given free");
    assert_eq!(drain(&mut receiver), (30..50).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_only_stops_the_source_and_a_broken_one_ends_the_flow() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
        let time = VirtualTime::new();
        let storage = Simulated::new();
        let processor = processor(&storage, small(Durability::Each), 0, &time);
        storage.fail(move |operation, _| {
            (operation == Operation::Write).then_some(Fault::Error(kind))
        });
        let (probe, subscriber) = Probe::new();
        let (puppet, source) = Puppet::new();
        let (front, flow) = processor.split();
        flow.subscribe(subscriber);
        source.subscribe(front);
        probe.request(100);
        for n in 0..10 {
            puppet.next(n).expect("it was asked for");
        }
        time.advance(Duration::from_secs(1));
        assert!(probe.items().is_empty());
        storage.heal();
        time.advance(Duration::from_millis(100));
        if kind == io::ErrorKind::StorageFull {
            assert_eq!(probe.items(), (0..10).collect::<Vec<_>>());
            assert!(!puppet.is_canceled());
        } else {
            assert!(puppet.is_canceled());
            let error = probe.error().expect("it has failed");
            assert_eq!(error.kind(), millstream::ErrorKind::Io);
        }
    }
}

#[test]
fn policies_drop_or_fail_at_the_ceiling() {
    for when_full in [WhenFull::Reject, WhenFull::DropNewest, WhenFull::DropOldest] {
        let time = VirtualTime::new();
        let config = small(Durability::Process);
        let config = Config { max_bytes: 2 * config.segment_bytes, when_full, ..config };
        let processor = processor(&Simulated::new(), config, 1, &time);
        let monitor = processor.monitor();
        let (probe, subscriber) = Probe::new();
        let (puppet, source) = Puppet::new();
        let (front, flow) = processor.split();
        flow.subscribe(subscriber);
        source.subscribe(front);
        probe.request(1);
        let mut n_sent = 0;
        for _ in 0..10 {
            while n_sent < 300 && puppet.next(n_sent).is_ok() {
                n_sent += 1;
            }
            time.run();
        }
        probe.request(u64::MAX);
        time.run();
        let counts = monitor.snapshot().counts;
        match when_full {
            WhenFull::Reject => {
                let error = probe.error().expect("it has failed");
                assert_eq!(error.kind(), millstream::ErrorKind::Overflow);
            }
            WhenFull::DropNewest => assert!(counts.dropped_newest > 100, "{counts:?}"),
            _ => assert!(counts.dropped_oldest > 100, "{counts:?}"),
        }
        assert!(probe.items().is_sorted_by(|a, b| a < b));
        assert!(monitor.snapshot().is_whole());
        if when_full != WhenFull::Reject {
            // It finds its way back into memory.
            puppet.next(1000).expect("it was asked for");
            time.run();
            puppet.next(1001).expect("it was asked for");
            assert_eq!(probe.items().last(), Some(&1001));
            let n_offered = counts.offered;
            assert_eq!(monitor.snapshot().counts.offered, n_offered);
        }
    }
}

#[test]
fn a_flow_between_threads_spills_and_loses_nothing() {
    for durability in ALL {
        let config =
            Config { segment_bytes: 4096, max_bytes: 1 << 20, durability, ..Config::default() };
        let spill = Spill::on(Simulated::new()).config(config);
        let processor = spill.processor(U64, 16, disk()).expect("it is new");
        let monitor = processor.monitor();
        let slow = millstream::scheduler::Pool::new(1);
        let items = millstream::range(0..20_000_u64)
            .subscribe_on(&millstream::scheduler::Pool::new(1))
            .spill(processor)
            .publish_on(&slow)
            .capacity(4)
            .fold((0, true), |(next, is_in_order), item| (next + 1, is_in_order && item == next));
        assert_eq!(items.wait().expect("no error"), (20_000, true));
        assert!(monitor.snapshot().is_whole());
    }
}
