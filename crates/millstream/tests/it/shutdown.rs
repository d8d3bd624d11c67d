//! Stopping a flow and letting it drain.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{
    Error, ErrorKind, Flow, KillSwitch, Offer, Subscriber, Subscription, never,
    scheduler::{Immediate, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_on_its_way_arrives_before_the_time_is_up() {
    let clock = VirtualTime::new();
    let switch = KillSwitch::new();
    let (puppet, publisher) = Puppet::new();
    let running = Flow::from(publisher).kill_switch(&switch).publish_on(&clock).capacity(4);
    let running = running.collect::<Vec<_>>();
    clock.run();
    (1..=2).for_each(|n| puppet.next(n).unwrap());

    let running = running.shutdown_on(&clock, &switch, SECOND);
    assert!(puppet.is_canceled());
    puppet.drop_subscriber();
    clock.advance(SECOND * 2);

    assert_eq!(running.wait().unwrap(), [1, 2]);
}

#[test]
fn a_flow_that_is_not_done_in_time_is_canceled() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u8>::new();
    let running = Flow::from(publisher).count();

    let running = running.shutdown_on(&clock, &KillSwitch::new(), SECOND);
    assert!(!puppet.is_canceled());
    clock.advance(SECOND);

    assert!(puppet.is_canceled());
    puppet.drop_subscriber();
    assert_eq!(running.wait().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_scheduler_that_cannot_wait_leaves_no_time() {
    let running = never::<u8>().count().shutdown_on(&Immediate, &KillSwitch::new(), SECOND);

    assert_eq!(running.wait().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_failure_while_it_drains_is_the_result() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u8>::new();
    let running = Flow::from(publisher).count();

    let running = running.shutdown_on(&clock, &KillSwitch::new(), SECOND);
    puppet.fail(Error::message("no luck"));
    clock.advance(SECOND);

    assert_eq!(running.wait().unwrap_err().to_string(), "no luck");
}

/// Has enough after one item, and counts what it is told afterwards.
struct Enough(Arc<Mutex<u32>>);

impl Subscriber<u8> for Enough {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(2);
    }
    fn on_next(&mut self, _: u8) {}
    fn offer(&mut self, _: u8) -> Offer {
        Offer::Finished
    }
    fn on_error(self, _: Error) {
        *self.0.lock().unwrap() += 1;
    }
    fn on_complete(self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_subscriber_that_had_enough_hears_nothing_of_a_switch() {
    let switch = KillSwitch::new();
    let n_signals = Arc::new(Mutex::new(0));
    let (puppet, publisher) = Puppet::new();
    Flow::from(publisher).kill_switch(&switch).subscribe(Enough(Arc::clone(&n_signals)));
    puppet.next(1).unwrap();
    assert!(puppet.is_canceled());

    switch.complete();
    puppet.drop_subscriber();

    assert_eq!(*n_signals.lock().unwrap(), 0);
}

#[test]
fn an_item_of_a_publisher_that_is_slow_to_obey_a_switch_is_the_end() {
    let switch = KillSwitch::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).kill_switch(&switch));
    probe.request(2);

    switch.complete();
    puppet.force_next(1).unwrap();

    assert!(probe.is_completed() && probe.n_items() == 0);
}
