//! What happens at the ceiling.

use millstream_spill::{
    Config, Durability, Sent, Spill, SpillError, WhenFull,
    codec::{Bytes, U64},
    storage::Simulated,
};

use crate::{disk, drain, send_all, small};

/// Two segments, of five numbers each.
fn two_segments(when_full: WhenFull) -> Config {
    let config = small(Durability::Process);
    Config { max_bytes: 2 * config.segment_bytes, when_full, ..config }
}

#[test]
fn a_full_queue_gives_the_item_back() {
    let (sender, mut receiver) = Spill::on(Simulated::new())
        .config(two_segments(WhenFull::Reject))
        .open(U64, disk())
        .expect("it is new");
    send_all(&sender, 0..10);

    let refused = sender.send_blocking(10).expect_err("it is full");
    assert_eq!(refused.item, 10);
    assert!(matches!(refused.error, SpillError::Full));
    let refused = sender.send_all_blocking(10..13).expect_err("it is full");
    assert_eq!(refused.item, [10, 11, 12]);

    assert_eq!(drain(&mut receiver).len(), 10);
    receiver.acknowledge_blocking(3).expect("it can be written");
    assert!(sender.send_blocking(10).is_err(), "no segment is free yet");
    receiver.acknowledge_blocking(4).expect("it can be written");
    assert_eq!(sender.send_blocking(10).expect("a segment is free"), Sent::Safe(10));
    let snapshot = sender.snapshot();
    assert_eq!((snapshot.counts.offered, snapshot.counts.rejected), (14, 3));
    assert!(snapshot.is_whole());
}

#[test]
fn the_newest_or_the_oldest_are_dropped_and_counted() {
    let open = |when_full| {
        let spill = Spill::on(Simulated::new()).config(two_segments(when_full));
        spill.open(U64, disk()).expect("it is new")
    };
    let (sender, mut receiver) = open(WhenFull::DropNewest);
    send_all(&sender, 0..13);
    assert_eq!(sender.send_blocking(13).expect("dropped"), Sent::Dropped);
    assert_eq!(drain(&mut receiver), (0..10).collect::<Vec<_>>());
    let snapshot = sender.snapshot();
    assert_eq!(snapshot.counts.dropped_newest, 4);
    assert!(snapshot.is_whole());

    let (sender, mut receiver) = open(WhenFull::DropOldest);
    send_all(&sender, 0..5);
    // In the middle of the segment that is going to be dropped.
    assert_eq!(receiver.try_recv().expect("sound").map(|entry| entry.item), Some(0));
    send_all(&sender, 5..13);
    assert_eq!(drain(&mut receiver), (5..13).collect::<Vec<_>>());
    let snapshot = sender.snapshot();
    assert_eq!((snapshot.counts.dropped_oldest, snapshot.counts.delivered), (4, 9));
    assert!(snapshot.is_whole());
}

#[test]
fn what_was_dropped_is_not_missed_when_the_queue_is_opened_again() {
    let storage = Simulated::new();
    let spill = Spill::on(storage).config(two_segments(WhenFull::DropOldest));
    let (sender, receiver) = spill.clone().open(U64, disk()).expect("it is new");
    send_all(&sender, 0..30);
    drop((sender, receiver));

    let (_sender, mut receiver) = spill.open(U64, disk()).expect("nothing is damaged");
    assert_eq!(drain(&mut receiver), (20..30).collect::<Vec<_>>());
}

#[test]
fn senders_wait_for_room_and_none_is_forgotten() {
    let (sender, mut receiver) = Spill::on(Simulated::new())
        .config(two_segments(WhenFull::Wait))
        .open(U64, disk())
        .expect("it is new");
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || match thread {
                0 => sender.send_all_blocking(0..100).expect("there will be room"),
                1 => {
                    for n in 0..100 {
                        sender.send_blocking(n).expect("there will be room");
                    }
                }
                _ => pollster::block_on(async {
                    for n in 0..100 {
                        sender.send(n).await.expect("there will be room");
                    }
                }),
            });
        }
        drop(sender);
        let mut n_received = 0;
        while let Some(entry) = receiver.recv_blocking().expect("sound") {
            n_received += 1;
            receiver.acknowledge_blocking(entry.sequence).expect("it can be written");
        }
        assert_eq!(n_received, 300);
    });
    let snapshot = receiver.snapshot();
    assert_eq!((snapshot.counts.offered, snapshot.counts.rejected), (300, 0));
    assert!(snapshot.is_whole());
}

#[test]
fn a_waiting_sender_is_told_that_the_receiver_is_gone() {
    let (sender, receiver) = Spill::on(Simulated::new())
        .config(two_segments(WhenFull::Wait))
        .open(U64, disk())
        .expect("it is new");
    send_all(&sender, 0..10);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| sender.send_blocking(10));
        drop(receiver);
        let refused = waiting.join().expect("no panic").expect_err("nobody will receive it");
        assert!(matches!(refused.error, SpillError::Closed));
        assert_eq!(refused.item, 10);
    });
}

#[test]
fn an_item_larger_than_a_segment_is_given_back() {
    let config = Config { segment_bytes: 100, max_bytes: 1000, ..Config::default() };
    let max = config.max_item_bytes();
    let (sender, mut receiver) =
        Spill::on(Simulated::new()).config(config).open(Bytes, disk()).expect("it is new");
    let refused = sender.send_blocking(vec![1; max as usize + 1]).expect_err("too large");
    assert_eq!(refused.item.len() as u64, max + 1);
    assert!(matches!(refused.error, SpillError::TooLarge { bytes: 53, max: 52 }));

    sender.send_blocking(vec![2; max as usize]).expect("it just fits");
    sender.send_blocking(Vec::new()).expect("nothing is an item too");
    assert_eq!(drain(&mut receiver), [vec![2; 52], Vec::new()]);
    assert!(sender.snapshot().is_whole());
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let bad = [
        Config { segment_bytes: 48, ..Config::default() },
        Config { segment_bytes: 1 << 31, max_bytes: 1 << 40, ..Config::default() },
        Config { max_bytes: (128 << 20) - 1, ..Config::default() },
        Config { durability: Durability::Group(0, std::time::Duration::ZERO), ..Config::default() },
    ];
    for config in bad {
        assert!(matches!(config.validate(), Err(SpillError::Config(_))), "{config:?}");
        let opened = Spill::on(Simulated::new()).config(config).open(U64, disk());
        assert!(matches!(opened, Err(SpillError::Config(_))));
    }
    assert!(Config::default().validate().is_ok());
}
