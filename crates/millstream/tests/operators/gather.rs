//! `gather` and what is built on it: demand to the item, and what is left at the end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use millstream::{Demand, Error, Flow, empty, error, range};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

/// Mutiny 2195: a buffer that splits its items asked for another one with each, until memory ended.
#[test]
fn what_is_split_into_many_is_asked_for_when_nothing_of_it_is_left() {
    let (puppet, publisher) = Puppet::new();
    let split = Flow::from(publisher).gather((), |(), n: u64| 0..n, |()| None);
    let probe = Probe::subscribe_to(split);
    assert_eq!(puppet.requested(), Demand::ZERO);

    probe.request(3);
    assert_eq!(puppet.requested(), Demand::new(1));
    puppet.next(1_000_000).unwrap();
    assert_eq!(puppet.requested(), Demand::new(1), "997 thousand outputs are left");
    probe.request(999_996);
    assert_eq!(probe.n_items(), 999_999);
    probe.request(1);
    assert_eq!(puppet.requested(), Demand::new(1), "nothing more is asked for");

    probe.request(1);

    assert_eq!(puppet.requested(), Demand::new(2));
    assert_eq!(puppet.n_requests(), 2);
}

#[test]
fn an_item_without_outputs_is_followed_by_another_request() {
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).gather((), |(), n: u64| (n > 2).then_some(n), |()| None);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);

    (0..4).for_each(|n| puppet.next(n).unwrap());

    assert_eq!(puppet.requested(), Demand::new(4));
    assert_eq!(puppet.demand(), Demand::ZERO);
    assert_eq!(probe.items(), [3]);
}

#[test]
fn what_is_left_at_the_end_waits_for_demand() {
    let sums = range(1..=3_u64).gather(
        0,
        |sum, n| {
            *sum += n;
            None
        },
        |sum| [sum, 2 * sum],
    );
    let probe = Probe::subscribe_to(sums);

    probe.request(1);
    assert_eq!(probe.items(), [6]);
    assert!(!probe.is_ended());
    probe.request(1);

    assert_eq!(probe.items(), [6, 12]);
    assert!(probe.is_completed(), "nothing is left, and no further request is needed");
}

#[test]
fn a_flow_without_items_still_has_its_last_ones() {
    let probe = Probe::subscribe_to(empty::<u64>().gather(7, |_, n| Some(n), Some));
    assert!(!probe.is_ended());

    probe.request(1);

    assert_eq!(probe.items(), [7]);
    assert!(probe.is_completed());
}

#[test]
fn what_is_left_comes_before_an_error() {
    let failing = range(0..2_u64).concat(error(Error::message("no")));
    let probe = Probe::subscribe_to(failing.gather((), |(), _| None, |()| [8, 9]));
    probe.request(1);
    assert!(probe.error().is_none());

    probe.request(9);

    assert_eq!(probe.items(), [8, 9]);
    assert!(probe.error().is_some());
}

#[test]
fn a_cancel_drops_the_state_and_finishes_nothing() {
    let is_finished = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_finished);
    let state = Arc::new(());
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).gather(
        Arc::clone(&state),
        |_, n: u64| [n; 3],
        move |_| {
            seen.store(true, Ordering::Relaxed);
            None
        },
    );
    let flow = flow.map(|n| n);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    puppet.next(1).unwrap();

    probe.cancel();
    puppet.drop_subscriber();

    assert!(puppet.is_canceled() && probe.is_dropped());
    assert!(!is_finished.load(Ordering::Relaxed));
    assert_eq!(Arc::strong_count(&state), 1);
}

#[test]
fn a_vector_that_is_left_waits_for_demand() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).buffer_until_changed_by_key(|n| n / 10));
    probe.request(1);
    [10, 11, 20].into_iter().for_each(|n: u8| puppet.next(n).unwrap());
    puppet.complete();
    assert_eq!(probe.items(), [[10, 11]]);
    assert!(!probe.is_ended());

    probe.request(1);

    assert_eq!(probe.items(), [vec![10, 11], vec![20]]);
    assert!(probe.is_completed());
}

#[test]
#[should_panic(expected = "a step of 0 items would never go on")]
fn a_step_of_nothing_is_refused_where_it_is_written() {
    let _flow = range(0..3_u64).sliding(2, 0);
}

/// Complete windows, and a shorter one if items are left that were in none.
fn windows(items: &[u8], n: usize, step: usize) -> Vec<Vec<u8>> {
    let mut windows = Vec::new();
    let mut from = 0;
    let mut covered = 0;
    while from + n <= items.len() {
        windows.push(items[from..from + n].to_vec());
        covered = from + n;
        from += step;
    }
    let from = from.max(if step > n { from } else { 0 });
    if from < items.len() && covered < items.len() {
        windows.push(items[from..].to_vec());
    }
    windows
}

fn groups(items: &[u8], max: u64) -> Vec<Vec<u8>> {
    let mut groups: Vec<Vec<u8>> = Vec::new();
    let mut sum = u64::MAX;
    for &item in items {
        let cost = u64::from(item).max(1);
        if sum.saturating_add(cost) > max {
            groups.push(Vec::new());
            sum = 0;
        }
        sum += cost;
        groups.last_mut().unwrap().push(item);
    }
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn groups_are_what_slices_say(
        items in proptest::collection::vec(0_u8..12, 0..40),
        n in 1_usize..6,
        step in 1_usize..8,
        max in 1_u64..20,
        requests in proptest::collection::vec(1_u64..4, 0..40),
    ) {
        let source = || millstream::from_iter(items.clone());
        let key = |n: &u8| n / 3;
        let sliding = source().sliding(n, step).boxed();
        let weighted = source().buffer_weighted(max, |n| u64::from(*n)).boxed();
        let alike = source().buffer_until_changed_by_key(key).boxed();
        let runs: Vec<Vec<u8>> = items.chunk_by(|a, b| key(a) == key(b)).map(<[u8]>::to_vec).collect();
        let expected = [windows(&items, n, step), groups(&items, max), runs];
        for (flow, expected) in [sliding, weighted, alike].into_iter().zip(expected) {
            let probe = Probe::subscribe_to(flow);
            let mut due = 0;
            for n in &requests {
                probe.request(*n);
                due += *n as usize;
                let seen = probe.items();
                prop_assert_eq!(&seen[..], &expected[..due.min(expected.len())]);
            }
            probe.request(u64::MAX);
            prop_assert_eq!(probe.items(), expected);
            prop_assert!(probe.is_completed());
        }
    }
}
