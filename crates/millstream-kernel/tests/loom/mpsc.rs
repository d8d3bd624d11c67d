//! Queues from two threads to one.

use loom::thread;
use millstream_kernel::{Capacity, mpsc};

use crate::support::model;

/// Two producers and two places: both items arrive once, in either order.
///
/// Kills: relaxed stamp in `push`.
#[test]
fn a_bounded_queue_takes_from_two_producers() {
    model(5, &[vec![1, 2], vec![2, 1]], || {
        let (sender, mut receiver) = mpsc::bounded(Capacity::of(2));
        let others: Vec<_> = [1_u64, 2]
            .into_iter()
            .map(|item| {
                let sender = sender.clone();
                thread::spawn(move || sender.push(Box::new(item)).unwrap())
            })
            .collect();
        let mut items = Vec::new();
        while items.len() < 2 {
            match receiver.pop() {
                Some(item) => items.push(*item),
                None => thread::yield_now(),
            }
        }
        others.into_iter().for_each(|other| other.join().unwrap());

        items
    });
}

/// One place is one place, with two producers too.
///
/// Kills: a full slot of the last round counts as free: stamps one apart.
#[test]
fn a_queue_of_one_holds_one() {
    model(2, &[1], || {
        let (sender, mut receiver) = mpsc::bounded(Capacity::of(1));
        let other = {
            let sender = sender.clone();
            thread::spawn(move || usize::from(sender.push(1_u64).is_ok()))
        };
        let n_pushed = usize::from(sender.push(2).is_ok());
        let n_pushed = n_pushed + other.join().unwrap();

        assert!(receiver.pop().is_some() && receiver.pop().is_none());
        n_pushed
    });
}

/// Two producers: both items arrive once, in either order.
///
/// Kills: relaxed store of `next`.
#[test]
fn a_growing_queue_takes_from_two_producers() {
    model(5, &[vec![1, 2], vec![2, 1]], || {
        let (sender, mut receiver) = mpsc::growing();
        let others: Vec<_> = [1_u64, 2]
            .into_iter()
            .map(|item| {
                let sender = sender.clone();
                thread::spawn(move || sender.push(Box::new(item)))
            })
            .collect();
        let mut items = Vec::new();
        while items.len() < 2 {
            match receiver.pop() {
                Some(item) => items.push(*item),
                None => thread::yield_now(),
            }
        }
        others.into_iter().for_each(|other| other.join().unwrap());

        items
    });
}
