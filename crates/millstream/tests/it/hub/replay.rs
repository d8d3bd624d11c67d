//! Hubs whose subscribers get what was sent before they came.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use millstream::{
    ErrorKind, Overflow,
    hub::{self, Policy, Replay, TrySendError},
    scheduler::VirtualTime,
};
use millstream_testkit::Probe;

const GATES: Policy = Policy::SlowestGates { capacity: 2 };

#[test]
fn a_subscriber_gets_the_last_items_and_then_all_others() {
    let (mut sender, flow) = hub::replay(Replay::last(3), GATES);
    (0..5).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let probe = Probe::subscribe_to(flow.clone());
    (5..7).for_each(|n| assert!(sender.try_send(n).is_ok()));
    probe.request(3);
    assert_eq!(sender.try_send(7), Err(TrySendError::Full(7)));
    probe.request(1);
    assert!(sender.try_send(7).is_ok());
    probe.request(9);
    sender.complete();

    assert_eq!(probe.items(), [2, 3, 4, 5, 6, 7]);
    assert!(probe.is_completed());
    let late = Probe::subscribe_to(flow);
    late.request(9);
    assert_eq!(late.items(), [5, 6, 7]);
    assert!(late.is_completed());
}

#[test]
fn items_that_are_too_old_are_not_replayed() {
    let clock = VirtualTime::new();
    let second = Duration::from_secs(1);
    let (mut sender, flow) = hub::replay(Replay::last(9).max_age(2 * second, &clock), GATES);
    for n in 0..4 {
        assert!(sender.try_send(n).is_ok());
        clock.advance(second);
    }

    let probe = Probe::subscribe_to(flow.clone());
    probe.request(9);
    assert_eq!(probe.items(), [2, 3]);
    clock.advance(2 * second);
    let late = Probe::subscribe_to(flow);
    late.request(9);

    assert!(late.items().is_empty() && !late.is_ended());
}

#[test]
fn the_oldest_make_way_for_what_is_replayed_too() {
    let overflow = Overflow::DropOldest;
    let (mut sender, flow) =
        hub::replay(Replay::last(3), Policy::Buffered { per_subscriber: 2, overflow });
    (0..3).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let probe = Probe::subscribe_to(flow);

    probe.request(9);

    assert_eq!(probe.items(), [1, 2]);
}

#[test]
fn all_make_way_for_the_new_one_what_is_replayed_too() {
    let overflow = Overflow::Clear;
    let (mut sender, flow) =
        hub::replay(Replay::last(3), Policy::Buffered { per_subscriber: 2, overflow });
    (0..3).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let probe = Probe::subscribe_to(flow);

    let dropped = [3, 4, 5, 6].map(|n| sender.try_send(n).unwrap().n_dropped);
    probe.request(9);

    assert_eq!(dropped, [0, 0, 5, 0], "three that were replayed, and two that came since");
    assert_eq!(probe.items(), [5, 6]);
}

#[test]
fn what_is_replayed_stays_where_the_newest_makes_way() {
    let overflow = Overflow::ReplaceNewest;
    let (mut sender, flow) =
        hub::replay(Replay::last(2), Policy::Buffered { per_subscriber: 1, overflow });
    (0..3).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let probe = Probe::subscribe_to(flow);
    (3..6).for_each(|n| assert!(sender.try_send(n).is_ok()));

    probe.request(9);

    assert_eq!(probe.items(), [1, 2, 5]);
}

#[test]
fn a_value_is_there_at_once_and_newer_ones_take_its_place() {
    let (mut sender, flow) = hub::latest(0);
    let early = Probe::subscribe_to(flow.clone());
    (1..4).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let late = Probe::subscribe_to(flow);
    early.request(1);
    late.request(1);

    assert_eq!((early.items(), late.items()), (vec![3], vec![3]));
    drop(sender);
    assert_eq!(late.error().unwrap().kind(), ErrorKind::Disconnected);
}

/// A value whose clones can be made to panic.
struct Fragile(Arc<AtomicBool>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!self.0.load(Ordering::Relaxed), "broken");
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn a_clone_that_panics_ends_the_one_it_is_for() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let (mut sender, flow) = hub::latest(Fragile(Arc::clone(&is_broken)));
    is_broken.store(true, Ordering::Relaxed);
    let unlucky = Probe::subscribe_to(flow.clone());
    is_broken.store(false, Ordering::Relaxed);
    let lucky = Probe::subscribe_to(flow);
    lucky.request(9);

    assert!(sender.try_send(Fragile(is_broken)).is_ok());

    assert_eq!(unlucky.error().unwrap().kind(), ErrorKind::Panicked);
    assert_eq!((unlucky.n_items(), lucky.n_items()), (0, 2));
}

#[test]
fn the_past_and_the_present_fit_together_for_all_who_come() {
    let (mut sender, flow) = hub::replay(Replay::last(4), Policy::SlowestGates { capacity: 4 });
    thread::scope(|scope| {
        for _ in 0..3 {
            let flow = flow.clone();
            scope.spawn(move || {
                for _ in 0..300 {
                    let items = flow.clone().take(7).collect::<Vec<u64>>().wait().unwrap();

                    assert!(items.windows(2).all(|pair| pair[1] == pair[0] + 1), "{items:?}");
                }
            });
        }
        drop(flow);
        let mut n_sent = 0;
        while sender.send_blocking(n_sent).is_ok() {
            n_sent += 1;
        }
    });
}
