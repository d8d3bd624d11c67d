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

/// Three places that are counted are three places, whoever pushes, and again once an item is out.
///
/// Kills: the count is looked at and then raised; it is not lowered by `pop`.
#[test]
fn a_counted_queue_of_three_holds_three() {
    model(4, &[3, 4], || {
        let (sender, mut receiver) = mpsc::bounded(Capacity::of(3));
        let other = {
            let sender = sender.clone();
            thread::spawn(move || [1_u64, 2].iter().filter(|n| sender.push(**n).is_ok()).count())
        };
        sender.push(3).unwrap();
        let is_popped = receiver.pop().is_some();
        let n_pushed = 1 + usize::from(sender.push(4).is_ok()) + other.join().unwrap();

        assert!(n_pushed == 4 || !is_popped || sender.push(5).is_ok());
        let n_left = std::iter::from_fn(|| receiver.pop()).count();
        assert!(n_left <= 3, "{n_left} in three places");
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
