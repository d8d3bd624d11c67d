//! Whose turn it is, among flows that never stop.

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use millstream::{
    ErrorKind, Flow, concat_eager, merge, range,
    scheduler::{CurrentThread, Pool},
    timer,
};
use millstream_testkit::{Probe, Puppet};

#[test]
fn flows_that_always_have_items_share_the_demand() {
    let endless = |n: u64| range(0..u64::MAX).map(move |_| n).boxed();
    for (n_flows, flow) in [
        (3, merge((0..3).map(endless)).boxed()),
        (1_000, merge((0..1_000).map(endless)).boxed()),
        (1_000, range(0..1_000).flat_map(endless).concurrency(1_000).prefetch(4).boxed()),
        (2, endless(0).merge_with(endless(1)).boxed()),
    ] {
        let items = flow.take(n_flows * 16).collect::<Vec<_>>().wait().unwrap();

        let mut n_seen = BTreeMap::new();
        for flow in items {
            *n_seen.entry(flow).or_insert(0) += 1;
        }
        assert_eq!(n_seen.len() as u64, n_flows);
        let (least, most) = (n_seen.values().min().unwrap(), n_seen.values().max().unwrap());
        assert!(most - least <= 8, "{n_flows} flows: {least} to {most} items");
    }
}

/// Another thread fills one flow as fast as it is emptied, so that the gate neither parks nor is
/// woken.
#[test]
#[expect(clippy::disallowed_methods, reason = "the flows have to be filled by another thread")]
fn a_flow_that_becomes_ready_gets_its_turn_beside_one_that_never_stops() {
    let (busy, one) = Puppet::new();
    let (rare, other) = Puppet::new();
    let (taken, takes) = mpsc::channel();
    let (refilled, refills) = mpsc::channel();
    let probe = Probe::subscribe_to(merge([one, other]).inspect(move |n| {
        if *n > 0 {
            taken.send(*n).unwrap();
            refills.recv().unwrap();
        }
    }));
    let filler = std::thread::spawn({
        let (busy, rare) = (busy.clone(), rare.clone());
        move || {
            for n in takes.iter() {
                if n == 9 {
                    rare.next(1_000).unwrap();
                }
                if n < 60 {
                    busy.next(n + 8).unwrap();
                }
                refilled.send(()).unwrap();
            }
        }
    });
    // The first item starts the flows; the others wait.
    probe.request(1);
    let subscription = probe.subscription();
    for n in 0..8 {
        busy.next(n).unwrap();
    }
    subscription.request(u64::MAX);

    drop((busy, rare, subscription));
    let items = probe.items();
    let at = items.iter().position(|n| *n == 1_000).unwrap();
    assert!(at < 10 + 2 * 8, "number {at} of {}", items.len());
    probe.cancel();
    filler.join().unwrap();
}

#[test]
fn more_flows_at_a_time_than_items_of_each_lose_nothing() {
    let flows = range(0..50_u32)
        .flat_map_sequential(|n| range(n * 10..n * 10 + 10))
        .concurrency(16)
        .prefetch(1);

    assert_eq!(flows.collect::<Vec<_>>().wait().unwrap(), (0..500).collect::<Vec<_>>());
}

#[test]
fn flows_whose_turn_has_not_come_run_beside_one_that_never_stops() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let probe = Probe::subscribe_to(concat_eager([
        range(0..u64::MAX).boxed(),
        Flow::from(publisher).boxed(),
    ]));

    probe.request(100);

    assert_eq!(puppet.requested().get(), 32);
    probe.cancel();
    assert!(puppet.is_canceled());
}

/// Another thread fills the flow whose turn it is as fast as it is emptied, so that the gate
/// neither parks nor is woken.
#[test]
#[expect(clippy::disallowed_methods, reason = "the flow has to be filled by another thread")]
fn a_flow_that_comes_later_begins_beside_one_that_never_stops() {
    let (source, publisher) = Puppet::new();
    let (busy, one) = Puppet::new();
    let (next, other) = Puppet::new();
    let mut flows = [one, other].into_iter();
    let (taken, takes) = mpsc::channel();
    let (refilled, refills) = mpsc::channel();
    let probe = Probe::subscribe_to(
        Flow::from(publisher)
            .flat_map_sequential(move |()| flows.next().unwrap())
            .concurrency(2)
            .prefetch(32)
            .inspect(move |n| {
                if *n > 0 {
                    taken.send(*n).unwrap();
                    refills.recv().unwrap();
                }
            }),
    );
    let (filling, feeding, following) = (busy.clone(), source.clone(), next.clone());
    let filler = std::thread::spawn(move || {
        let mut n_asked = 0;
        for n in takes {
            if n == 9 {
                feeding.next(()).unwrap();
            }
            if n < 60 {
                filling.next(n + 8).unwrap();
            }
            if n == 9 + 2 * 8 {
                n_asked = following.requested().get();
            }
            refilled.send(()).unwrap();
        }
        n_asked
    });
    // The first item starts the flow; the others wait.
    probe.request(1);
    source.next(()).unwrap();
    for n in 0..8_u64 {
        busy.next(n).unwrap();
    }
    probe.request(u64::MAX);

    probe.cancel();
    assert_eq!(filler.join().unwrap(), 32);
    assert!(next.is_canceled() && busy.is_canceled());
}

#[test]
fn a_flow_that_never_stops_lets_its_pool_run_others_and_stop() {
    let pool = Pool::new(1);
    let endless = range(0..u64::MAX).publish_on(&pool).capacity(4).count();

    assert_eq!(range(0..10_u64).publish_on(&pool).capacity(2).count().wait().unwrap(), 10);
    timer(&pool, Duration::from_millis(1)).count().wait().unwrap();
    pool.shutdown();

    assert_eq!(endless.wait().unwrap_err().kind(), ErrorKind::Rejected);
}

#[test]
fn a_flow_that_never_stops_lets_the_current_thread_see_what_it_waits_for() {
    let (here, pool) = (CurrentThread::new(), Pool::new(1));
    let _endless = range(0..u64::MAX).publish_on(&here).capacity(4).count();

    let n = here.block_on(range(0..10_u64).publish_on(&pool).capacity(1).count());

    assert_eq!(n.unwrap(), 10);
}
