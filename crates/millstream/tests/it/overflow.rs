//! Sources that do not wait to be asked.

use std::sync::{Arc, mpsc};

use millstream::{ErrorKind, Flow, Overflow, range};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

/// What comes out of a full queue of two, and what is evicted, when `1..=5` come before the second
/// request.
fn after_five(strategy: Overflow) -> (Vec<u64>, Vec<u64>, Option<ErrorKind>) {
    let (sender, evicted) = mpsc::channel();
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher)
        .on_backpressure_buffer_with(2, strategy, move |item| sender.send(item).unwrap());
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    for item in 0..=5 {
        // After a failure there is nobody to send to.
        let _refused = puppet.next(item);
    }
    puppet.complete();
    probe.request(9);
    (probe.items(), evicted.try_iter().collect(), probe.error().map(|error| error.kind()))
}

#[test]
fn a_strategy_says_which_item_goes() {
    assert_eq!(after_five(Overflow::DropOldest), (vec![0, 4, 5], vec![1, 2, 3], None));
    assert_eq!(after_five(Overflow::DropIncoming), (vec![0, 1, 2], vec![3, 4, 5], None));
    assert_eq!(after_five(Overflow::ReplaceNewest), (vec![0, 1, 5], vec![2, 3, 4], None));
    assert_eq!(after_five(Overflow::Clear), (vec![0, 5], vec![1, 2, 3, 4], None));
    let failed = (vec![0, 1, 2], vec![3], Some(ErrorKind::Overflow));
    assert_eq!(after_five(Overflow::Fail), failed);
}

#[test]
fn nothing_is_asked_for_before_the_first_request_and_everything_after_it() {
    type Operator =
        fn(Flow<millstream_testkit::PuppetPublisher<u64>>) -> Flow<millstream::BoxPublisher<u64>>;
    for operator in [
        (|flow| flow.on_backpressure_buffer(2, Overflow::Fail).boxed()) as Operator,
        |flow| flow.on_backpressure_drop(drop).boxed(),
        |flow| flow.on_backpressure_latest().boxed(),
        |flow| flow.on_backpressure_reduce(|a, b| a + b).boxed(),
    ] {
        let (puppet, publisher) = Puppet::new();
        let probe = Probe::subscribe_to(operator(Flow::from(publisher)));
        assert!(puppet.requested().is_zero());

        probe.request(1);

        assert!(puppet.requested().is_unbounded());
        puppet.next(7).unwrap();
        assert_eq!(probe.items(), [7]);
        probe.cancel();
        assert!(puppet.is_canceled());
    }
}

#[test]
fn what_waits_is_combined_or_replaced_by_what_is_newer() {
    let (puppet, publisher) = Puppet::new();
    let sums = Probe::subscribe_to(Flow::from(publisher).on_backpressure_reduce(|a, b| a + b));
    let (other, publisher) = Puppet::new();
    let newest = Probe::subscribe_to(Flow::from(publisher).on_backpressure_latest());
    for probe in [&sums, &newest] {
        probe.request(1);
    }
    for item in 1..=4 {
        puppet.next(item).unwrap();
        other.next(item).unwrap();
    }
    for probe in [&sums, &newest] {
        probe.request(1);
    }
    assert_eq!((sums.items(), newest.items()), (vec![1, 9], vec![1, 4]));
}

#[test]
fn an_item_that_a_filter_skips_gives_its_demand_back() {
    let probe = Probe::subscribe_to(range(0..9).on_backpressure_drop(drop).filter(|n| n % 2 == 1));

    probe.request(2);

    assert_eq!(probe.items(), [1, 3]);
}

#[test]
fn items_that_wait_are_dropped_with_the_stream() {
    let witness = Arc::new(());
    let (puppet, publisher) = Puppet::new();
    let probe =
        Probe::subscribe_to(Flow::from(publisher).on_backpressure_buffer(4, Overflow::Clear));
    probe.request(1);
    for _ in 0..4 {
        puppet.next(Arc::clone(&witness)).unwrap();
    }

    probe.cancel();
    drop((probe, puppet));

    assert_eq!(Arc::strong_count(&witness), 1);
}

proptest! {
    /// Whatever is asked for and whenever: each item is delivered or evicted, in order, and never
    /// more than the capacity waits.
    #[test]
    fn every_item_is_delivered_or_evicted_once(
        capacity in 1_usize..5,
        strategy in prop::sample::select(vec![
            Overflow::DropOldest, Overflow::DropIncoming, Overflow::ReplaceNewest, Overflow::Clear,
        ]),
        steps in prop::collection::vec(0_u64..3, 1..40),
    ) {
        let (sender, evicted) = mpsc::channel();
        let (puppet, publisher) = Puppet::new();
        let flow = Flow::from(publisher)
            .on_backpressure_buffer_with(capacity, strategy, move |n| sender.send(n).unwrap());
        let probe = Probe::subscribe_to(flow);
        probe.request(1);
        let (mut n_sent, mut n_asked, mut gone) = (0, 1, Vec::new());
        for step in steps {
            if step == 0 {
                puppet.next(n_sent).unwrap();
                n_sent += 1;
            } else {
                probe.request(step);
                n_asked += step;
            }
            gone.extend(evicted.try_iter());
            let waiting = n_sent - probe.n_items() as u64 - gone.len() as u64;
            prop_assert!(waiting <= capacity as u64);
            prop_assert!(waiting == 0 || probe.n_items() as u64 == n_asked);
        }
        puppet.complete();
        probe.request(u64::MAX);
        let items = probe.items();
        prop_assert!(items.is_sorted());
        let mut all = [items, gone].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..n_sent).collect::<Vec<_>>());
        prop_assert!(probe.is_completed());
    }
}
