//! One source for many subscribers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use millstream::{
    Error, ErrorKind, Flow, Sharing, defer, never, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

/// Counts its subscriptions.
fn counted(
    n_subscriptions: &Arc<AtomicUsize>,
) -> Flow<impl millstream::Publisher<Item = u64> + Clone> {
    let n_subscriptions = Arc::clone(n_subscriptions);
    defer(move || {
        n_subscriptions.fetch_add(1, Ordering::Relaxed);
        range(0..10).concat(never())
    })
}

/// A flow of a puppet's, which can be subscribed to once.
fn puppet() -> (Puppet<u64>, Flow<impl millstream::Publisher<Item = u64> + Clone>) {
    let (puppet, publisher) = Puppet::new();
    let publisher = Arc::new(std::sync::Mutex::new(Some(publisher)));
    let flow = defer(move || publisher.lock().unwrap().take().unwrap());
    (puppet, flow)
}

#[test]
fn the_source_is_subscribed_to_once_and_canceled_with_the_last() {
    let (puppet, flow) = puppet();
    let shared = flow.share(4);
    let (one, two) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared));
    assert_eq!(puppet.requested().get(), 0);
    one.request(9);
    two.request(9);
    puppet.next(7).unwrap();

    one.cancel();
    assert!(!puppet.is_canceled());
    two.cancel();

    assert!(puppet.is_canceled());
    assert_eq!((one.items(), two.items()), (vec![7], vec![7]));
}

#[test]
fn the_slowest_holds_back_all_and_its_queue_holds_what_was_said() {
    let (puppet, flow) = puppet();
    let shared = flow.share(3);
    let (fast, slow) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared));
    fast.request(u64::MAX);
    assert_eq!(puppet.demand().get(), 3);
    for n in 0..3 {
        puppet.next(n).unwrap();
    }
    assert_eq!((puppet.demand().get(), fast.n_items()), (0, 3));

    slow.request(1);
    assert_eq!(puppet.demand().get(), 1);
    puppet.next(3).unwrap();
    assert_eq!(fast.n_items(), 4);
    slow.cancel();

    assert_eq!(puppet.demand().get(), 3);
}

#[test]
fn a_source_that_sends_too_much_is_canceled() {
    let (puppet, flow) = puppet();
    let probe = Probe::subscribe_to(flow.share(1));
    probe.request(1);
    puppet.next(0).unwrap();
    puppet.force_next(1).unwrap();
    puppet.force_next(2).unwrap();
    probe.request(9);

    assert!(puppet.is_canceled());
    assert_eq!(probe.items(), [0, 1]);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Overflow);
}

#[test]
fn ends_reach_all_after_their_items_and_the_next_one_connects_anew() {
    let n_subscriptions = Arc::new(AtomicUsize::new(0));
    let shared = counted(&n_subscriptions).take(2).share(4);
    let (one, two) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared.clone()));
    one.request(9);
    assert!(one.is_completed() && !two.is_ended());
    two.request(2);
    assert!(two.is_completed());

    let three = Probe::subscribe_to(shared);
    three.request(9);

    assert_eq!(three.items(), [0, 1]);
    assert_eq!(n_subscriptions.load(Ordering::Relaxed), 2);
    let (puppet, flow) = puppet();
    let failed = Probe::subscribe_to(flow.share(1));
    puppet.fail(Error::message("over"));
    assert_eq!(failed.error().unwrap().to_string(), "over");
}

#[test]
fn a_source_that_goes_away_is_noticed() {
    let (puppet, flow) = puppet();
    let probe = Probe::subscribe_to(flow.share(1));

    puppet.drop_subscriber();

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
}

/// A subscriber that cancels before it is connected leaves no subscription behind.
#[test]
fn a_cancel_from_inside_on_subscribe_connects_nothing() {
    let n_subscriptions = Arc::new(AtomicUsize::new(0));
    let shared = counted(&n_subscriptions).share(4);
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);

    shared.clone().subscribe(subscriber);
    assert!(probe.is_dropped());
    assert_eq!(n_subscriptions.load(Ordering::Relaxed), 0);
    let next = Probe::subscribe_to(shared);
    next.request(2);

    assert_eq!(next.items(), [0, 1]);
    assert_eq!(n_subscriptions.load(Ordering::Relaxed), 1);
}

#[test]
fn it_connects_when_enough_have_come() {
    let n_subscriptions = Arc::new(AtomicUsize::new(0));
    let shared = counted(&n_subscriptions).share_with(Sharing::new(4).min_subscribers(2));
    let one = Probe::subscribe_to(shared.clone());
    one.request(2);
    one.cancel();
    let two = Probe::subscribe_to(shared.clone());
    two.request(2);
    assert_eq!(n_subscriptions.load(Ordering::Relaxed), 0);

    let three = Probe::subscribe_to(shared);
    three.request(2);

    assert_eq!(n_subscriptions.load(Ordering::Relaxed), 1);
    assert_eq!((two.items(), three.items()), (vec![0, 1], vec![0, 1]));
}

#[test]
fn it_stays_connected_for_a_while() {
    let clock = VirtualTime::new();
    let second = Duration::from_secs(1);
    let (puppet, flow) = puppet();
    let shared = flow.share_with(Sharing::new(4).grace(2 * second, &clock));
    let one = Probe::subscribe_to(shared.clone());
    one.request(1);
    one.cancel();
    clock.advance(second);
    assert!(!puppet.is_canceled());
    puppet.next(0).unwrap();

    // In time; and the time begins anew when it leaves.
    let two = Probe::subscribe_to(shared.clone());
    two.request(9);
    puppet.next(1).unwrap();
    clock.advance(2 * second);
    two.cancel();
    clock.advance(second);
    assert!(!puppet.is_canceled());
    clock.advance(second);

    assert!(puppet.is_canceled());
    assert_eq!(two.items(), [1]);
}

#[test]
fn a_subscriber_that_panics_ends_alone() {
    let (puppet, flow) = puppet();
    let shared = flow.share(4);
    let bad = shared.clone().for_each(|_| panic!("bang"));
    let good = Probe::subscribe_to(shared);
    good.request(9);

    puppet.next(0).unwrap();
    puppet.next(1).unwrap();

    assert_eq!(good.items(), [0, 1]);
    assert_eq!(bad.wait().unwrap_err().kind(), ErrorKind::Panicked);
}

#[test]
fn subscribers_that_come_and_go_on_many_threads_miss_nothing_in_between() {
    let pool = Pool::new(2);
    let n_open = Arc::new(AtomicUsize::new(0));
    let shared = defer({
        let n_open = Arc::clone(&n_open);
        move || {
            n_open.fetch_add(1, Ordering::Relaxed);
            range(0..u64::MAX)
        }
    })
    .publish_on(&pool)
    .capacity(4)
    .share(4);
    thread::scope(|scope| {
        for _ in 0..3 {
            let shared = shared.clone();
            scope.spawn(move || {
                for n in [1, 2, 9, 100].repeat(40) {
                    let items = shared.clone().take(n).collect::<Vec<_>>().wait().unwrap();

                    assert_eq!(items.len() as u64, n);
                    assert!(items.windows(2).all(|pair| pair[1] == pair[0] + 1), "{items:?}");
                }
            });
        }
    });

    assert!(n_open.load(Ordering::Relaxed) >= 1);
}

#[test]
fn it_stays_connected_for_nobody_when_no_flow_is_left() {
    let clock = VirtualTime::new();
    let (puppet, flow) = puppet();
    let shared = flow.share_with(Sharing::new(4).grace(Duration::from_secs(1), &clock));
    let one = Probe::subscribe_to(shared);
    one.request(1);

    one.cancel();

    assert!(puppet.is_canceled());
}
