//! Several flows into one: in whose turn, in what order, and how they end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use millstream::{
    BoxPublisher, Error, ErrorKind, ErrorMode, Flow, Subscription, combine_latest, concat_eager,
    empty, error, from_iter, just, merge, merge_sorted, never, range,
    scheduler::{Pool, VirtualTime},
    zip,
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

use crate::model::Stepper;

/// The number of its flow, its own number, and a witness of its drop.
pub(crate) type Item = (usize, u8, Arc<()>);
pub(crate) type Many = Flow<BoxPublisher<Item>>;
type Operator = fn(Vec<Many>, usize, usize) -> Many;

/// What makes one flow of a list of flows, and whether the flows stay one after another.
const OPERATORS: &[(&str, bool, Operator)] = &[
    ("flat_map", false, |flows, concurrency, prefetch| {
        from_iter(flows).flat_map(|flow| flow).concurrency(concurrency).prefetch(prefetch).boxed()
    }),
    ("merge", false, |flows, _, _| merge(flows).boxed()),
    ("merge_with", false, |flows, _, _| {
        flows.into_iter().fold(empty().boxed(), |all, flow| all.merge_with(flow).boxed())
    }),
    ("concat_map", true, |flows, _, _| from_iter(flows).concat_map(|flow| flow).boxed()),
    ("flat_map_sequential", true, |flows, concurrency, prefetch| {
        from_iter(flows)
            .flat_map_sequential(|flow| flow)
            .concurrency(concurrency)
            .prefetch(prefetch)
            .boxed()
    }),
    ("concat_eager", true, |flows, _, _| concat_eager(flows).boxed()),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_item_of_every_flow_arrives_once_and_in_order(
        lens in proptest::collection::vec((0_u8..40, any::<bool>()), 0..9),
        (concurrency, prefetch) in (1_usize..5, 1_usize..6),
        requests in proptest::collection::vec(1_u64..20, 0..40),
        cancel_after in proptest::option::of(0_usize..20),
    ) {
        for (name, is_in_order, operator) in OPERATORS {
            let clock = VirtualTime::new();
            let witness = Arc::new(());
            let total: usize = lens.iter().map(|(n, _)| usize::from(*n)).sum();
            let flows = lens.iter().enumerate().map(|(index, (n, is_slow))| {
                let witness = Arc::clone(&witness);
                let flow = range(0..*n).map(move |i| (index, i, Arc::clone(&witness)));
                if *is_slow { flow.publish_on(&clock).capacity(3).boxed() } else { flow.boxed() }
            });
            let probe = Probe::subscribe_to(operator(flows.collect(), concurrency, prefetch));
            let mut requested = 0;
            for (index, n) in requests.iter().enumerate() {
                if cancel_after == Some(index) {
                    probe.cancel();
                }
                probe.request(*n);
                requested += *n as usize;
                clock.run();
                if cancel_after.is_none_or(|at| index < at) {
                    prop_assert_eq!(probe.n_items(), requested.min(total), "{}", name);
                }
            }
            let is_canceled = cancel_after.is_some_and(|at| at < requests.len());
            if !is_canceled {
                probe.request(u64::MAX);
                clock.run();
                prop_assert!(probe.is_completed(), "{}: no end", name);
                prop_assert_eq!(probe.n_items(), total, "{}", name);
            }
            clock.run();
            prop_assert!(probe.is_dropped(), "{}: still held", name);
            let mut n_seen = BTreeMap::new();
            for (flow, number, _) in probe.items() {
                let n = n_seen.entry(flow).or_insert(0);
                prop_assert_eq!(number, *n, "{}: flow {}", name, flow);
                *n += 1;
            }
            if *is_in_order {
                prop_assert!(probe.items().is_sorted(), "{}: out of order", name);
            }
            drop(probe);
            prop_assert_eq!(Arc::strong_count(&witness), 1, "{}: items are left", name);
        }
    }
}

#[test]
fn a_failure_cancels_the_other_flows_after_the_items_of_its_own() {
    type Two = fn(Flow<BoxPublisher<u8>>, Flow<BoxPublisher<u8>>) -> Flow<BoxPublisher<u8>>;
    for operator in [
        (|one, other| one.merge_with(other).boxed()) as Two,
        |one, other| merge([one, other]).boxed(),
        |one, other| {
            from_iter([one, other]).flat_map(|flow| flow).concurrency(2).prefetch(4).boxed()
        },
    ] {
        let (failing, one) = Puppet::new();
        let (going_on, other) = Puppet::new();
        let probe =
            Probe::subscribe_to(operator(Flow::from(one).boxed(), Flow::from(other).boxed()));
        probe.request(1);
        going_on.next(1).unwrap();
        failing.next(2).unwrap();

        failing.fail(Error::message("no"));

        assert!(!probe.is_ended() && !going_on.is_canceled());
        probe.request(1);
        assert_eq!(probe.items(), [1, 2]);
        assert_eq!(probe.error().unwrap().to_string(), "no");
        assert!(going_on.is_canceled() && probe.is_dropped());
    }
}

#[test]
fn a_failure_without_items_before_it_needs_no_demand() {
    let (failing, one) = Puppet::<u8>::new();
    let (going_on, other) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(one).merge_with(other));
    probe.request(1);
    going_on.next(1).unwrap();
    going_on.next(2).unwrap();

    failing.fail(Error::message("no"));

    assert_eq!(probe.items(), [1]);
    assert!(probe.error().is_some() && going_on.is_canceled());
}

#[test]
fn a_delayed_failure_waits_for_the_others() {
    let flows = || {
        let failing = range(0..3_u8).concat(error(Error::message("no")));
        [failing.boxed(), range(0..40).boxed(), error(Error::message("later")).boxed()]
    };
    for flow in [
        merge(flows()).error_mode(ErrorMode::Delayed).boxed(),
        concat_eager(flows()).error_mode(ErrorMode::Delayed).boxed(),
        from_iter(flows())
            .flat_map_sequential(|flow| flow)
            .concurrency(2)
            .prefetch(2)
            .error_mode(ErrorMode::Delayed)
            .boxed(),
        from_iter(flows())
            .flat_map(|flow| flow)
            .concurrency(1)
            .prefetch(2)
            .error_mode(ErrorMode::Delayed)
            .boxed(),
    ] {
        let probe = Probe::subscribe_to(flow);

        probe.request(u64::MAX);

        assert_eq!(probe.n_items(), 43);
        assert!(probe.error().is_some() && probe.is_dropped());
    }
}

#[test]
fn a_source_that_fails_cancels_its_flows() {
    let (source, publisher) = Puppet::new();
    let (inner, flow) = Puppet::<u8>::new();
    let mut flow = Some(flow);
    let probe = Probe::subscribe_to(
        Flow::from(publisher).flat_map(move |()| flow.take().unwrap()).concurrency(2).prefetch(2),
    );
    probe.request(1);
    source.next(()).unwrap();

    source.fail(Error::message("no"));

    assert!(inner.is_canceled() && probe.error().is_some());
}

#[test]
fn a_cancel_reaches_every_flow_and_the_source() {
    let (source, publisher) = Puppet::new();
    let (inners, flows): (Vec<_>, Vec<_>) = (0..3).map(|_| Puppet::<u8>::new()).unzip();
    let mut flows = flows.into_iter();
    let probe = Probe::subscribe_to(
        Flow::from(publisher).flat_map(move |()| flows.next().unwrap()).concurrency(3).prefetch(2),
    );
    probe.request(1);
    for _ in 0..3 {
        source.next(()).unwrap();
    }
    inners[0].next(1).unwrap();
    inners[1].next(2).unwrap();

    probe.cancel();

    assert!(source.is_canceled() && probe.is_dropped());
    assert!(inners.iter().all(Puppet::is_canceled));
}

#[test]
fn a_panic_cancels_the_flows_and_the_source() {
    let (source, publisher) = Puppet::new();
    let (inner, flow) = Puppet::<u8>::new();
    let mut flow = Some(flow);
    let probe = Probe::subscribe_to(
        Flow::from(publisher)
            .flat_map(move |()| flow.take().expect("the second one"))
            .concurrency(2)
            .prefetch(2),
    );
    probe.request(1);
    source.next(()).unwrap();

    source.next(()).unwrap();

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Panicked);
    assert!(inner.is_canceled() && source.is_canceled());
}

#[test]
fn the_source_is_asked_for_a_flow_in_place_of_each_that_ended() {
    let (source, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(
        Flow::from(publisher).flat_map(|flow: Many| flow).concurrency(3).prefetch(2),
    );
    assert_eq!(source.requested().get(), 0);
    probe.request(1);
    assert_eq!(source.requested().get(), 3);

    source.next(empty().boxed()).unwrap();
    source.next(never().boxed()).unwrap();
    assert_eq!(source.requested().get(), 4);
    source.next(empty().boxed()).unwrap();

    assert_eq!(source.requested().get(), 5);
}

#[test]
fn a_flow_that_sends_too_much_is_canceled() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(
        just(())
            .flat_map({
                let mut publisher = Some(publisher);
                move |()| publisher.take().unwrap()
            })
            .concurrency(1)
            .prefetch(2),
    );
    probe.request(1);

    for n in 0..4 {
        puppet.force_next(n).unwrap();
    }

    assert!(puppet.is_canceled());
    probe.request(9);
    assert_eq!(probe.items(), [0, 1, 2]);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Overflow);
}

#[test]
fn a_hundred_thousand_synchronous_flows_take_no_stack() {
    for concurrency in [1, 256] {
        assert_eq!(
            Stepper::run(range(0..100_000).flat_map(just).concurrency(concurrency).prefetch(1)),
            100_000
        );
        let nothing =
            range(0..100_000).flat_map(|_: u32| empty::<u8>()).concurrency(concurrency).prefetch(1);
        assert_eq!(Stepper::run(nothing), 0);
    }
    assert_eq!(Stepper::run(merge((0..100_000).map(just))), 100_000);
    assert_eq!(Stepper::run(concat_eager((0..100_000).map(just))), 100_000);
    assert_eq!(
        Stepper::run(range(0..100_000).flat_map_sequential(just).concurrency(7).prefetch(1)),
        100_000
    );
    let rows = zip((range(0..100_000), range(0..100_000), range(0..100_000)));
    assert_eq!(Stepper::run(rows), 100_000);
    assert_eq!(Stepper::run(merge_sorted([range(0..50_000), range(0..50_000)])), 100_000);
    assert_eq!(Stepper::run(combine_latest((just(0), range(0..100_000)))), 100_000);
    assert_eq!(Stepper::run(range(0..100_000).switch_map(just)), 100_000);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever requests has to do the work")]
fn an_endless_run_of_empty_flows_can_be_canceled() {
    let probe =
        Probe::subscribe_to(range(0_u64..).flat_map(|_| empty::<u8>()).concurrency(4).prefetch(1));
    let subscription = probe.subscription();
    std::thread::spawn(move || subscription.request(1));

    probe.cancel();

    probe.wait_for("the drop", Probe::is_dropped);
}

#[test]
fn flows_on_other_threads_lose_nothing() {
    let pool = Pool::new(3);
    for _ in 0..4 {
        let flows = (0..8_u64).map(|n| range(n * 500..n * 500 + 500).publish_on(&pool).capacity(3));
        let all: BTreeSet<u64> =
            merge(flows).collect::<Vec<_>>().wait().unwrap().into_iter().collect();
        assert_eq!(all.len(), 4_000);

        let workers = pool.clone();
        let n = range(0..200_u64)
            .publish_on(&pool)
            .capacity(4)
            .flat_map(move |n| range(0..n % 20).subscribe_on(&workers))
            .concurrency(5)
            .prefetch(3)
            .publish_on(&pool)
            .capacity(7)
            .count();
        assert_eq!(n.wait().unwrap(), 1_900);
    }
}

#[test]
#[should_panic(expected = "a capacity of 0 would never let an item through")]
fn a_concurrency_of_nothing_is_refused_where_it_is_written() {
    let _flow = range(0..3_u64).flat_map(just).concurrency(0).prefetch(1);
}
