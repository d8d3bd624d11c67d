//! Subscriptions that are replaced.

use std::sync::{Arc, atomic::Ordering};

use loom::thread;
use millstream_kernel::Arbiter;
use reactive_streams::Subscription;

use crate::{deferred::Line, support::model};

/// A request meets a switch: whether or not the first source heard of it, the second one owes it.
///
/// Kills: `request` forgets `outstanding`.
#[test]
fn demand_that_races_with_a_switch_is_neither_lost_nor_doubled() {
    model(2, &[(1, 2), (3, 2)], || {
        let voice = Arbiter::new();
        let arbiter = Arc::clone(voice.arbiter());
        let (first, second) = (Arc::new(Line::default()), Arc::new(Line::default()));
        arbiter.request(1);
        arbiter.set(&(Arc::clone(&first) as Arc<dyn Subscription>));
        let other = {
            let arbiter = Arc::clone(&arbiter);
            thread::spawn(move || arbiter.request(2))
        };
        // The first source ends after one item.
        arbiter.unset(0, 1);
        arbiter.set(&(Arc::clone(&second) as Arc<dyn Subscription>));
        other.join().unwrap();

        (first.requested.load(Ordering::Relaxed), second.requested.load(Ordering::Relaxed))
    });
}

/// A cancel meets a switch: the source that is left is canceled.
///
/// Kills: `set` does not look whether it was canceled.
#[test]
fn a_cancel_that_races_with_a_switch_reaches_the_source() {
    model(2, &[true], || {
        let voice = Arbiter::new();
        let arbiter = Arc::clone(voice.arbiter());
        let line = Arc::new(Line::default());
        let other = {
            let arbiter = Arc::clone(&arbiter);
            thread::spawn(move || arbiter.cancel())
        };
        arbiter.set(&(Arc::clone(&line) as Arc<dyn Subscription>));
        other.join().unwrap();

        assert!(arbiter.is_canceled());
        line.n_cancels.load(Ordering::Relaxed) > 0
    });
}
