//! One source for many subscribers, with what was before them for late ones.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use millstream::{
    Error, ErrorKind, Flow, Sharing, defer,
    hub::Replay,
    just, never, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

/// A flow of a puppet's, which can be subscribed to once.
fn puppet() -> (Puppet<u64>, Flow<impl millstream::Publisher<Item = u64> + Clone>) {
    let (puppet, publisher) = Puppet::new();
    let publisher = Arc::new(Mutex::new(Some(publisher)));
    (puppet, defer(move || publisher.lock().unwrap().take().unwrap()))
}

#[test]
fn a_late_subscriber_gets_the_last_items_and_then_all_others() {
    let (puppet, flow) = puppet();
    let flow = flow.replay(3, Replay::last(2));
    let early = Probe::subscribe_to(flow.clone());
    assert_eq!(puppet.requested().get(), 0);
    early.request(u64::MAX);
    (0..3).for_each(|n| puppet.next(n).unwrap());

    let late = Probe::subscribe_to(flow);
    late.request(1);
    (3..6).for_each(|n| puppet.next(n).unwrap());
    // The late one holds back both.
    assert_eq!(puppet.demand().get(), 0);
    late.request(9);
    assert_eq!(puppet.demand().get(), 1);
    puppet.complete();

    assert_eq!(early.items(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(late.items(), [1, 2, 3, 4, 5]);
    assert!(early.is_completed() && late.is_completed());
}

#[test]
fn an_end_is_kept_and_nobody_connects_again() {
    let (puppet, flow) = puppet();
    let flow = flow.replay(3, Replay::last(1));
    let early = Probe::subscribe_to(flow.clone());
    early.request(9);
    (0..2).for_each(|n| puppet.next(n).unwrap());
    puppet.fail(Error::message("over"));
    assert_eq!(early.error().unwrap().to_string(), "over");

    for _ in 0..2 {
        // A second connection would panic: there is one puppet.
        let late = Probe::subscribe_to(flow.clone());
        late.request(9);

        assert_eq!(late.items(), [1]);
        assert_eq!(late.error().unwrap().to_string(), "over");
    }
}

#[test]
fn an_end_is_kept_when_the_time_without_subscribers_is_over() {
    let clock = VirtualTime::new();
    let second = Duration::from_secs(1);
    let (puppet, flow) = puppet();
    let flow = flow.replay_with(Sharing::new(3).grace(second, &clock), Replay::last(1));
    let early = Probe::subscribe_to(flow.clone());
    early.request(1);
    early.cancel();
    puppet.next(7).unwrap();
    puppet.complete();
    clock.advance(2 * second);

    let late = Probe::subscribe_to(flow);
    late.request(9);

    assert_eq!(late.items(), [7]);
    assert!(late.is_completed());
}

#[test]
fn items_that_are_too_old_are_not_replayed() {
    let clock = VirtualTime::new();
    let second = Duration::from_secs(1);
    let (puppet, flow) = puppet();
    let flow = flow.replay(9, Replay::last(9).max_age(2 * second, &clock));
    let _early = flow.clone().for_each(drop);
    for n in 0..4 {
        puppet.next(n).unwrap();
        clock.advance(second);
    }

    let late = Probe::subscribe_to(flow);
    late.request(9);

    assert_eq!(late.items(), [2, 3]);
}

#[test]
fn the_last_one_to_leave_takes_with_it_what_was_kept() {
    let n_connections = Arc::new(AtomicUsize::new(0));
    let source = {
        let n_connections = Arc::clone(&n_connections);
        defer(move || just(n_connections.fetch_add(1, Ordering::Relaxed)).concat(never()))
    };
    let flow = source.replay(3, Replay::last(9));
    let first = Probe::subscribe_to(flow.clone());
    first.request(9);
    first.cancel();

    let second = Probe::subscribe_to(flow);
    second.request(9);

    assert_eq!((first.items(), second.items()), (vec![0], vec![1]));
}

#[test]
fn what_was_kept_stays_for_a_while() {
    let clock = VirtualTime::new();
    let second = Duration::from_secs(1);
    let (puppet, flow) = puppet();
    let flow = flow.replay_with(Sharing::new(3).grace(2 * second, &clock), Replay::last(9));
    let first = Probe::subscribe_to(flow.clone());
    first.request(9);
    puppet.next(0).unwrap();
    first.cancel();
    // Nobody is there, and it is kept all the same.
    puppet.next(1).unwrap();
    clock.advance(second);

    let second_one = Probe::subscribe_to(flow.clone());
    second_one.request(9);
    assert_eq!(second_one.items(), [0, 1]);
    second_one.cancel();
    assert!(!puppet.is_canceled());
    clock.advance(2 * second);

    assert!(puppet.is_canceled());
}

#[test]
fn a_connection_that_stays_is_closed_with_the_last_flow_and_the_last_subscriber() {
    for leaves_first in [true, false] {
        let (puppet, flow) = puppet();
        let flow = flow.replay_with(Sharing::new(3).stay_connected(), Replay::last(9));
        let probe = Probe::subscribe_to(flow.clone());
        probe.request(1);
        if leaves_first {
            probe.cancel();
            assert!(!puppet.is_canceled());
            drop(flow);
        } else {
            drop(flow);
            assert!(!puppet.is_canceled());
            probe.cancel();
        }

        assert!(puppet.is_canceled(), "{leaves_first}");
    }
}

#[test]
fn a_cancel_from_inside_on_subscribe_leaves_no_connection_behind() {
    let (puppet, flow) = puppet();
    let flow = flow.replay(3, Replay::last(2));
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);
    flow.clone().subscribe(subscriber);
    assert!(probe.is_dropped());

    // Nothing was made that would be in the way of the next one.
    let next = Probe::subscribe_to(flow);
    next.request(1);
    puppet.next(7).unwrap();
    next.cancel();
    assert_eq!(next.items(), [7]);
    assert!(puppet.is_canceled());
}

#[test]
fn a_cancel_from_inside_on_subscribe_is_no_reason_to_stay_connected_without_a_flow() {
    let (puppet, flow) = self::puppet();
    let flow = flow.replay_with(Sharing::new(3).stay_connected(), Replay::last(2));
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);

    flow.subscribe(subscriber);

    assert!(probe.is_dropped());
    assert!(puppet.is_canceled());
    assert_eq!(puppet.requested().get(), 0);
}

#[test]
fn a_source_that_sends_too_much_is_canceled_and_the_failure_kept() {
    let (puppet, flow) = puppet();
    let flow = flow.replay(1, Replay::last(1));
    let early = Probe::subscribe_to(flow.clone());
    early.request(1);
    puppet.next(0).unwrap();
    (1..4).for_each(|n| puppet.force_next(n).unwrap());
    let late = Probe::subscribe_to(flow);
    late.request(9);

    assert!(puppet.is_canceled());
    assert_eq!(late.error().unwrap().kind(), ErrorKind::Overflow);
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
fn a_clone_that_panics_on_arrival_ends_the_one_it_is_for() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let item = Arc::clone(&is_broken);
    let flow = defer(move || just(Fragile(Arc::clone(&item))).concat(never())).cache(1);
    let early = Probe::subscribe_to(flow.clone());
    early.request(9);
    is_broken.store(true, Ordering::Relaxed);
    let unlucky = Probe::subscribe_to(flow.clone());
    unlucky.request(9);
    is_broken.store(false, Ordering::Relaxed);
    let lucky = Probe::subscribe_to(flow);
    lucky.request(9);

    assert_eq!(unlucky.error().unwrap().kind(), ErrorKind::Panicked);
    assert_eq!((early.n_items(), unlucky.n_items(), lucky.n_items()), (1, 0, 1));
    assert!(!early.is_ended());
}

#[test]
#[should_panic(expected = "a capacity of 0 would never let an item through")]
fn to_keep_nothing_is_refused_where_it_is_written() {
    let _flow = range(0..3_u64).replay(4, Replay::last(0));
}

/// Whoever comes while the last one goes either shares its connection or makes another, and misses
/// nothing of either.
#[test]
fn subscribers_that_come_and_go_on_many_threads_get_a_past_that_fits() {
    let pool = Pool::new(2);
    let n_connections = Arc::new(AtomicUsize::new(0));
    let n_open = Arc::new(AtomicUsize::new(0));
    let flow = {
        let (n_connections, n_open) = (Arc::clone(&n_connections), Arc::clone(&n_open));
        defer(move || {
            n_connections.fetch_add(1, Ordering::Relaxed);
            n_open.fetch_add(1, Ordering::Relaxed);
            let n_open = Arc::clone(&n_open);
            let is_over = move |_| {
                n_open.fetch_sub(1, Ordering::Relaxed);
            };
            range(0..u64::MAX).do_finally(is_over)
        })
        .publish_on(&pool)
        .capacity(4)
        .replay(4, Replay::last(3))
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            let flow = flow.clone();
            scope.spawn(move || {
                for n in [1, 2, 9, 100].repeat(40) {
                    let items = flow.clone().take(n).collect::<Vec<_>>().wait().unwrap();

                    assert_eq!(items.len() as u64, n);
                    assert!(items.windows(2).all(|pair| pair[1] == pair[0] + 1), "{items:?}");
                }
            });
        }
    });

    assert!(n_connections.load(Ordering::Relaxed) >= 1);
    drop(flow);
    // All of them are closed in the end, on the pool.
    while n_open.load(Ordering::Relaxed) > 0 {
        thread::yield_now();
    }
}
