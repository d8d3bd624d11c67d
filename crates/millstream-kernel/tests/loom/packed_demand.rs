//! Demand that several threads add to one word. `Pending` and `SubscriberSlot` are the parts around
//! the sum that all words with demand share.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Pending, SubscriberSlot};

use crate::support::model;

/// Two requests and a take race: every item that was requested is taken, and none twice.
///
/// Kills: `add` loads and stores.
#[test]
fn requests_that_race_add_up() {
    model(2, &[(0, 3), (1, 2), (2, 1), (3, 0)], || {
        let pending = Arc::new(Pending::new());
        let others = [1, 2].map(|n| {
            let pending = Arc::clone(&pending);
            thread::spawn(move || pending.add(n))
        });
        let first = pending.take();
        let n_told = others.map(|other| u32::from(other.join().unwrap())).iter().sum::<u32>();
        let rest = pending.take();

        assert_eq!(first + rest, 3);
        // One for each take that found something.
        assert_eq!(n_told, u32::from(first > 0) + u32::from(rest > 0));
        (first, rest)
    });
}

/// Two requests that are too large together race with each other: the demand is unbounded, and no
/// flag of the word has changed.
///
/// Kills: the sum carries into the flags.
#[test]
fn requests_that_race_saturate_below_the_flags() {
    model(2, &[(u64::MAX, false, false)], || {
        let slot = Arc::new(SubscriberSlot::<()>::new());
        let other = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.request(1 << 60))
        };
        let is_first = slot.request((1 << 60) + 5);
        let is_other_first = other.join().unwrap();
        let changes = slot.take();

        assert!(is_first != is_other_first);
        (changes.demand, changes.is_illegal, slot.is_canceled())
    });
}

/// A request races with a cancel: it was made before it, or it is refused.
///
/// Kills: a word with a flag that refuses takes demand all the same.
#[test]
fn a_request_after_a_cancel_is_refused() {
    model(2, &[0, 2], || {
        let slot = Arc::new(SubscriberSlot::<()>::new());
        let other = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.cancel())
        };
        let is_rung = slot.request(2);
        assert!(other.join().unwrap());
        assert!(!slot.request(8));
        let demand = slot.take().demand;

        assert_eq!(is_rung, demand > 0);
        demand
    });
}
