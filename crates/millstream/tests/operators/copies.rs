//! Copies of a flow's items for another subscriber.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use millstream::{Demand, Error, ErrorKind, Flow, range, scheduler::Pool};
use millstream_testkit::{Probe, Puppet, chaos};

/// Where a probe of the copies is put.
type Side<T> = Arc<Mutex<Option<Probe<T>>>>;

fn probed<T: Send + 'static>(side: &Side<T>) -> impl Fn(Probe<T>) + use<T> {
    let side = Arc::clone(side);
    move |probe| *side.lock().unwrap() = Some(probe)
}

fn taken<T>(side: &Side<T>) -> Probe<T> {
    side.lock().unwrap().take().expect("the flow was subscribed to")
}

#[test]
fn the_slower_of_the_two_sets_the_pace() {
    let (puppet, publisher) = Puppet::new();
    let side = Side::default();
    let keep = probed(&side);
    let flow = Flow::from(publisher).also_to(2, move |copies| keep(Probe::subscribe_to(copies)));
    let main = Probe::subscribe_to(flow);
    let copies = taken(&side);
    assert_eq!(puppet.requested(), Demand::new(2));
    main.request(99);
    let mut n_sent = 0;
    while puppet.next(n_sent).is_ok() {
        n_sent += 1;
    }
    assert_eq!(main.n_items(), 2, "two copies wait");
    assert!(n_sent <= 2 + 2 + 1, "{n_sent}");

    copies.request(99);
    puppet.complete();

    assert_eq!(main.items(), Vec::from_iter(0..n_sent));
    assert_eq!(copies.items(), main.items());
    assert!(main.is_completed() && copies.is_completed());
}

#[test]
fn a_tap_misses_what_it_has_no_place_for_and_holds_nothing_up() {
    let (puppet, publisher) = Puppet::new();
    let side = Side::default();
    let keep = probed(&side);
    let flow = Flow::from(publisher).tap_into(2, move |copies| keep(Probe::subscribe_to(copies)));
    let main = Probe::subscribe_to(flow);
    let copies = taken(&side);
    main.request(99);
    (0..9).for_each(|n| puppet.next(n).unwrap());
    assert_eq!((main.n_items(), copies.n_items()), (9, 0));

    copies.request(3);
    puppet.next(9).unwrap();
    puppet.fail(Error::message("no"));

    assert_eq!(copies.items(), [0, 1, 9]);
    assert!(main.error().is_some() && copies.error().is_some());
}

#[test]
fn a_tap_waits_for_its_downstream() {
    let (puppet, publisher) = Puppet::new();
    let main = Probe::subscribe_to(Flow::from(publisher).tap_into(2, drop));
    let mut n_sent = 0;
    while puppet.next(n_sent).is_ok() {
        n_sent += 1;
    }
    assert!(n_sent <= 2 + 2 + 1, "{n_sent}");
    main.request(99);
    assert_eq!(main.items(), Vec::from_iter(0..n_sent));
}

#[test]
fn copies_that_are_dropped_or_canceled_leave_the_flow_alone() {
    let (puppet, publisher) = Puppet::new();
    let side = Side::default();
    let keep = probed(&side);
    let flow = Flow::from(publisher).also_to(1, move |copies| keep(Probe::subscribe_to(copies)));
    let main = Probe::subscribe_to(flow);
    main.request(99);
    puppet.next(1).unwrap();
    let _held = puppet.next(2);

    taken(&side).cancel();

    puppet.next(3).unwrap();
    puppet.complete();
    assert_eq!(main.items(), [1, 2, 3]);
    assert!(main.is_completed());
    assert_eq!(range(0..9).also_to(1, drop).count().wait().unwrap(), 9);
}

#[test]
fn a_flow_that_is_canceled_completes_its_copies_after_those_that_wait() {
    let (puppet, publisher) = Puppet::new();
    let side = Side::default();
    let keep = probed(&side);
    let flow = Flow::from(publisher).also_to(4, move |copies| keep(Probe::subscribe_to(copies)));
    let main = Probe::subscribe_to(flow);
    let copies = taken(&side);
    main.request(99);
    puppet.next(1).unwrap();

    main.cancel();

    assert!(puppet.is_canceled());
    assert!(!copies.is_ended());
    copies.request(9);
    assert_eq!(copies.items(), [1]);
    assert!(copies.is_completed());
}

#[test]
fn what_panics_for_the_copies_fails_the_flow_and_never_stops_it() {
    struct Explosive;
    impl Clone for Explosive {
        fn clone(&self) -> Self {
            panic!("no copy of this");
        }
    }
    let side = Side::default();
    let keep = probed(&side);
    let items = range(0..3).map(|_| Explosive);
    let flow = items.also_to(2, move |copies| keep(Probe::subscribe_to(copies)));
    let main = Probe::subscribe_to(flow);
    main.request(9);
    let copies = taken(&side);
    let _quiet = catch_unwind(AssertUnwindSafe(|| copies.request(9)));
    for probe in [main, copies] {
        assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
        assert!(probe.is_dropped());
    }
}

#[test]
fn copies_go_to_another_thread() {
    let pool = Pool::new(2);
    let (sender, receiver) = std::sync::mpsc::channel();
    let workers = pool.clone();
    let flow = range(0..10_000_u64).also_to(8, move |copies| {
        let _sent = sender.send(copies.publish_on(&workers).fold(0, |sum, n| sum + n));
    });
    let sum = flow.publish_on(&pool).fold(0, |sum, n| sum + n).wait().unwrap();
    assert_eq!(sum, receiver.recv().unwrap().wait().unwrap());
}

#[test]
fn copies_stand_chaos() {
    chaos::check(|source, _| source.also_to(2, drop), <[u64]>::to_vec);
    chaos::check(|source, _| source.tap_into(2, std::mem::forget), <[u64]>::to_vec);
    chaos::check(
        |source, clock| {
            let clock = clock.clone();
            source.also_to(2, move |copies| {
                Box::leak(Box::new(copies.publish_on(&clock).count()));
            })
        },
        <[u64]>::to_vec,
    );
}
