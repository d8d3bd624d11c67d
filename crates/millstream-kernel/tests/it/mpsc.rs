//! Queues from many threads to one.

use millstream_kernel::{Capacity, mpsc, spsc::PushError};

use crate::support::Counter;

#[test]
fn a_bounded_queue_holds_exactly_its_capacity() {
    // Those for very many items are counted instead of laid out.
    for capacity in (1..=9).chain([4_096, 4_097, 10_000, 70_000]) {
        let (sender, mut receiver) = mpsc::bounded(Capacity::of(capacity));
        assert_eq!(receiver.capacity(), capacity);
        let senders = [sender.clone(), sender];

        for round in 0..3 {
            let n_pushed =
                (0..80_000).take_while(|n| senders[n % 2].push((round, *n)).is_ok()).count();
            assert_eq!(n_pushed, capacity);
            (0..capacity).for_each(|n| assert_eq!(receiver.pop(), Some((round, n))));
            assert_eq!(receiver.pop(), None);
        }
    }
}

#[test]
fn a_full_queue_gives_the_item_back() {
    let (sender, _receiver) = mpsc::bounded(Capacity::of(1));
    sender.push("first").unwrap();

    assert_eq!(sender.push("second"), Err(PushError("second")));
}

#[test]
fn a_queue_for_very_many_items_takes_memory_when_they_come() {
    for capacity in [1 << 20, Capacity::MAX] {
        let (sender, mut receiver) = mpsc::bounded(Capacity::of(capacity));

        (0..10_000).for_each(|n| sender.push(n).unwrap());

        (0..10_000).for_each(|n| assert_eq!(receiver.pop(), Some(n)));
        assert_eq!(receiver.pop(), None);
    }
}

#[test]
fn what_is_left_in_a_bounded_queue_is_dropped_once() {
    for capacity in [4, 1 << 20] {
        for (n_popped, n_left) in (0..6).flat_map(|popped| (0..=3).map(move |left| (popped, left)))
        {
            for is_sender_first in [false, true] {
                let counter = Counter::default();
                let (sender, mut receiver) = mpsc::bounded(Capacity::of(capacity));
                for n in 0..n_popped {
                    sender.push(counter.item(n)).unwrap();
                    assert_eq!(receiver.pop().unwrap().number, n);
                }
                (0..n_left).for_each(|n| sender.push(counter.item(n)).unwrap());

                let n_after = u64::from(!is_sender_first);
                if is_sender_first {
                    drop(sender);
                    drop(receiver);
                } else {
                    drop(receiver);
                    assert_eq!(
                        counter.n_dropped() as u64,
                        n_popped + n_left,
                        "nobody can pop them"
                    );
                    sender.push(counter.item(0)).unwrap();
                    drop(sender);
                }

                assert_eq!(counter.n_dropped() as u64, n_popped + n_left + n_after);
            }
        }
    }
}

#[test]
fn a_growing_queue_holds_any_number_in_order() {
    let (sender, mut receiver) = mpsc::growing();
    let senders = [sender.clone(), sender];

    (0..1_000).for_each(|n| senders[n % 2].push(n));

    (0..1_000).for_each(|n| assert_eq!(receiver.pop(), Some(n)));
    assert_eq!(receiver.pop(), None);
}

#[test]
fn what_is_left_in_a_growing_queue_is_dropped_once() {
    for (n_popped, n_left) in (0..3).flat_map(|popped| (0..4).map(move |left| (popped, left))) {
        for is_sender_first in [false, true] {
            let counter = Counter::default();
            let (sender, mut receiver) = mpsc::growing();
            for n in 0..n_popped {
                sender.push(counter.item(n));
                assert_eq!(receiver.pop().unwrap().number, n);
            }
            (0..n_left).for_each(|n| sender.push(counter.item(n)));

            if is_sender_first {
                drop(sender);
                drop(receiver);
            } else {
                drop(receiver);
                sender.push(counter.item(0));
                drop(sender);
            }

            let n_after = u64::from(!is_sender_first);
            assert_eq!(counter.n_dropped() as u64, n_popped + n_left + n_after);
        }
    }
}
