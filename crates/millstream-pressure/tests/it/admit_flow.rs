//! Policies that admit calls, as operators: demand, waiting, refusals and cancellation.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{ErrorKind, Flow, assert_bounded, range, scheduler::VirtualTime};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerMode, BreakerState, BreakerWindow, FlowExt as _, Outcome,
    Policy as _, Reason,
};
use millstream_testkit::{Probe, Puppet};

const SECOND: Duration = Duration::from_secs(1);

fn breaker(time: &VirtualTime) -> Breaker {
    let window = BreakerWindow::Count(2);
    let config = BreakerConfig { window, open_for: SECOND, probes: 2, ..BreakerConfig::default() };
    Breaker::new("test", config, time).unwrap()
}

#[test]
fn while_it_is_open_items_wait_at_the_source() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).admit(&breaker);
    let kept = Arc::new(Mutex::new(Vec::new()));
    let permits = Arc::clone(&kept);
    let probe = Probe::subscribe_to(flow.map(move |admitted| {
        permits.lock().unwrap().push(admitted.permit);
        admitted.item
    }));
    assert_eq!(puppet.requested().get(), 0);
    probe.request(9);
    breaker.open_for(SECOND);
    assert_eq!(puppet.requested().get(), 1);
    puppet.next(1).unwrap();
    // It is held, and no other is asked for.
    assert_eq!((probe.items().len(), puppet.requested().get()), (0, 1));
    time.advance(SECOND);
    assert_eq!((probe.items().len(), puppet.requested().get()), (1, 2));
    assert!(matches!(breaker.state(), BreakerState::HalfOpen { .. }));
    // Of two probes, the second passes and the third waits.
    puppet.next(2).unwrap();
    puppet.next(3).unwrap();
    assert_eq!((probe.items().len(), puppet.requested().get()), (2, 3));
    breaker.close();
    assert_eq!((probe.items().len(), puppet.requested().get()), (3, 4));
    assert_eq!(kept.lock().unwrap().len(), 3);
}

#[test]
fn its_results_open_it() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    let flow = range(0..9_u64).admit(&breaker).map(|admitted| admitted.finish(Outcome::Failure));
    let probe = Probe::subscribe_to(flow);
    probe.request(9);
    assert_eq!(probe.items(), [0, 1]);
    // One probe is enough to see that half of them fail.
    time.advance(SECOND);
    assert_eq!(probe.items(), [0, 1, 2]);
    breaker.set_mode(BreakerMode::Disabled);
    assert_eq!(probe.items().len(), 9);
    assert!(probe.is_completed());
}

#[test]
fn a_cancel_gives_up_its_place_and_an_end_waits_for_the_item() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    breaker.set_mode(BreakerMode::ForcedOpen);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).admit(&breaker));
    probe.request(1);
    puppet.next(1).unwrap();
    assert!(breaker.snapshot().has_waiting);
    probe.cancel();
    assert!(puppet.is_canceled() && !breaker.snapshot().has_waiting);

    let probe = Probe::subscribe_to(range(0..1_u64).admit(&breaker).map(|admitted| admitted.item));
    probe.request(2);
    assert!(!probe.is_completed());
    breaker.close();
    assert!(probe.is_completed() && probe.items().len() == 1);
    let balance = breaker.snapshot().balance;
    assert!(balance.is_whole() && balance.queued == 0, "{balance:?}");
}

#[test]
fn without_a_clock_the_flow_fails() {
    let breaker =
        Breaker::new("test", BreakerConfig::default(), &millstream::scheduler::Immediate).unwrap();
    breaker.open_for(SECOND);
    let probe = Probe::subscribe_to(range(0..3_u64).admit(&breaker));
    probe.request(1);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Rejected));
}

#[test]
fn a_refusal_has_the_item_and_the_reason() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    let probe = Probe::subscribe_to(range(1..=3_u64).try_admit(&breaker).map(|decision| {
        decision
            .map(|admitted| admitted.finish(Outcome::Failure))
            .map_err(|rejected| (rejected.item, rejected.reason))
    }));
    probe.request(9);
    assert_eq!(probe.items(), [Ok(1), Ok(2), Err((3, Reason::BreakerOpen))]);
}

#[test]
fn a_class_that_panics_fails_the_flow() {
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    let flow = range(1..=3_u64).admit_by(&breaker, |_| panic!("deliberate"));
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Panicked));
    assert!(breaker.snapshot().balance.is_whole());
}

#[test]
fn they_state_their_bounds() {
    use millstream::Backpressure as _;
    let time = VirtualTime::new();
    let breaker = breaker(&time);
    assert_eq!(assert_bounded(range(0..4_u64).admit(&breaker)).max_in_flight(), 1);
    assert_eq!(assert_bounded(range(0..4_u64).try_admit(&breaker)).max_in_flight(), 0);
}
