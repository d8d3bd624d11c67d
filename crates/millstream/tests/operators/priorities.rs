//! Flows that take turns by number or by weight.

use millstream::{Demand, Error, Flow, error, interleave, just, merge_prioritized, range};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

#[test]
fn a_turn_waits_for_its_flow() {
    let (puppet, publisher) = Puppet::new();
    let flows = [Flow::from(publisher).boxed(), range(10..20).boxed()];
    let probe = Probe::subscribe_to(interleave(flows, 2));
    probe.request(9);
    assert_eq!(probe.n_items(), 0);

    puppet.next(0).unwrap();
    assert_eq!(probe.items(), [0]);
    puppet.next(1).unwrap();
    assert_eq!(probe.items(), [0, 1, 10, 11]);
    puppet.complete();

    assert_eq!(probe.items(), [0, 1, 10, 11, 12, 13, 14, 15, 16]);
    probe.request(9);
    assert!(probe.is_completed());
}

#[test]
fn a_flow_fails_in_its_turn_and_cancels_the_others() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let failing = just(1).concat(error(Error::message("no")));
    let probe =
        Probe::subscribe_to(interleave([Flow::from(publisher).boxed(), failing.boxed()], 1));
    probe.request(9);
    assert!(!probe.is_ended());

    puppet.next(0).unwrap();
    assert_eq!(probe.items(), [0, 1]);
    puppet.next(2).unwrap();

    assert_eq!(probe.items(), [0, 1, 2]);
    assert!(probe.error().is_some() && puppet.is_canceled());
}

/// The most items of others that pass while one waits at the head of its flow.
fn longest_wait(order: &[u8], of: u8) -> usize {
    order.split(|n| *n == of).map(<[u8]>::len).max().unwrap_or(0)
}

#[test]
fn a_preferred_flow_that_always_has_items_lets_others_pass() {
    let flow = range(0..).map(|_| 1).merge_preferred(range(0..).map(|_| 0)).take(10_000);
    let order: Vec<u8> = flow.collect().wait().unwrap();

    assert!(longest_wait(&order, 1) <= 64);
    let n_preferred = order.iter().filter(|n| **n == 0).count();
    assert!(n_preferred > 9_600, "{n_preferred}");
}

#[test]
fn a_preferred_item_passes_those_that_wait() {
    let (high, preferred) = Puppet::new();
    let (low, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).merge_preferred(preferred));
    probe.request(1);
    low.next(10).unwrap();
    (11..14).for_each(|n| low.next(n).unwrap());
    (0..2).for_each(|n| high.next(n).unwrap());

    probe.request(3);

    assert_eq!(probe.items(), [10, 0, 1, 11]);
    assert_eq!(high.requested(), Demand::new(32));
    probe.cancel();
    assert!(high.is_canceled() && low.is_canceled());
}

#[test]
fn a_failure_comes_after_the_items_of_its_flow() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let failing = range(0..2).concat(error(Error::message("no")));
    let flows = [(1, Flow::from(publisher).boxed()), (1, failing.boxed())];
    let probe = Probe::subscribe_to(merge_prioritized(flows));

    probe.request(1);
    assert!(!probe.is_ended());
    probe.request(1);

    assert_eq!(probe.items(), [0, 1]);
    assert!(probe.error().is_some() && puppet.is_canceled());
}

#[test]
#[should_panic(expected = "a flow of weight 0 would never give an item")]
fn a_weight_of_nothing_is_refused_where_it_is_written() {
    let _flow = merge_prioritized([(0, range(0..3))]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_flow_waits_for_more_than_was_stated(weights in proptest::collection::vec(1_u32..9, 1..5)) {
        let flows = weights.iter().enumerate().map(|(index, weight)| {
            (*weight, range(0_u64..).map(move |_| index as u8))
        });
        let order: Vec<u8> = merge_prioritized(flows).take(3_000).collect().wait().unwrap();
        let all: u32 = weights.iter().sum();
        for (index, weight) in weights.iter().enumerate() {
            let bound = 2 * (all - weight);
            prop_assert!(longest_wait(&order, index as u8) <= bound as usize);
            let n = order.iter().filter(|n| **n == index as u8).count() as f64;
            let share = f64::from(*weight) / f64::from(all);
            prop_assert!((n / 3_000.0 - share).abs() < 0.02, "{n} of 3000, {share}");
        }
    }

    #[test]
    fn turns_are_what_iterators_say(
        lists in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..4),
        n in 1_usize..4,
        requests in proptest::collection::vec(1_u64..5, 0..30),
    ) {
        let mut expected = Vec::new();
        let mut rest: Vec<_> = lists.iter().map(|list| list.iter().copied().peekable()).collect();
        while rest.iter_mut().any(|list| list.peek().is_some()) {
            for list in &mut rest {
                expected.extend(list.take(n));
            }
        }
        let flows = lists.iter().map(|list| millstream::from_iter(list.clone()));
        let probe = Probe::subscribe_to(interleave(flows, n));
        let mut due = 0;
        for n in requests {
            probe.request(n);
            due += n as usize;
            prop_assert_eq!(&probe.items()[..], &expected[..due.min(expected.len())]);
        }
        probe.request(u64::MAX);
        prop_assert_eq!(probe.items(), expected);
        prop_assert!(probe.is_completed());
    }
}
