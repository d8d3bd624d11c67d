//! Queues between two threads.

use std::sync::Arc;

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::{Capacity, End, spsc};

use crate::support::model;

/// Two items through one place: in order, each once, and the end after them.
///
/// Kills: relaxed store of `tail`; relaxed store of `head`.
#[test]
fn a_bounded_queue_keeps_order_and_ends_after_the_last_item() {
    model(10, &[vec![1, 2]], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let other = thread::spawn(move || {
            for item in [1_u64, 2] {
                let mut item = Box::new(item);
                while let Err(spsc::PushError(back)) = producer.push(item) {
                    item = back;
                    thread::yield_now();
                }
            }
            producer.close(End::Complete);
        });
        let mut items = Vec::new();
        loop {
            match consumer.pop() {
                spsc::Pop::Item(item) => items.push(*item),
                spsc::Pop::Empty => thread::yield_now(),
                spsc::Pop::Closed(end) => {
                    assert!(matches!(end, Some(End::Complete)));
                    break;
                }
            }
        }
        other.join().unwrap();

        items
    });
}

/// Four items through a first block of two, and one of four if the first is found full: in order,
/// each once, and the end after them.
///
/// Kills: `advance` looks past the end of its block; a new block is linked after `tail`; the
/// consumer moves on when it has seen the block, and not the items before it.
#[test]
fn a_bounded_queue_keeps_order_while_it_grows() {
    model(10, &[vec![1, 2, 3, 4]], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(4));
        let other = thread::spawn(move || {
            for item in 1..=4_u64 {
                producer.push(Box::new(item)).unwrap();
            }
            producer.close(End::Complete);
        });
        let mut items = Vec::new();
        loop {
            match consumer.pop() {
                spsc::Pop::Item(item) => items.push(*item),
                spsc::Pop::Empty => thread::yield_now(),
                spsc::Pop::Closed(end) => {
                    assert!(matches!(end, Some(End::Complete)));
                    break;
                }
            }
        }
        other.join().unwrap();

        items
    });
}

/// What waits in two blocks when both sides leave is dropped once.
///
/// Kills: the drop of the ring stays in its first block.
#[test]
fn a_queue_that_grew_drops_what_is_left_in_its_blocks() {
    model(2, &[()], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(4));
        // Of their own, so that one that is dropped twice does not make up for another.
        let items = [(); 4].map(Arc::new);
        let [first @ .., last] = items.clone();
        for item in first {
            producer.push(item).unwrap();
        }
        let other = thread::spawn(move || producer.push(last).unwrap());
        assert!(matches!(consumer.pop(), spsc::Pop::Item(_)));
        drop(consumer);
        other.join().unwrap();

        // The last ones first: they are left in the second block.
        assert!(items.iter().rev().all(|item| Arc::strong_count(item) == 1));
    });
}

/// An end that is taken without demand does not overtake an item.
///
/// Kills: `take_end` looks at the queue before the flag.
#[test]
fn an_end_does_not_overtake_an_item() {
    model(3, &[false, true], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let other = thread::spawn(move || {
            producer.push(1_u64).unwrap();
            producer.close(End::Complete);
        });
        let is_closed_early = consumer.take_end().is_some();
        assert!(!is_closed_early, "the item was not taken yet");
        let is_there = matches!(consumer.pop(), spsc::Pop::Item(1));
        other.join().unwrap();

        is_there
    });
}

/// What the consumer did before it abandoned a queue is seen by the producer that finds it
/// abandoned, and an item that crosses this is dropped once, with the queue.
///
/// Kills: relaxed store of `is_abandoned`.
#[test]
fn an_abandoned_queue_is_found_abandoned_after_all_that_was_done() {
    model(3, &[false, true], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let item = Arc::new(());
        let witness = Arc::new(UnsafeCell::new(false));
        let other = {
            let witness = Arc::clone(&witness);
            thread::spawn(move || {
                // SAFETY: a plain write; loom watches that no other thread is here.
                witness.with_mut(|witness| unsafe { *witness = true });
                consumer.abandon();
            })
        };
        producer.push(Arc::clone(&item)).unwrap();
        let is_abandoned = producer.is_abandoned();
        if is_abandoned {
            // SAFETY: as above.
            assert!(witness.with(|witness| unsafe { *witness }));
        }
        other.join().unwrap();
        assert!(producer.is_abandoned());
        assert_eq!(Arc::strong_count(&item), 2);
        drop(producer);

        assert_eq!(Arc::strong_count(&item), 1);
        is_abandoned
    });
}

/// Three items through blocks of two: in order, each once.
///
/// Kills: relaxed store of `n_written`.
#[test]
fn a_growing_queue_keeps_order_across_blocks() {
    model(5, &[vec![1, 2, 3]], || {
        let (mut producer, mut consumer) = spsc::growing();
        let other = thread::spawn(move || {
            for item in [1_u64, 2, 3] {
                producer.push(Box::new(item));
            }
        });
        let mut items = Vec::new();
        while items.len() < 3 {
            match consumer.pop() {
                Some(item) => items.push(*item),
                None => thread::yield_now(),
            }
        }
        other.join().unwrap();

        items
    });
}

/// A queue is used again while its last producer is on its way out: each round's item arrives in
/// it, and the end after it.
///
/// Kills: the flag is loaded relaxed.
#[test]
fn a_queue_that_is_reopened_keeps_its_rounds_apart() {
    model(2, &[vec![1, 2]], || {
        let (producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let mut others = vec![round(producer, 1)];
        let mut items = Vec::new();
        loop {
            match consumer.pop() {
                spsc::Pop::Item(item) => items.push(*item),
                spsc::Pop::Empty => thread::yield_now(),
                spsc::Pop::Closed(end) => {
                    assert!(matches!(end, Some(End::Complete)));
                    if others.len() == 2 {
                        break;
                    }
                    others.push(round(consumer.reopen().unwrap(), 2));
                }
            }
        }
        others.into_iter().for_each(|other| other.join().unwrap());

        items
    });
}

fn round(mut producer: spsc::Producer<Box<u64>>, item: u64) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        producer.push(Box::new(item)).unwrap();
        producer.close(End::Complete);
    })
}

/// The consumer looks whether anything is queued before it pops.
///
/// Kills: relaxed order in `is_drained`.
#[test]
fn an_item_is_ordered_before_a_pop_after_a_look() {
    model(2, &[0, 1], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        let other = thread::spawn(move || producer.push(1_u64).unwrap());
        let item = match consumer.is_drained() {
            true => 0,
            false => match consumer.pop() {
                spsc::Pop::Item(item) => item,
                other => panic!("{other:?}"),
            },
        };
        other.join().unwrap();
        item
    });
}

/// The producer counts what is queued before it pushes into a slot that was given up.
///
/// Kills: relaxed order in `n_queued`.
#[test]
fn a_pop_is_ordered_before_a_push_after_a_count() {
    model(2, &[0, 1], || {
        let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
        producer.push(1_u64).unwrap();
        let other = thread::spawn(move || {
            let _first = consumer.pop();
            consumer
        });
        let n_queued = producer.n_queued();
        if n_queued == 0 {
            producer.push(2).unwrap();
        }
        drop(other.join().unwrap());
        n_queued
    });
}

/// Blocks go back to the producer and are filled again: each item arrives once and in order.
///
/// Kills: `grow` takes a spare block relaxed; `advance` hands it over relaxed.
#[test]
fn a_block_that_is_used_again_is_ordered_after_its_first_use() {
    model(2, &[true], || {
        let (mut producer, mut consumer) = spsc::growing();
        (0..3).for_each(|item| producer.push(item));
        let other = thread::spawn(move || {
            let first: Vec<u64> = (0..3).map_while(|_| consumer.pop()).collect();
            (first, consumer)
        });
        (3..6).for_each(|item| producer.push(item));
        let (mut items, mut consumer) = other.join().unwrap();
        items.extend(std::iter::from_fn(|| consumer.pop()));
        items.into_iter().eq(0..6)
    });
}
