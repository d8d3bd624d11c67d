//! Stopping a flow and letting it drain.

use std::time::Duration;

use millstream::{
    Error, ErrorKind, Flow, KillSwitch, never,
    scheduler::{Immediate, VirtualTime},
};
use millstream_testkit::Puppet;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_on_its_way_arrives_before_the_time_is_up() {
    let clock = VirtualTime::new();
    let switch = KillSwitch::new();
    let (puppet, publisher) = Puppet::new();
    let running = Flow::from(publisher).kill_switch(&switch).publish_on(&clock, 4);
    let running = running.collect::<Vec<_>>();
    clock.run();
    (1..=2).for_each(|n| puppet.next(n).unwrap());

    let running = running.shutdown_on(&clock, &switch, SECOND);
    assert!(puppet.is_cancelled());
    puppet.drop_subscriber();
    clock.advance(SECOND * 2);

    assert_eq!(running.wait().unwrap(), [1, 2]);
}

#[test]
fn a_flow_that_is_not_done_in_time_is_cancelled() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u8>::new();
    let running = Flow::from(publisher).count();

    let running = running.shutdown_on(&clock, &KillSwitch::new(), SECOND);
    assert!(!puppet.is_cancelled());
    clock.advance(SECOND);

    assert!(puppet.is_cancelled());
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
