//! Flows that are put together by rows, by time and in place of each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use millstream::{
    BoxPublisher, Error, Flow, concat_all, concat_eager, defer, empty, error, first_with_signal,
    from_iter, just, merge, merge_sorted, never, range, scheduler::VirtualTime, zip,
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

use crate::fan_in::Many;

type Pair = fn(Many, Many) -> Flow<BoxPublisher<()>>;

/// What makes one flow of two, whatever comes of it.
const PAIRS: &[(&str, Pair)] = &[
    ("merge_with", |one, other| one.merge_with(other).map(drop).boxed()),
    ("zip", |one, other| one.zip(other).map(drop).boxed()),
    ("combine_latest", |one, other| one.combine_latest(other).map(drop).boxed()),
    ("with_latest_from", |one, other| one.with_latest_from(other).map(drop).boxed()),
    ("merge_sorted", |one, other| merge_sorted([one, other]).map(drop).boxed()),
    ("take_until", |one, other| one.take_until(other).map(drop).boxed()),
    ("first_with_signal", |one, other| first_with_signal([one, other]).map(drop).boxed()),
    ("switch_map", |one, other| from_iter([one, other]).switch_map(|flow| flow).map(drop).boxed()),
    ("concat_eager", |one, other| concat_eager([one, other]).map(drop).boxed()),
    ("switch_if_empty", |one, other| one.switch_if_empty(other).map(drop).boxed()),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_waits_is_dropped_once_and_nothing_comes_unasked(
        lens in (0_u8..70, 0_u8..70),
        are_slow in (any::<bool>(), any::<bool>()),
        requests in proptest::collection::vec(1_u64..20, 1..20),
        cancel_after in 0_usize..20,
    ) {
        for (name, operator) in PAIRS {
            let clock = VirtualTime::new();
            let witness = Arc::new(());
            let flow = |index, n, is_slow| {
                let witness = Arc::clone(&witness);
                let flow = range(0..n).map(move |i| (index, i, Arc::clone(&witness)));
                if is_slow { flow.publish_on(&clock).capacity(3).boxed() } else { flow.boxed() }
            };
            let flows = (flow(0, lens.0, are_slow.0), flow(1, lens.1, are_slow.1));
            let probe = Probe::subscribe_to(operator(flows.0, flows.1));
            let mut requested = 0;
            for n in requests.iter().take(cancel_after) {
                probe.request(*n);
                requested += *n as usize;
                clock.run();
                prop_assert!(probe.n_items() <= requested, "{}: more than was asked for", name);
                prop_assert!(probe.error().is_none(), "{}: {:?}", name, probe.error());
            }
            if cancel_after < requests.len() {
                probe.cancel();
            } else {
                probe.request(u64::MAX);
                clock.run();
                prop_assert!(probe.is_completed(), "{}: no end", name);
            }
            clock.run();
            prop_assert!(probe.is_dropped(), "{}: still held", name);
            drop(probe);
            prop_assert_eq!(Arc::strong_count(&witness), 1, "{}: items are left", name);
        }
    }
}

/// Two puppets through an operator, with the probe behind it.
fn puppets(
    operator: impl FnOnce(Flow<BoxPublisher<u8>>, Flow<BoxPublisher<u8>>) -> Flow<BoxPublisher<u8>>,
) -> (Puppet<u8>, Puppet<u8>, Probe<u8>) {
    let (one, first) = Puppet::new();
    let (other, second) = Puppet::new();
    let flow = operator(Flow::from(first).boxed(), Flow::from(second).boxed());
    (one, other, Probe::subscribe_to(flow))
}

#[test]
fn every_flow_is_canceled_with_the_downstream_and_when_another_one_fails() {
    type Two = fn(Flow<BoxPublisher<u8>>, Flow<BoxPublisher<u8>>) -> Flow<BoxPublisher<u8>>;
    let operators: [Two; 9] = [
        |one, other| one.merge_with(other).boxed(),
        |one, other| one.zip(other).map(|(a, b)| a + b).boxed(),
        |one, other| one.combine_latest(other).map(|(a, b)| a + b).boxed(),
        |one, other| one.with_latest_from(other).map(|(a, b)| a + b).boxed(),
        |one, other| merge_sorted([one, other]).boxed(),
        |one, other| one.take_until(other).boxed(),
        |one, other| first_with_signal([one, other]).boxed(),
        |one, other| concat_eager([one, other]).boxed(),
        |one, other| {
            from_iter([one, other])
                .flat_map_sequential(|flow| flow)
                .concurrency(2)
                .prefetch(1)
                .boxed()
        },
    ];
    for (index, operator) in operators.into_iter().enumerate() {
        let (one, other, probe) = puppets(operator);
        probe.request(1);
        probe.cancel();
        assert!(one.is_canceled() && other.is_canceled() && probe.is_dropped(), "{index}");

        let (one, other, probe) = puppets(operator);
        probe.request(1);
        one.fail(Error::message("no"));
        assert!(other.is_canceled() && probe.error().is_some(), "{index}");
        assert!(probe.is_dropped(), "{index}");
    }
}

#[test]
fn nothing_is_asked_for_before_the_first_request() {
    let (one, other, probe) = puppets(|one, other| one.zip(other).map(|(a, b)| a + b).boxed());
    assert_eq!((one.requested().get(), other.requested().get()), (0, 0));

    probe.request(1);

    assert_eq!((one.requested().get(), other.requested().get()), (32, 32));
}

#[test]
fn rows_end_with_the_first_flow_that_has_no_item_for_the_next() {
    let (one, other, probe) = puppets(|one, other| one.zip(other).map(|(a, b)| a + b).boxed());
    probe.request(1);
    one.next(1).unwrap();
    one.next(2).unwrap();
    other.next(10).unwrap();

    other.complete();

    assert_eq!(probe.items(), [11]);
    assert!(probe.is_completed() && one.is_canceled());
}

#[test]
fn rows_are_made_of_what_waits_before_a_failure_is_told() {
    let (one, other, probe) = puppets(|one, other| one.zip(other).map(|(a, b)| a + b).boxed());
    probe.request(1);
    one.next(1).unwrap();
    one.next(2).unwrap();
    one.fail(Error::message("no"));
    other.next(10).unwrap();
    assert!(!probe.is_ended());

    other.next(20).unwrap();
    probe.request(1);

    assert_eq!(probe.items(), [11, 22]);
    assert!(probe.error().is_some() && other.is_canceled());
}

#[test]
fn zip_takes_up_to_eight_flows() {
    let n = || range(1_u8..);
    let rows = zip((n(), n(), n(), n(), n(), n(), n(), just(9)));

    let rows = rows.collect::<Vec<_>>().wait().unwrap();

    assert_eq!(rows, [(1, 1, 1, 1, 1, 1, 1, 9)]);
}

#[test]
fn what_waits_is_combined_in_the_order_in_which_it_came() {
    let (one, other, probe) =
        puppets(|one, other| one.combine_latest(other).map(|(a, b)| a + b).boxed());
    probe.request(1);
    one.next(1).unwrap();
    other.next(10).unwrap();
    assert_eq!(probe.items(), [11]);
    other.next(20).unwrap();
    one.next(2).unwrap();
    one.next(3).unwrap();
    other.next(30).unwrap();
    one.complete();

    probe.request(9);

    assert_eq!(probe.items(), [11, 21, 22, 23, 33]);
    other.next(40).unwrap();
    assert_eq!(probe.items().last(), Some(&43));
    other.complete();
    assert!(probe.is_completed());
}

#[test]
fn a_flow_without_an_item_ends_the_combination() {
    let (one, other, probe) =
        puppets(|one, other| one.combine_latest(other).map(|(a, b)| a + b).boxed());
    probe.request(1);
    one.next(1).unwrap();

    other.complete();

    assert!(probe.is_completed() && one.is_canceled());
}

#[test]
fn the_latest_item_is_known_also_while_nothing_is_asked_for() {
    let (one, other, probe) =
        puppets(|one, other| one.with_latest_from(other).map(|(a, b)| a + b).boxed());
    probe.request(1);
    one.next(1).unwrap();
    other.next(10).unwrap();
    one.next(2).unwrap();
    for n in 0..100 {
        other.next(n).unwrap();
    }
    one.next(3).unwrap();

    probe.request(1);

    assert_eq!(probe.items(), [12, 102]);
    other.complete();
    one.complete();
    assert!(probe.is_completed());
}

#[test]
fn a_sign_without_demand_ends_a_flow_after_the_items_that_were_in_time() {
    let (one, other, probe) = puppets(|one, other| one.take_until(other).boxed());
    probe.request(1);
    one.next(1).unwrap();
    one.next(2).unwrap();

    other.next(0).unwrap();

    assert!(one.is_canceled() && other.is_canceled() && !probe.is_ended());
    assert_eq!(one.next(3), Err(3));
    probe.request(1);
    assert_eq!(probe.items(), [1, 2]);
    assert!(probe.is_completed());
}

#[test]
fn a_sign_may_come_before_anything_is_asked_for() {
    let probe = Probe::subscribe_to(never::<u8>().take_until(just(1)));

    assert!(probe.is_completed());
}

#[test]
fn the_first_flow_to_answer_is_taken_and_the_others_are_canceled() {
    let (one, other, probe) = puppets(|one, other| first_with_signal([one, other]).boxed());
    probe.request(2);

    other.next(1).unwrap();

    assert!(one.is_canceled() && !other.is_canceled());
    other.next(2).unwrap();
    other.complete();
    assert_eq!(probe.items(), [1, 2]);
    assert!(probe.is_completed());
    assert!(first_with_signal::<Flow<millstream::Never<u8>>>([]).count().wait().is_ok());
}

#[test]
fn an_item_that_the_downstream_skips_is_an_item() {
    let items = just(1).switch_if_empty(just(2)).filter(|n| *n == 2);

    assert_eq!(items.count().wait().unwrap(), 0);
    assert_eq!(
        empty().switch_if_empty(empty()).default_if_empty(3).first().wait().unwrap(),
        Some(3)
    );
}

#[test]
fn the_flow_before_is_canceled_and_what_waits_of_it_is_dropped() {
    let (source, publisher) = Puppet::new();
    let (old, old_flow) = Puppet::new();
    let (new, new_flow) = Puppet::new();
    let mut flows = [old_flow, new_flow].into_iter();
    let probe =
        Probe::subscribe_to(Flow::from(publisher).switch_map(move |()| flows.next().unwrap()));
    probe.request(1);
    source.next(()).unwrap();
    old.next(1).unwrap();
    old.next(2).unwrap();

    source.next(()).unwrap();

    assert!(old.is_canceled());
    new.next(3).unwrap();
    source.complete();
    probe.request(9);
    assert_eq!(probe.items(), [1, 3]);
    assert!(!probe.is_ended());
    new.complete();
    assert!(probe.is_completed());
}

/// Subscribing to a source may cost something, such as a connection.
#[test]
fn a_source_is_not_subscribed_to_after_the_flow_has_ended() {
    let n_subscribed = Arc::new(AtomicU64::new(0));
    let counted = || {
        let n_subscribed = Arc::clone(&n_subscribed);
        defer(move || {
            n_subscribed.fetch_add(1, Ordering::Relaxed);
            range(0..9_u64)
        })
        .boxed()
    };
    let failed = || error::<u64>(Error::message("planted")).boxed();
    let flows = [
        ("with_latest_from", counted().with_latest_from(failed()).map(drop).boxed()),
        ("take_until", counted().take_until(failed()).map(drop).boxed()),
        ("zip", failed().zip(counted()).map(drop).boxed()),
        ("combine_latest", failed().combine_latest(counted()).map(drop).boxed()),
        ("first_with_signal", first_with_signal([failed(), counted()]).map(drop).boxed()),
        ("merge", merge([failed(), counted()]).map(drop).boxed()),
        ("concat_eager", concat_eager([failed(), counted()]).map(drop).boxed()),
        ("merge_sorted", merge_sorted([failed(), counted()]).map(drop).boxed()),
    ];
    for (name, flow) in flows {
        assert!(flow.count().wait().is_err(), "{name}");
        assert_eq!(n_subscribed.swap(0, Ordering::Relaxed), 0, "{name}");
    }
}

/// Pages of which each is asked for after the one before: the number of them costs no stack.
#[test]
fn a_hundred_thousand_pages_take_the_stack_of_one() {
    const N_PAGES: u64 = 100_000;
    let run = || {
        let page = |n: u64| defer(move || range(2 * n..2 * n + 2));
        let mapped = range(0..N_PAGES).concat_map(page).count();
        let listed = concat_all((0..N_PAGES).map(page)).count();
        (mapped.wait().unwrap(), listed.wait().unwrap())
    };
    let thread = thread::Builder::new().stack_size(128 * 1024).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), (2 * N_PAGES, 2 * N_PAGES));
}
