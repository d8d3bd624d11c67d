//! A subscriber and a publisher that do not know of each other.

use millstream::{ErrorKind, Flow, Processor, hub, range};
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
    assert!(puppet.is_cancelled());

    let (subscriber, flow) = hub::processor::<u8>(4).split();
    drop(subscriber);
    let probe = Probe::subscribe_to(flow);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);

    let (subscriber, flow) = hub::processor(1).split();
    range(0..3).subscribe(subscriber);
    assert_eq!(flow.count().wait().unwrap(), 3);
}
