//! Subscriptions that arrive late.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use loom::thread;
use millstream_kernel::{Cap, Deferred, Pending};
use reactive_streams::Subscription;

use crate::support::model;

/// Counts what it is asked for. Not one of loom's cells: only the sums matter.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) requested: AtomicU64,
    pub(crate) n_cancels: AtomicU64,
}

impl Subscription for Line {
    fn request(&self, n: u64) {
        self.requested.fetch_add(n, Ordering::Relaxed);
    }

    fn cancel(&self) {
        self.n_cancels.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request and a cancel meet the arrival: both get through.
///
/// Kills: `set` stores the word.
#[test]
fn requests_and_cancels_that_race_with_the_arrival_get_through() {
    model(5, &[(3, true)], || {
        let deferred = Arc::new(Deferred::new());
        let line = Arc::new(Line::default());
        let other = {
            let deferred = Arc::clone(&deferred);
            thread::spawn(move || deferred.request(2))
        };
        deferred.request(1);
        deferred.set(Arc::clone(&line) as Arc<dyn Subscription>);
        other.join().unwrap();
        let requested = line.requested.load(Ordering::Relaxed);
        let canceller = {
            let deferred = Arc::clone(&deferred);
            thread::spawn(move || deferred.cancel())
        };
        canceller.join().unwrap();

        (requested, line.n_cancels.load(Ordering::Relaxed) > 0)
    });
}

/// A cancel meets the arrival: the subscription is canceled.
///
/// Kills: `set` forgets CANCELED.
#[test]
fn a_cancel_that_races_with_the_arrival_gets_through() {
    model(2, &[true], || {
        let deferred = Arc::new(Deferred::new());
        let line = Arc::new(Line::default());
        let other = {
            let deferred = Arc::clone(&deferred);
            thread::spawn(move || deferred.cancel())
        };
        deferred.set(Arc::clone(&line) as Arc<dyn Subscription>);
        other.join().unwrap();

        line.n_cancels.load(Ordering::Relaxed) > 0
    });
}

/// Two arrivals: one is kept, the other is canceled (rule 2.5).
///
/// Kills: the claim is a load and a store.
#[test]
fn one_of_two_arrivals_is_canceled() {
    model(2, &[1], || {
        let deferred = Arc::new(Deferred::new());
        let lines = [Arc::new(Line::default()), Arc::new(Line::default())];
        let other = {
            let (deferred, line) = (Arc::clone(&deferred), Arc::clone(&lines[0]));
            thread::spawn(move || deferred.set(line))
        };
        deferred.set(Arc::clone(&lines[1]) as Arc<dyn Subscription>);
        other.join().unwrap();

        lines.iter().map(|line| line.n_cancels.load(Ordering::Relaxed)).sum::<u64>()
    });
}

/// Two threads ask through a cap: no more than its bound passes, and no less.
///
/// Kills: `left` is loaded and stored.
#[test]
fn requests_that_race_through_a_cap_stay_within_it() {
    model(2, &[3], || {
        let line = Arc::new(Line::default());
        let cap = Arc::new(Cap::new(Arc::clone(&line) as Arc<dyn Subscription>, 3));
        let other = {
            let cap = Arc::clone(&cap);
            thread::spawn(move || cap.request(2))
        };
        cap.request(2);
        other.join().unwrap();

        line.requested.load(Ordering::Relaxed)
    });
}

/// Demand is added while it is taken: it is taken once, and somebody is told to take it.
///
/// Kills: `take` loads and stores.
#[test]
fn demand_that_is_added_while_it_is_taken_is_taken_once() {
    model(2, &[(1, 2), (3, 0)], || {
        let pending = Arc::new(Pending::new());
        assert!(pending.add(1));
        let other = {
            let pending = Arc::clone(&pending);
            thread::spawn(move || pending.add(2))
        };
        let first = pending.take();
        let was_first = other.join().unwrap();
        let rest = pending.take();

        assert_eq!(was_first, rest > 0);
        (first, rest)
    });
}

/// Demand is added while a take that was promised is made: it is taken by that, or somebody is told
/// to.
///
/// Kills: `promised` promises nothing.
#[test]
fn demand_that_races_with_a_promised_take_is_taken_once() {
    model(2, &[(0, 3), (1, 2), (2, 1), (3, 0)], || {
        let pending = Arc::new(Pending::promised());
        let others = [1, 2].map(|n| {
            let pending = Arc::clone(&pending);
            thread::spawn(move || pending.add(n))
        });
        let promised = pending.take();
        let n_told = others.map(|other| u32::from(other.join().unwrap())).iter().sum::<u32>();
        let rest = pending.take();

        assert_eq!(n_told, u32::from(rest > 0));
        (promised, rest)
    });
}
