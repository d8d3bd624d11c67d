//! Queues from one thread to another.

use millstream_kernel::{
    Capacity, End,
    spsc::{self, Pop, PushError},
};
use reactive_streams::{Error, ErrorKind};

use crate::support::Counter;

#[test]
fn a_bounded_queue_holds_exactly_its_capacity() {
    // Those for more than a thousand items grow to their capacity, in blocks.
    for capacity in (1..=9).chain([1_024, 1_025, 2_048, 2_049, 5_000]) {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(capacity));

        // Three rounds, so that the ring wraps.
        for round in 0..3 {
            let n_pushed = (0..9_000).take_while(|n| producer.push((round, *n)).is_ok()).count();
            assert_eq!(n_pushed, capacity);
            for n in 0..capacity {
                assert!(matches!(consumer.pop(), Pop::Item(item) if item == (round, n)));
            }
            assert!(matches!(consumer.pop(), Pop::Empty));
        }
    }
}

/// The queue holds its capacity wherever the blocks lie in which its items are.
#[test]
fn a_queue_that_grows_keeps_order_and_its_bound_with_items_in_two_blocks() {
    for n_first in [0, 1, 700, 1_023, 1_024] {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(3_000));
        let (mut n_pushed, mut n_popped) = (0, 0);
        let mut push = |n: &mut u64| {
            let is_pushed = producer.push(*n).is_ok();
            *n += u64::from(is_pushed);
            is_pushed
        };
        while n_pushed < 1_024 {
            assert!(push(&mut n_pushed));
        }
        for _ in 0..n_first {
            assert!(matches!(consumer.pop(), Pop::Item(n) if n == n_popped));
            n_popped += 1;
        }

        // One in, one out, and two in, one out, until it is full; and so on for some laps.
        for step in 0..20_000_u64 {
            let is_full = n_pushed - n_popped == 3_000;
            assert_eq!(push(&mut n_pushed), !is_full, "{n_first}, {step}");
            if step % 2 == 0 || step % 5_000 > 4_000 {
                assert!(matches!(consumer.pop(), Pop::Item(n) if n == n_popped));
                n_popped += 1;
            }
        }

        while n_popped < n_pushed {
            assert!(!consumer.is_drained());
            assert!(matches!(consumer.pop(), Pop::Item(n) if n == n_popped));
            n_popped += 1;
        }
        assert!(consumer.is_drained());
        assert!(matches!(consumer.pop(), Pop::Empty));
    }
}

#[test]
fn a_queue_for_very_many_items_takes_memory_when_they_come() {
    for capacity in [1 << 20, Capacity::MAX] {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(capacity));
        assert_eq!(consumer.capacity(), capacity);

        for round in 0..3 {
            (0..10_000).for_each(|n| producer.push((round, n)).unwrap());
            assert_eq!(producer.n_queued(), 10_000);
            for n in 0..10_000 {
                assert!(matches!(consumer.pop(), Pop::Item(item) if item == (round, n)));
            }
        }
        producer.close(End::Complete);

        assert!(matches!(consumer.take_end(), Some(Some(End::Complete))));
        let mut producer = consumer.reopen().unwrap();
        producer.push((9, 9)).unwrap();
        assert!(matches!(consumer.pop(), Pop::Item((9, 9))));
    }
}

/// Reopened, a queue goes on in the newest block, also if its consumer has not seen that one.
#[test]
fn a_queue_that_has_grown_can_be_reopened() {
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(5_000));
    for round in 0..5 {
        let n_items = 1_000 * (round + 1);
        (0..n_items).for_each(|n| producer.push(n).unwrap());
        producer.close(End::Complete);
        for n in 0..n_items {
            assert!(consumer.reopen().is_none(), "items wait");
            assert!(matches!(consumer.pop(), Pop::Item(item) if item == n));
        }
        producer = consumer.reopen().unwrap();
    }
    assert_eq!((0..9_000).take_while(|n| producer.push(*n).is_ok()).count(), 5_000);
}

#[test]
fn what_is_left_in_a_queue_that_has_grown_is_dropped_once() {
    for n_popped in [0, 1_000, 1_024, 1_500, 4_000, 6_000] {
        let counter = Counter::default();
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(6_000));
        (0..6_000).for_each(|n| producer.push(counter.item(n)).unwrap());
        for n in 0..n_popped {
            assert!(matches!(consumer.pop(), Pop::Item(item) if item.number == n));
        }
        assert_eq!(counter.n_dropped() as u64, n_popped);

        drop((producer, consumer));

        assert_eq!(counter.n_dropped(), 6_000);
    }
}

#[test]
fn a_full_queue_gives_the_item_back() {
    let (mut producer, _consumer) = spsc::bounded(Capacity::of(1));
    producer.push("first").unwrap();

    let error = producer.push("second").unwrap_err();

    assert_eq!(error, PushError("second"));
    assert_eq!(format!("{error}, {error:?}"), "the queue is full, PushError(..)");
}

#[test]
fn an_end_comes_after_the_last_item_and_once() {
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(2));
    producer.push(1).unwrap();
    producer.push(2).unwrap();
    producer.close(End::Failed(Error::message("planted")));

    assert!(consumer.take_end().is_none(), "items wait");
    assert!(matches!(consumer.pop(), Pop::Item(1)));
    assert!(!consumer.is_drained());
    assert!(matches!(consumer.pop(), Pop::Item(2)));
    assert!(consumer.is_drained());
    let Pop::Closed(Some(End::Failed(error))) = consumer.pop() else {
        panic!("an error was to come")
    };
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(matches!(consumer.pop(), Pop::Closed(None)));
}

#[test]
fn an_end_is_known_as_soon_as_nothing_waits() {
    let (producer, mut consumer) = spsc::bounded::<u8>(Capacity::of(1));
    assert!(consumer.take_end().is_none(), "it is open");

    producer.close(End::Complete);

    assert!(matches!(consumer.take_end(), Some(Some(End::Complete))));
    assert!(matches!(consumer.take_end(), Some(None)));
}

#[test]
fn a_producer_that_is_dropped_closes_without_an_end() {
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
    producer.push(1).unwrap();

    drop(producer);

    assert!(matches!(consumer.pop(), Pop::Item(1)));
    assert!(matches!(consumer.pop(), Pop::Closed(None)));
}

#[test]
fn what_is_left_in_a_bounded_queue_is_dropped_once() {
    for (n_popped, n_left) in (0..6).flat_map(|popped| (0..=4).map(move |left| (popped, left))) {
        for is_producer_first in [false, true] {
            let counter = Counter::default();
            let (mut producer, mut consumer) = spsc::bounded(Capacity::of(4));
            for n in 0..n_popped {
                producer.push(counter.item(n)).unwrap();
                assert!(matches!(consumer.pop(), Pop::Item(item) if item.number == n));
            }
            (0..n_left).for_each(|n| producer.push(counter.item(n)).unwrap());
            assert_eq!(counter.n_dropped() as u64, n_popped);

            if is_producer_first {
                drop(producer);
                drop(consumer);
            } else {
                drop(consumer);
                drop(producer);
            }

            assert_eq!(counter.n_dropped() as u64, n_popped + n_left);
        }
    }
}

#[test]
fn a_producer_knows_how_many_items_wait_and_whether_anybody_takes_them() {
    let counter = Counter::default();
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(3));
    for round in 0..3 {
        assert_eq!(producer.n_queued(), 0);
        (0..3).for_each(|n| producer.push(counter.item(n)).unwrap());
        assert_eq!(producer.n_queued(), 3);
        assert!(matches!(consumer.pop(), Pop::Item(_)));
        assert_eq!(producer.n_queued(), 2);
        while matches!(consumer.pop(), Pop::Item(_)) {}
        assert_eq!(counter.n_dropped(), 3 * (round + 1));
    }
    assert!(!producer.is_abandoned());

    consumer.abandon();

    assert!(producer.is_abandoned());
    producer.push(counter.item(9)).unwrap();
    drop((producer, consumer));
    assert_eq!(counter.n_dropped(), 10);
}

#[test]
fn a_growing_queue_holds_any_number_in_order() {
    for n_items in [0, 1, 31, 32, 33, 64, 65, 1_000] {
        let (mut producer, mut consumer) = spsc::growing();

        (0..n_items).for_each(|n| producer.push(n));

        (0..n_items).for_each(|n| assert_eq!(consumer.pop(), Some(n)));
        assert_eq!(consumer.pop(), None);
    }
}

#[test]
fn what_is_left_in_a_growing_queue_is_dropped_once() {
    // Around the blocks' length of 32, with blocks that were handed back and used again.
    let sizes = [0, 1, 31, 32, 33, 63, 64, 65, 97];
    for (n_popped, n_left) in sizes.iter().flat_map(|&a| sizes.map(|b| (a, b))) {
        for is_producer_first in [false, true] {
            let counter = Counter::default();
            let (mut producer, mut consumer) = spsc::growing();
            for n in 0..n_popped {
                producer.push(counter.item(n));
                assert_eq!(consumer.pop().unwrap().number, n);
            }
            (0..n_left).for_each(|n| producer.push(counter.item(n)));

            if is_producer_first {
                drop(producer);
                drop(consumer);
            } else {
                drop(consumer);
                // Nobody pops any more.
                producer.push(counter.item(0));
                drop(producer);
            }

            let n_after = u64::from(!is_producer_first);
            assert_eq!(counter.n_dropped() as u64, n_popped + n_left + n_after);
        }
    }
}

#[test]
fn a_queue_that_has_ended_is_used_again() {
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(2));
    for round in 0..3 {
        assert!(consumer.reopen().is_none(), "more may come");
        producer.push((round, 1)).unwrap();
        producer.push((round, 2)).unwrap();
        producer.push((round, 3)).unwrap_err();
        producer.close(End::Complete);
        assert!(consumer.reopen().is_none(), "items are queued");
        assert!(matches!(consumer.pop(), Pop::Item(item) if item == (round, 1)));
        assert!(matches!(consumer.pop(), Pop::Item(item) if item == (round, 2)));
        assert!(matches!(consumer.pop(), Pop::Closed(Some(End::Complete))));

        producer = consumer.reopen().unwrap();

        assert!(matches!(consumer.pop(), Pop::Empty));
    }
}

#[test]
fn a_round_gets_no_end_of_the_one_before() {
    let (producer, mut consumer) = spsc::bounded::<u8>(Capacity::of(1));
    producer.close(End::Complete);

    drop(consumer.reopen().unwrap());

    assert!(matches!(consumer.pop(), Pop::Closed(None)));
}
