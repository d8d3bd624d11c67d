//! Flows that are held up, split at their head, or in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use millstream::{
    Demand, Error, ErrorKind, Flow, empty, error, hub, just, never, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_closed_valve_lets_nothing_pass_and_loses_nothing() {
    let (puppet, publisher) = Puppet::new();
    let (mut valve, is_open) = hub::latest(true);
    let probe = Probe::subscribe_to(Flow::from(publisher).valve(is_open).capacity(4));
    probe.request(100);
    (0..3).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(probe.n_items(), 3);

    valve.set(false).unwrap();
    while puppet.next(9).is_ok() {}

    assert_eq!(probe.n_items(), 3, "it is closed");
    let asked = puppet.requested();
    assert!(asked <= Demand::new(3 + 4), "nothing is asked for in place of what waits: {asked:?}");
    valve.set(true).unwrap();
    assert_eq!(Demand::new(probe.n_items() as u64), asked);
    assert!(puppet.demand() > Demand::ZERO, "the source goes on");
}

#[test]
fn a_valve_that_was_closed_before_asks_for_nothing() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let (mut valve, is_open) = hub::latest(false);
    let probe = Probe::subscribe_to(Flow::from(publisher).valve(is_open));

    probe.request(1);
    assert_eq!(puppet.requested(), Demand::ZERO);
    valve.set(true).unwrap();

    assert_eq!(puppet.requested(), Demand::new(32));
}

#[test]
fn an_end_waits_at_a_closed_valve() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let (mut valve, is_open) = hub::latest(true);
    let probe = Probe::subscribe_to(Flow::from(publisher).valve(is_open));
    probe.request(9);
    valve.set(false).unwrap();
    puppet.next(1).unwrap();
    puppet.complete();
    assert!(!probe.is_ended() && probe.n_items() == 0);

    valve.set(true).unwrap();

    assert_eq!(probe.items(), [1]);
    assert!(probe.is_completed());
}

#[test]
fn a_valve_ends_with_its_handle_if_that_is_closed() {
    let is_left_open = Probe::subscribe_to(range(0..3).valve(just(true)));
    let is_left_closed = Probe::subscribe_to(range(0..3).valve(just(false)));
    let fails = Probe::subscribe_to(range(0..3).valve(error(Error::message("no"))));
    for probe in [&is_left_open, &is_left_closed, &fails] {
        probe.request(9);
    }

    assert!(is_left_open.is_completed());
    assert_eq!(is_left_closed.error().unwrap().kind(), ErrorKind::Disconnected);
    assert_eq!(fails.n_items(), 0);
    assert!(fails.error().is_some());
}

#[test]
fn a_valve_that_opens_and_closes_on_another_thread_loses_nothing() {
    let (mut valve, is_open) = hub::latest(true);
    let pool = Pool::new(1);
    let sum = range(0..20_000_u64).publish_on(&pool).capacity(8).valve(is_open).capacity(8);
    let sum = sum.fold(0, |sum, n| sum + n);

    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..500 {
                let _ended = valve.set(n % 2 == 0);
                thread::yield_now();
            }
            let _ended = valve.set(true);
            valve.complete();
        });
    });

    assert_eq!(sum.wait().unwrap(), 19_999 * 10_000);
}

#[test]
fn the_rest_goes_on_when_the_pair_was_taken() {
    let (puppet, publisher) = Puppet::new();
    let mut pair = Probe::subscribe_to(Flow::from(publisher).prefix_and_tail(2).map(Some));
    pair.request(1);
    assert_eq!(puppet.requested(), Demand::new(2), "no more than the first items");
    (0..2).for_each(|n| puppet.next(n).unwrap());
    assert_eq!(pair.n_items(), 1, "the pair does not wait for a third item");
    assert!(!pair.is_ended());
    pair.cancel();
    drop(std::mem::replace(&mut pair, Probe::new().0));
    // The tail is in the probe, and was dropped with it.
    puppet.drop_subscriber();
    assert!(puppet.is_canceled());
}

#[test]
fn a_tail_has_what_comes_after_and_the_end() {
    let (puppet, publisher) = Puppet::new();
    let pair = Flow::from(publisher).prefix_and_tail(1).first();
    puppet.next(7).unwrap();
    let (prefix, tail) = pair.wait().unwrap().unwrap();
    let probe = Probe::subscribe_to(tail);
    probe.request(2);
    (8..11).for_each(|n| puppet.next(n).unwrap());
    puppet.fail(Error::message("no"));

    assert_eq!((prefix, probe.items()), (vec![7], vec![8, 9]));
    assert!(!probe.is_ended());
    probe.request(1);
    assert_eq!(probe.items(), [8, 9, 10]);
    assert!(probe.error().is_some());
}

#[test]
fn a_tail_that_is_canceled_cancels_the_source() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let pair = Flow::from(publisher).prefix_and_tail(0).first();
    let (prefix, tail) = pair.wait().unwrap().unwrap();
    let probe = Probe::subscribe_to(tail);
    assert!(prefix.is_empty() && !puppet.is_canceled());

    probe.cancel();

    assert!(puppet.is_canceled());
}

#[test]
fn a_source_that_ends_early_loses_no_item() {
    let short = range(0..2).concat(error(Error::message("no")));
    let (prefix, tail) = short.prefix_and_tail(5).first().wait().unwrap().unwrap();
    let (none, ended) = empty::<u8>().prefix_and_tail(5).first().wait().unwrap().unwrap();

    assert_eq!(prefix, [0, 1]);
    assert!(tail.count().wait().is_err());
    assert!(none.is_empty());
    assert_eq!(ended.count().wait().unwrap(), 0);
}

#[test]
fn the_first_item_decides_before_there_is_a_second() {
    let (puppet, publisher) = Puppet::new();
    let decided = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&decided);
    let flow = Flow::from(publisher).switch_on_first(move |all| {
        seen.store(true, Ordering::Relaxed);
        let by = *all.head().unwrap();
        all.map(move |n| n * by)
    });
    let probe = Probe::subscribe_to(flow);
    probe.request(9);
    assert_eq!(puppet.requested(), Demand::new(1));

    puppet.next(3).unwrap();

    assert!(decided.load(Ordering::Relaxed));
    assert_eq!(probe.items(), [9]);
    puppet.next(5).unwrap();
    puppet.complete();
    assert_eq!(probe.items(), [9, 15]);
    assert!(probe.is_completed());
}

#[test]
fn without_a_first_item_the_flow_ends_as_its_source() {
    let flow = |source: Flow<millstream::BoxPublisher<u8>>| {
        let probe = Probe::subscribe_to(source.switch_on_first(|all| {
            assert!(all.head().is_none());
            all
        }));
        probe.request(1);
        probe
    };

    assert!(flow(empty().boxed()).is_completed());
    assert!(flow(error(Error::message("no")).boxed()).error().is_some());
}

#[test]
fn all_items_that_are_let_go_of_cancel_the_source() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).switch_on_first(|_| just(1)));
    probe.request(2);

    puppet.next(3).unwrap();

    assert!(puppet.is_canceled());
    assert_eq!(probe.items(), [1]);
    assert!(probe.is_completed());
}

#[test]
fn a_flow_is_over_in_time_or_fails() {
    let clock = VirtualTime::new();
    let in_time = Probe::subscribe_to(range(0..3).timeout_total(&clock, SECOND));
    in_time.request(9);
    let late = Probe::subscribe_to(range(0..3).concat(never()).timeout_total(&clock, SECOND));
    late.request(2);
    let idle = Probe::subscribe_to(range(0..3).timeout_total(&clock, SECOND));

    clock.advance(SECOND);

    assert!(in_time.is_completed());
    assert_eq!(idle.n_items(), 0);
    assert_eq!(idle.error().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(late.items(), [0, 1]);
    assert!(!late.is_ended(), "an item waits that was in time");
    late.request(9);
    assert_eq!(late.items(), [0, 1, 2]);
    assert_eq!(late.error().unwrap().kind(), ErrorKind::Timeout);
    assert_eq!(clock.n_timers(), 0, "no timer is left");
}

#[test]
fn the_time_for_the_first_item_is_no_time_for_the_others() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).timeout_first(&clock, SECOND));
    probe.request(9);
    puppet.next(1).unwrap();

    clock.advance(10 * SECOND);

    assert!(!probe.is_ended() && !puppet.is_canceled());
}

#[test]
fn a_subscription_that_is_canceled_before_its_time_is_not_made() {
    let clock = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).delay_subscription(&clock, SECOND));
    probe.request(1);

    probe.cancel();
    clock.advance(2 * SECOND);

    assert!(probe.is_dropped());
    assert_eq!(puppet.n_requests(), 0);
    assert_eq!(clock.n_timers(), 0);
}

#[test]
fn a_cancel_on_a_scheduler_that_was_stopped_still_arrives() {
    let pool = Pool::new(1);
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).cancel_on(&pool));
    pool.shutdown();

    probe.cancel();
    probe.request(3);

    assert!(puppet.is_canceled());
    assert_eq!(puppet.n_requests(), 0, "a request after the cancel is none");
}

#[test]
fn a_value_is_read_and_changed_in_place() {
    let (mut level, flow) = hub::latest(vec![1]);
    let probe = Probe::subscribe_to(flow.clone());
    probe.request(9);
    level.update(|items| items.push(2)).unwrap();
    let told = level.update_if(|items| items.len() > 5).unwrap();
    level.set(vec![7]).unwrap();

    assert_eq!(told.n_subscribers, 0);
    assert_eq!(level.get(), &[7]);
    assert_eq!(probe.items(), [vec![1], vec![1, 2], vec![7]]);
    probe.cancel();
    drop(flow);
    assert_eq!(level.set(vec![8]), Err(hub::Closed));
    assert!(level.try_send(vec![9]).is_err());
    assert_eq!(level.get(), &[8]);
}
