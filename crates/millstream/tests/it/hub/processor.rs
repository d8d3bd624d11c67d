//! A subscriber and a publisher that do not know of each other.

use millstream::{
    ErrorKind, Flow, Processor,
    hub::{self, Replay},
    range,
};
use millstream_testkit::{Probe, Puppet};

#[test]
fn nothing_is_asked_for_before_the_subscriber_asks() {
    let (puppet, publisher) = Puppet::new();
    let (subscriber, flow) = hub::processor(4).split();
    Flow::from(publisher).subscribe(subscriber);
    let probe = Probe::subscribe_to(flow);
    assert_eq!(puppet.requested().get(), 0);

    probe.request(1);
    assert_eq!(puppet.requested().get(), 4);
    puppet.next(1).unwrap();
    puppet.complete();

    assert_eq!(probe.items(), [1]);
    assert!(probe.is_completed());
}

#[test]
fn either_end_may_go_first() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let (subscriber, flow) = hub::processor(4).split();
    drop(flow);
    Flow::from(publisher).subscribe(subscriber);
    assert!(puppet.is_canceled());

    let (subscriber, flow) = hub::processor::<u8>(4).split();
    drop(subscriber);
    let probe = Probe::subscribe_to(flow);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);

    let (subscriber, flow) = hub::processor(1).split();
    range(0..3).subscribe(subscriber);
    assert_eq!(flow.count().wait().unwrap(), 3);
}

#[test]
fn many_subscribers_of_a_processor_hold_back_its_source_until_they_are_gone() {
    let (puppet, publisher) = Puppet::new();
    let (subscriber, flow) = hub::multicast_processor(2, None).split();
    Flow::from(publisher).subscribe(subscriber);
    let fast = Probe::subscribe_to(flow.clone());
    let slow = Probe::subscribe_to(flow);
    assert_eq!(puppet.requested().get(), 0);
    fast.request(u64::MAX);
    (0..2).for_each(|n| puppet.next(n).unwrap());
    assert_eq!((puppet.demand().get(), fast.n_items()), (0, 2));

    slow.cancel();
    assert_eq!(puppet.demand().get(), 2);
    assert!(!puppet.is_canceled());
    fast.cancel();

    assert!(puppet.is_canceled());
}

#[test]
fn a_processor_that_replays_gives_who_comes_later_the_last_items_and_the_end() {
    let (subscriber, flow) = hub::multicast_processor(2, Some(Replay::last(2))).split();
    let early = Probe::subscribe_to(flow.clone());
    early.request(9);
    range(0..5).subscribe(subscriber);

    let late = Probe::subscribe_to(flow);
    late.request(9);

    assert_eq!((early.items(), late.items()), (vec![0, 1, 2, 3, 4], vec![3, 4]));
    assert!(early.is_completed() && late.is_completed());
}

#[test]
fn what_is_replayed_leaves_room_for_what_was_asked_for() {
    let (puppet, publisher) = Puppet::new();
    let (subscriber, flow) = hub::multicast_processor(2, Some(Replay::last(2))).split();
    Flow::from(publisher).subscribe(subscriber);
    let early = Probe::subscribe_to(flow.clone());
    early.request(9);
    (0..2).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(puppet.demand().get(), 2);
    let late = Probe::subscribe_to(flow);

    (2..4).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(puppet.demand().get(), 0);
    late.request(9);

    assert_eq!((early.items(), late.items()), (vec![0, 1, 2, 3], vec![0, 1, 2, 3]));
    assert!(puppet.demand().get() > 0);
}
