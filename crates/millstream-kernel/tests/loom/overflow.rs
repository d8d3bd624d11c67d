//! Items that nobody asked for, demand that is not passed on, and wake-ups that are owed.

use std::sync::{Arc, Weak};

use loom::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use millstream_kernel::{Alarm, Allowance, Backlog, Evict, Step, Wake};
use reactive_streams::Subscription;

use crate::{deferred::Line, support::model};

/// Two pushes meet a pop: the queue never holds more than one, and each item comes back once.
///
/// Kills: `push` looks under one lock and pushes under another.
#[test]
fn an_item_is_popped_or_evicted_once() {
    model(2, &[(0, 1, 1), (1, 0, 1), (1, 1, 0)], || {
        let backlog = Arc::new(Backlog::new(1));
        let push = |item: u64| {
            let backlog = Arc::clone(&backlog);
            thread::spawn(move || {
                let mut evicted = Vec::new();
                backlog.push(item, Evict::Oldest, |item| evicted.push(item));
                assert!(backlog.len() <= 1);
                evicted
            })
        };
        let (first, second) = (push(1), push(2));
        let early = Vec::from_iter(pop(&backlog));
        let evicted = [first.join().unwrap(), second.join().unwrap()].concat();
        let late = Vec::from_iter(std::iter::from_fn(|| pop(&backlog)));

        let mut all = [&*early, &*evicted, &*late].concat();
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
        (early.len(), evicted.len(), late.len())
    });
}

fn pop(backlog: &Backlog<u64>) -> Option<u64> {
    match backlog.pop() {
        Step::Item(item) => Some(item),
        Step::Pending | Step::End(_) => None,
    }
}

/// Requests meet items: as many pass as were asked for, and the upstream is asked once.
///
/// Kills: `take` loads and stores; `request` looks whether it is open and opens afterwards.
#[test]
fn as_many_items_pass_as_were_asked_for() {
    model(2, &[0, 1, 2], || {
        let line = Arc::new(Line::default());
        let upstream = Arc::clone(&line) as Arc<dyn Subscription>;
        let allowance = Arc::new(Allowance::new(upstream, 7));
        let taker = {
            let allowance = Arc::clone(&allowance);
            thread::spawn(move || (0..3).filter(|_| allowance.take()).count())
        };
        let other = {
            let allowance = Arc::clone(&allowance);
            thread::spawn(move || allowance.request(1))
        };
        allowance.request(1);
        let n_passed = taker.join().unwrap();
        other.join().unwrap();

        assert_eq!(line.requested.load(std::sync::atomic::Ordering::Relaxed), 7);
        let n_later = (0..3).filter(|_| allowance.take()).count();
        assert_eq!(n_passed + n_later, 2);
        n_passed
    });
}

/// Notes that it was woken.
struct Sleeper(AtomicBool);

impl Wake for Sleeper {
    fn wake(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The target that an alarm has woken finds that it rang.
///
/// Kills: the target is woken before the state is left.
#[test]
fn an_alarm_has_rung_when_it_wakes() {
    model(1, &[false, true], || {
        let sleeper = Arc::new(Sleeper(AtomicBool::new(false)));
        let target = Arc::downgrade(&sleeper) as Weak<dyn Wake>;
        let (alarm, job) = Alarm::new(&target);
        let other = thread::spawn(move || job.run());
        let is_woken = sleeper.0.load(Ordering::Acquire);
        assert!(!is_woken || !alarm.is_set());
        other.join().unwrap();

        assert!(!alarm.is_set() && !alarm.is_lost());
        is_woken
    });
}
