//! Queues as operators: demand, cancellation, ends and panics.

use std::sync::{Arc, Mutex};

use millstream::{ErrorKind, assert_bounded, range, scheduler::VirtualTime};
use millstream_pressure::{
    FlowExt as _, Policy as _, Queue, QueueConfig, QueueHooks, Reason, WhenFull,
};
use millstream_testkit::{Probe, Puppet};

fn queue(capacity: usize, when_full: WhenFull) -> Queue<u64> {
    let config = QueueConfig { capacity, when_full, ..QueueConfig::default() };
    Queue::new("test", config, &VirtualTime::new()).unwrap()
}

#[test]
fn demand_is_the_room_and_returns_at_the_low_watermark() {
    let queue = queue(10, WhenFull::Wait);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(millstream::Flow::from(publisher).queue(&queue));
    assert_eq!(puppet.requested().get(), 0);
    probe.request(1);
    assert_eq!(puppet.requested().get(), 10);
    (0..10).for_each(|n| puppet.next(n).unwrap());
    assert_eq!((probe.items(), puppet.requested().get()), (vec![0], 10));
    probe.request(2);
    // Seven wait, which is above the low watermark.
    assert_eq!(puppet.requested().get(), 10);
    probe.request(1);
    assert_eq!(puppet.requested().get(), 14);
    assert_eq!(queue.snapshot().reserved, 4);
}

#[test]
fn a_cancel_gives_back_what_was_asked_for_and_leaves_what_waits() {
    let queue = queue(4, WhenFull::Wait);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(millstream::Flow::from(publisher).queue(&queue));
    probe.request(1);
    puppet.next(1).unwrap();
    puppet.next(2).unwrap();
    probe.cancel();
    assert!(puppet.is_canceled());
    let snapshot = queue.snapshot();
    assert_eq!((snapshot.reserved, snapshot.items), (0, 1));
    assert_eq!(queue.try_take().map(|taken| taken.item), Some(2));
}

#[test]
fn the_end_comes_after_what_waits() {
    for when_full in [WhenFull::Wait, WhenFull::DropOldest] {
        let queue = queue(4, when_full);
        let probe = Probe::subscribe_to(range(0..3_u64).queue(&queue));
        probe.request(2);
        assert!(!probe.is_completed());
        probe.request(1);
        assert_eq!(probe.items(), [0, 1, 2]);
        assert!(probe.is_completed());
        assert_eq!(queue.snapshot().reserved, 0);
    }
}

#[test]
fn a_queue_that_is_closed_ends_its_flow() {
    let queue = queue(4, WhenFull::Wait);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(millstream::Flow::from(publisher).queue(&queue));
    probe.request(9);
    puppet.next(1).unwrap();
    queue.close();
    assert_eq!(probe.items(), [1]);
    assert!(probe.is_completed() && puppet.is_canceled());
}

#[test]
fn an_end_needs_no_demand() {
    let queue = queue(4, WhenFull::Wait);
    let probe = Probe::subscribe_to(queue.flow());
    probe.request(1);
    queue.try_put(1).unwrap();
    queue.close();
    assert_eq!(probe.items(), [1]);
    assert!(probe.is_completed());
}

#[test]
fn a_source_that_sends_too_much_fails_the_flow() {
    let queue = queue(1, WhenFull::Wait);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(millstream::Flow::from(publisher).queue(&queue));
    probe.request(1);
    puppet.next(1).unwrap();
    puppet.next(2).unwrap();
    puppet.force_next(3).unwrap();
    probe.request(9);
    assert_eq!(probe.items(), [1, 2]);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Overflow));
    assert!(queue.snapshot().balance.is_whole());
}

#[test]
fn a_producer_outside_shares_the_bound() {
    let queue = queue(2, WhenFull::Wait);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(millstream::Flow::from(publisher).queue(&queue));
    probe.request(1);
    assert_eq!(puppet.requested().get(), 2);
    assert_eq!(queue.try_put(9).unwrap_err().reason, Reason::Full);
}

#[test]
fn items_that_are_dropped_go_to_the_callback() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let hooks = QueueHooks::new().on_drop({
        let log = Arc::clone(&log);
        move |item, reason| log.lock().unwrap().push((item, reason))
    });
    let config = QueueConfig { capacity: 2, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let queue = Queue::with_hooks("test", config, &VirtualTime::new(), hooks).unwrap();
    let probe = Probe::subscribe_to(range(0..4_u64).queue(&queue));
    probe.request(1);
    probe.request(9);
    assert_eq!(probe.items().len() + log.lock().unwrap().len(), 4);
    assert!(log.lock().unwrap().iter().all(|&(_, reason)| reason == Reason::Full));
}

#[test]
fn a_callback_that_panics_fails_the_flow() {
    let hooks = QueueHooks::new().weigh(|_: &u64| -> u64 { panic!("deliberate") });
    let queue =
        Queue::with_hooks("test", QueueConfig::default(), &VirtualTime::new(), hooks).unwrap();
    let probe = Probe::subscribe_to(range(0..4_u64).queue(&queue));
    probe.request(1);
    let kind = probe.error().map(|error| error.kind());
    assert!(matches!(kind, Some(ErrorKind::Panicked | ErrorKind::Disconnected)), "{kind:?}");
    assert!(queue.snapshot().balance.is_whole());
}

#[test]
fn a_queue_states_its_bound() {
    use millstream::Backpressure as _;
    let flow = range(0..4_u64).queue(&queue(7, WhenFull::Wait));
    assert_eq!(assert_bounded(flow).max_in_flight(), 7);
}
