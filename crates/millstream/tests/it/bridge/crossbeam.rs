//! Channels of crossbeam's.

use std::time::Duration;

use crossbeam_channel::{Select, bounded};
use millstream::{
    Demand, Error, ErrorKind, Flow, bridge::from_crossbeam, empty, error, from_fn, from_iter,
    never, range, scheduler::shared,
};
use millstream_testkit::{Probe, Puppet};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_receiver_takes_what_was_asked_for_and_no_more() {
    let (sender, receiver) = bounded(4);
    (0..4).for_each(|n| sender.send(n).unwrap());
    let probe = Probe::subscribe_to(from_crossbeam(receiver));
    assert_eq!(sender.len(), 4);

    probe.request(3);
    probe.wait_for("three items", |probe| probe.n_items() == 3);

    assert_eq!(sender.len(), 1);
    drop(sender);
    probe.request(2);
    probe.wait_until_ended();
    assert_eq!(probe.items(), [0, 1, 2, 3]);
    assert!(probe.is_completed());
}

#[test]
fn a_cancel_wakes_the_thread_that_waits_and_closes_the_channel() {
    let (sender, receiver) = bounded::<u8>(0);
    let probe = Probe::subscribe_to(from_crossbeam(receiver));
    probe.request(1);
    // Ready once the thread waits at the other end; nothing is sent.
    let mut waits = Select::new();
    waits.send(&sender);
    waits.ready();

    probe.cancel();
    probe.wait_for("the drop", Probe::is_dropped);

    // The source is dropped before the subscriber.
    assert!(sender.send_timeout(1, PATIENCE).unwrap_err().is_disconnected());
}

#[test]
fn threads_that_wait_in_channels_leave_the_shared_pool_alone() {
    let n = std::thread::available_parallelism().map_or(1, usize::from) + 1;
    let waiting: Vec<_> = (0..n).map(|_| bounded::<u8>(1)).collect();
    let counts: Vec<_> =
        waiting.iter().map(|(_, receiver)| from_crossbeam(receiver.clone()).count()).collect();
    let full = bounded(1);
    full.0.send(0).unwrap();
    let _sent = from_iter([1]).send_to_crossbeam(full.0);

    for _ in 0..n {
        assert_eq!(from_fn(|| 1).subscribe_on(shared()).count().wait().unwrap(), 1);
    }

    drop(waiting);
    assert!(counts.into_iter().all(|count| count.wait().unwrap() == 0));
}

#[test]
fn an_item_is_asked_for_when_the_channel_has_room() {
    let (sender, receiver) = bounded(1);
    sender.send(9).unwrap();
    let (puppet, publisher) = Puppet::new();
    let sent = Flow::from(publisher).send_to_crossbeam(sender);
    assert_eq!(receiver.recv(), Ok(9));
    while puppet.demand().is_zero() {
        std::thread::yield_now();
    }

    puppet.next(1).unwrap();
    puppet.complete();
    sent.wait().unwrap();

    assert_eq!(puppet.requested(), Demand::new(1));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1]);
}

#[test]
fn channels_of_any_capacity_keep_order() {
    for capacity in [0, 1, 7] {
        let (sender, receiver) = bounded(capacity);
        let sent = range(0..1_000).send_to_crossbeam(sender);

        let n = from_crossbeam(receiver).enumerate().filter(|(at, n)| *at == *n).count();

        assert_eq!(n.wait().unwrap(), 1_000);
        sent.wait().unwrap();
    }
}

#[test]
fn an_end_needs_no_room() {
    let (sender, receiver) = bounded(1);
    sender.send(0).unwrap();
    let failing = error(Error::message("no")).send_to_crossbeam(sender.clone());
    empty().send_to_crossbeam(sender).wait().unwrap();

    assert_eq!(failing.wait().unwrap_err().to_string(), "no");
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn receivers_that_are_dropped_cancel_the_flow() {
    for n_filled in [0, 1] {
        let (sender, receiver) = bounded(1);
        (0..n_filled).for_each(|n| sender.send(n).unwrap());
        let sent = range(0..i32::MAX).concat(never()).send_to_crossbeam(sender);

        drop(receiver);

        assert_eq!(sent.wait().unwrap_err().kind(), ErrorKind::Disconnected);
    }
}

#[test]
fn dropping_the_outcome_wakes_the_thread_that_waits_for_room() {
    let (sender, receiver) = bounded(1);
    let (puppet, publisher) = Puppet::new();
    let sent = Flow::from(publisher).send_to_crossbeam(sender);
    while puppet.next(1).is_err() {
        std::thread::yield_now();
    }
    // From here on, the thread waits for room, or is on its way there without another look.
    while receiver.is_empty() {
        std::thread::yield_now();
    }

    drop(sent);

    while !puppet.is_canceled() {
        std::thread::yield_now();
    }
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1]);
}
