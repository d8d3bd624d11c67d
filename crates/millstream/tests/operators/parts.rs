//! A flow that is dealt out to several.

use std::{
    sync::{Arc, Barrier, Mutex},
    thread,
};

use millstream::{
    Backpressure, BoxPublisher, Demand, Error, ErrorKind, Flow, error, merge, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet, chaos};
use proptest::prelude::*;

#[test]
fn the_source_is_subscribed_to_with_the_first_part() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let (first, second) = Flow::from(publisher).divert(4, |n| *n > 9);
    assert!(puppet.next(1).is_err(), "it has no subscriber");

    let probe = Probe::subscribe_to(second);
    assert_eq!(puppet.requested(), Demand::new(4));
    probe.request(9);
    puppet.next(10).unwrap();
    puppet.next(1).unwrap();

    assert_eq!(probe.items(), [10]);
    let late = Probe::subscribe_to(first);
    late.request(1);
    assert_eq!(late.items(), [1]);
}

#[test]
fn parts_that_are_all_dropped_subscribe_to_nothing() {
    let witness = Arc::new(());
    let held = Arc::clone(&witness);
    let parts = range(0..9).map(move |n| (n, Arc::strong_count(&held))).balance(3, 2);

    drop(parts);

    assert_eq!(Arc::strong_count(&witness), 1, "the source was let go of");
}

#[test]
fn a_part_that_is_full_holds_up_the_others_and_loses_nothing() {
    let (puppet, publisher) = Puppet::new();
    let (even, odd) = Flow::from(publisher).divert(2, |n| n % 2 == 1);
    let (even, odd) = (Probe::subscribe_to(even), Probe::subscribe_to(odd));
    even.request(9);
    for n in [1, 3, 5, 2, 4] {
        if puppet.next(n).is_err() {
            break;
        }
    }
    assert!(even.n_items() == 0, "5 is ahead of them, and has no place");
    assert!(puppet.requested() <= Demand::new(2 + 2 + 2), "{:?}", puppet.requested());

    odd.request(9);

    assert_eq!(odd.items(), [1, 3, 5]);
    assert!(puppet.demand() > Demand::ZERO);
}

#[test]
fn the_items_of_a_part_that_was_canceled_are_dropped() {
    let (puppet, publisher) = Puppet::new();
    let (even, odd) = Flow::from(publisher).divert(2, |n| n % 2 == 1);
    let even = Probe::subscribe_to(even);
    even.request(9);
    drop(odd);
    (0..8).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(even.items(), [0, 2, 4, 6]);
    assert!(!puppet.is_canceled());

    even.cancel();

    assert!(puppet.is_canceled(), "there is no part left");
}

#[test]
fn all_parts_end_as_the_source_does_after_their_items() {
    let failing = range(0..4).concat(error(Error::message("no")));
    let parts = failing.partition(3, 4, |n| n % 2);
    let probes: Vec<_> = parts.into_iter().map(Probe::subscribe_to).collect();
    assert!(probes[2].error().is_some(), "it has no item");
    assert!(probes[0].error().is_none());

    probes.iter().for_each(|probe| probe.request(9));

    assert_eq!((probes[0].items(), probes[1].items()), (vec![0, 2], vec![1, 3]));
    assert!(probes.iter().all(|probe| probe.error().is_some() && probe.is_dropped()));
}

#[test]
fn a_number_that_no_part_has_fails_all() {
    let parts = range(0..4).partition(2, 4, |n| *n);
    let probes: Vec<_> = parts.into_iter().map(Probe::subscribe_to).collect();

    probes.iter().for_each(|probe| probe.request(9));

    for probe in probes {
        assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
    }
}

#[test]
fn the_halves_of_pairs_go_two_ways() {
    let (puppet, publisher) = Puppet::new();
    let (left, right) = Flow::from(publisher).unzip(1);
    let (left, right) = (Probe::subscribe_to(left), Probe::subscribe_to(right));
    left.request(9);
    puppet.next((1, 'a')).unwrap();
    let _waits = puppet.next((2, 'b'));
    assert_eq!(left.items(), [1], "the other one has no place for `b`");

    right.request(9);
    assert_eq!((left.items(), right.items()), (vec![1, 2], vec!['a', 'b']));
    right.cancel();
    puppet.next((3, 'c')).unwrap();
    puppet.complete();

    assert_eq!(left.items(), [1, 2, 3]);
    assert!(left.is_completed());
}

/// Parts of the flow, and all of them together again.
fn put_together(flow: Flow<BoxPublisher<u64>>, n: usize) -> Flow<BoxPublisher<u64>> {
    merge(flow.balance(n, 2)).boxed()
}

#[test]
fn parts_stand_chaos() {
    chaos::check(|source, _| put_together(source.boxed(), 1), <[u64]>::to_vec);
    chaos::check(
        |source, _| {
            let mut parts = source.partition(3, 2, |n| *n as usize % 3);
            drop(parts.remove(0));
            parts.remove(1)
        },
        |items| items.iter().copied().filter(|n| n % 3 == 2).collect(),
    );
    chaos::check(|source, _| source.map(|n| (n, ())).unzip(3).0, <[u64]>::to_vec);
    chaos::check(
        |source, clock| source.parallel_map(clock, 3, |n| n + 1),
        |items| items.iter().map(|n| n + 1).collect(),
    );
}

#[test]
fn new_operators_stand_chaos() {
    let all = |items: &[u64]| items.to_vec();
    chaos::check(
        |source, _| source.sliding(3, 2),
        |items| {
            let n = items.len();
            let n_windows = if n == 1 { 1 } else { n / 2 };
            (0..n_windows).map(|i| items[2 * i..n.min(2 * i + 3)].to_vec()).collect()
        },
    );
    chaos::check(|source, _| source.valve(millstream::just(true)).capacity(2), all);
    chaos::check(|source, _| source.switch_on_first(|items| items), all);
    chaos::check(
        |source, _| {
            source
                .prefix_and_tail(3)
                .concat_map(|(prefix, tail)| millstream::from_iter(prefix).concat(tail))
        },
        all,
    );
    chaos::check(
        |source, clock| source.scan_async_on(clock, (), |(), n| async move { ((), n) }),
        all,
    );
    chaos::check(
        |source, clock| source.map_async_partitioned_on(clock, 3, |_| (), |n| async move { n }),
        all,
    );
    chaos::check(
        |source, clock| {
            source.map_async_on(clock, 3, millstream::Order::Source, |n| async move { n })
        },
        all,
    );
    chaos::check(
        |source, clock| {
            source.map_async_on(clock, 1, millstream::Order::Completion, |n| async move { n })
        },
        all,
    );
    chaos::check(|source, _| source.merge_preferred(millstream::empty()), all);
    chaos::check(|source, _| millstream::interleave([source], 2), all);
    chaos::check(|source, clock| source.cancel_on(clock), all);
    chaos::check(|source, _| source.expand_recursive(64, |_| millstream::empty()), all);
    chaos::check(
        |source, _| source.zip_longest(range(0..3_u64)),
        |items| {
            let n = items.len().max(3);
            (0..n).map(|i| (items.get(i).copied(), (i < 3).then_some(i as u64))).collect()
        },
    );
}

#[test]
fn workers_run_at_the_same_time() {
    let pool = Pool::new(2);
    let both = Arc::new(Barrier::new(2));
    let flow = range(0..2_u64).parallel_map(&pool, 2, move |n| {
        both.wait();
        (n, thread::current().id())
    });

    let outputs = flow.collect::<Vec<_>>().wait().unwrap();

    assert_eq!((outputs[0].0, outputs[1].0), (0, 1));
    assert_ne!(outputs[0].1, outputs[1].1);
}

#[test]
fn what_works_in_parallel_loses_nothing_and_keeps_the_order_if_that_was_said() {
    let pool = Pool::new(3);
    let ordered = range(0..20_000_u64).parallel_map(&pool, 3, |n| n * 2);
    let sum = range(0..20_000_u64)
        .parallel(&pool, 3, |share| share.filter(|n| n % 2 == 0))
        .fold(0, |sum, n| sum + n);

    let ordered = ordered.collect::<Vec<_>>().wait().unwrap();
    assert!(ordered.iter().enumerate().all(|(i, n)| *n == 2 * i as u64));
    assert_eq!(ordered.len(), 20_000);
    assert_eq!(sum.wait().unwrap(), (0..20_000).filter(|n| n % 2 == 0).sum::<u64>());
}

#[test]
fn a_panic_on_a_worker_ends_all() {
    let pool = Pool::new(2);
    let on_worker = range(0..9_u64).parallel_map(&pool, 2, |n| assert!(n < 4, "bang"));
    let in_making =
        range(0..9_u64).parallel(&pool, 2, |_| -> Flow<millstream::Never<u64>> { panic!("bang") });
    let failing = range(0..9_u64).concat(error(Error::message("no")));

    assert_eq!(on_worker.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!(in_making.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
    assert!(failing.parallel(&pool, 2, |share| share).count().wait().is_err());
}

#[test]
fn a_flow_in_parallel_holds_no_more_than_it_states() {
    let clock = VirtualTime::new();
    let n_out = Arc::new(Mutex::new(0_u64));
    let taken = Arc::clone(&n_out);
    let flow =
        range(0_u64..)
            .inspect(move |_| *taken.lock().unwrap() += 1)
            .parallel(&clock, 3, |share| share);
    let parts = range(0_u64..).parallel_map(&clock, 3, |n| n);
    let stated = parts.max_in_flight();
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    clock.run();

    assert_eq!(probe.n_items(), 1);
    let held = *n_out.lock().unwrap() - 1;
    assert!(held <= stated, "{held} are held, {stated} are stated");
    probe.cancel();
    clock.run();
    assert!(probe.is_dropped());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_item_goes_to_one_part(
        n_items in 0_u64..60,
        n in 1_usize..5,
        capacity in 1_usize..4,
        requests in proptest::collection::vec((0_usize..5, 1_u64..5), 0..60),
        dropped in proptest::option::of(0_usize..5),
    ) {
        let parts = range(0..n_items).balance(n, capacity);
        let mut probes: Vec<_> =
            parts.into_iter().map(|part| Some(Probe::subscribe_to(part))).collect();
        let lost = dropped.filter(|_| n > 1).and_then(|index| probes[index % n].take());
        if let Some(probe) = &lost {
            probe.cancel();
        }
        for (index, n_requested) in requests {
            if let Some(probe) = &probes[index % n] {
                probe.request(n_requested);
            }
        }
        let probes: Vec<_> = probes.into_iter().flatten().collect();
        probes.iter().for_each(|probe| probe.request(u64::MAX));
        let mut all: Vec<u64> = probes.iter().flat_map(Probe::items).collect();
        for probe in &probes {
            prop_assert!(probe.is_completed());
            prop_assert!(probe.items().is_sorted(), "each part is in order");
        }
        all.sort_unstable();
        // What the part had that was dropped before it asked for anything is gone with it.
        let n_gone = n_items as usize - all.len();
        prop_assert!(n_gone <= if lost.is_some() { capacity } else { 0 }, "{n_gone} are gone");
        all.dedup();
        prop_assert_eq!(all.len(), n_items as usize - n_gone, "one came twice");
    }
}
