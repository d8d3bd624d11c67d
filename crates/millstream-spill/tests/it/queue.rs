//! What a queue does when nothing goes wrong.

use std::time::Duration;

use millstream::scheduler::VirtualTime;
use millstream_spill::{
    Durability, Sent, Spill,
    codec::{Text, U64},
    storage::{Operation, Simulated},
};

use crate::{disk, drain, send_all, small};

const ALL: [Durability; 3] =
    [Durability::Process, Durability::Group(3, Duration::from_millis(1)), Durability::Each];

#[test]
fn items_come_out_in_order_and_again_until_acknowledged() {
    for durability in ALL {
        let storage = Simulated::new();
        let open = || Spill::on(storage.clone()).config(small(durability)).open(U64, disk());
        let (sender, mut receiver) = open().expect("it is new");
        send_all(&sender, 0..12);
        assert_eq!(sender.send_blocking(12).expect("there is room"), Sent::Safe(12));
        assert_eq!(drain(&mut receiver), (0..13).collect::<Vec<_>>());
        receiver.acknowledge_blocking(6).expect("it can be written");
        receiver.rewind();
        assert_eq!(drain(&mut receiver), (7..13).collect::<Vec<_>>());
        drop((sender, receiver));

        let (sender, mut receiver) = open().expect("it was closed");
        assert_eq!((sender.recovered().items, sender.recovered().cursor), (6, 7));
        send_all(&sender, [13]);
        assert_eq!(drain(&mut receiver), (7..14).collect::<Vec<_>>());
        receiver.acknowledge_blocking(13).expect("it can be written");
        drop((sender, receiver));

        let (sender, mut receiver) = open().expect("it was closed");
        assert_eq!(sender.send_blocking(14).expect("there is room"), Sent::Safe(14));
        assert_eq!(drain(&mut receiver), [14]);
        assert!(sender.snapshot().is_whole());
    }
}

#[test]
fn segments_before_the_cursor_are_removed() {
    let storage = Simulated::new();
    let (sender, mut receiver) = Spill::on(storage.clone())
        .config(small(Durability::Each))
        .open(U64, disk())
        .expect("it is new");
    send_all(&sender, 0..25);
    assert_eq!(sender.snapshot().segments, 5);
    assert_eq!(drain(&mut receiver).len(), 25);

    receiver.acknowledge_blocking(13).expect("it can be written");

    let snapshot = sender.snapshot();
    assert_eq!((snapshot.segments, snapshot.bytes), (3, 3 * (32 + 5 * 24)));
    assert!(storage.read("00000000000000000005.seg").is_none());
    assert!(storage.read("00000000000000000010.seg").is_some());
}

#[test]
fn futures_send_and_receive_and_end() {
    for durability in ALL {
        let (sender, mut receiver) = Spill::on(Simulated::new())
            .config(small(durability))
            .open(Text, disk())
            .expect("it is new");
        pollster::block_on(async {
            for n in 0..20_u64 {
                assert_eq!(sender.send(n.to_string()).await.expect("room"), Sent::Safe(n));
            }
            drop(sender);
            for n in 0..20_u64 {
                let entry = receiver.recv().await.expect("sound").expect("sent");
                assert_eq!((entry.sequence, entry.item), (n, n.to_string()));
                receiver.acknowledge(n).await.expect("it can be written");
            }
            assert!(receiver.recv().await.expect("sound").is_none());
        });
    }
}

#[test]
fn a_receiver_waits_for_a_sender_on_another_thread() {
    for durability in ALL {
        let (sender, mut receiver) = Spill::on(Simulated::new())
            .config(small(durability))
            .open(U64, disk())
            .expect("it is new");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for n in 0..200 {
                    sender.send_blocking(n).expect("there is room");
                }
            });
            for n in 0..200 {
                let entry = receiver.recv_blocking().expect("sound").expect("sent");
                assert_eq!(entry.item, n);
            }
            assert!(receiver.recv_blocking().expect("sound").is_none());
        });
    }
}

#[test]
fn many_senders_share_syncs_and_each_keeps_its_order() {
    let storage = Simulated::new();
    let n_syncs = std::sync::Arc::new(parking_lot::Mutex::new(0));
    let counter = std::sync::Arc::clone(&n_syncs);
    storage.fail(move |operation, _| {
        if operation == Operation::Sync {
            *counter.lock() += 1;
        }
        None
    });
    let config = millstream_spill::Config { durability: Durability::Each, ..Default::default() };
    let (sender, mut receiver) =
        Spill::on(storage).config(config).open(U64, disk()).expect("it is new");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let sender = sender.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    sender.send_blocking(thread * 1000 + n).expect("there is room");
                }
            });
        }
    });
    let items = drain(&mut receiver);
    assert_eq!(items.len(), 400);
    for thread in 0..8 {
        let own: Vec<_> = items.iter().filter(|item| *item / 1000 == thread).collect();
        assert!(own.is_sorted(), "{own:?}");
    }
    // At the most one for each item, and those of the directory's making.
    assert!(*n_syncs.lock() <= 404);
}

#[test]
fn a_group_is_synced_when_it_is_full_or_its_time_has_come() {
    let time = VirtualTime::new();
    let group = Durability::Group(3, Duration::from_millis(5));
    let (sender, mut receiver) =
        Spill::on(Simulated::new()).config(small(group)).open(U64, &time).expect("it is new");
    let mut first = Box::pin(sender.send(0));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    time.run();
    assert!(first.as_mut().poll(&mut cx).is_pending());
    time.advance(Duration::from_millis(4));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    // What is not safe is not received.
    assert!(receiver.try_recv().expect("sound").is_none());
    assert_eq!(sender.snapshot().unsafe_items, 1);

    time.advance(Duration::from_millis(1));
    assert!(first.as_mut().poll(&mut cx).is_ready());
    assert_eq!(receiver.try_recv().expect("sound").map(|entry| entry.item), Some(0));

    let mut group: Vec<_> = (1..4).map(|n| Box::pin(sender.send(n))).collect();
    for send in &mut group {
        assert!(send.as_mut().poll(&mut cx).is_pending());
        time.run();
        // The third of them finds the group full.
        let _pending = send.as_mut().poll(&mut cx).is_pending();
    }
    time.run();
    assert!(group.iter_mut().take(2).all(|send| send.as_mut().poll(&mut cx).is_ready()));
}

#[test]
fn age_rate_and_time_are_those_of_the_clock() {
    let time = VirtualTime::new();
    let (sender, mut receiver) = Spill::on(Simulated::new())
        .config(small(Durability::Process))
        .open(U64, &time)
        .expect("it is new");
    time.advance(Duration::from_secs(5));
    assert_eq!(sender.snapshot().oldest_age, None);
    send_all(&sender, 0..100);
    time.advance(Duration::from_secs(2));

    let snapshot = sender.snapshot();
    assert_eq!((snapshot.depth, snapshot.unacknowledged), (100, 0));
    assert_eq!(snapshot.oldest_age, Some(Duration::from_secs(2)));
    assert_eq!(snapshot.time_spilling, Duration::from_secs(2));

    assert_eq!(drain(&mut receiver).len(), 100);
    time.advance(Duration::from_secs(2));
    let snapshot = sender.snapshot();
    assert_eq!(snapshot.oldest_age, None);
    assert_eq!(snapshot.time_spilling, Duration::from_secs(2));
    assert_eq!(snapshot.drain_rate, 50.0);
    assert_eq!(snapshot.unacknowledged, 100);
}

#[test]
fn nobody_waits_for_a_scheduler_that_was_shut_down() {
    let pool = millstream::scheduler::Pool::new(1);
    let group = Durability::Group(100, Duration::from_secs(3600));
    let (sender, mut receiver) =
        Spill::on(Simulated::new()).config(small(group)).open(U64, &pool).expect("it is new");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| sender.send_blocking(7));
        while sender.snapshot().unsafe_items == 0 {
            std::thread::yield_now();
        }
        pool.shutdown();
        // The timer's job is dropped, and commits before it goes.
        assert!(waiting.join().expect("no panic").is_ok());
    });
    let refused = pollster::block_on(sender.send(8)).expect_err("nobody works");
    assert_eq!(refused.item, 8);
    assert!(pollster::block_on(receiver.recv()).is_err());
    assert_eq!(receiver.try_recv().expect("sound").map(|entry| entry.item), Some(7));
}
