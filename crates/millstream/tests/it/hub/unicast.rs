//! From one producer to one subscriber.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
};

use futures::FutureExt;
use millstream::{
    Error, ErrorKind,
    hub::{self, Closed, SendError, TrySendError},
    scheduler::VirtualTime,
};
use millstream_testkit::Probe;

use super::{Counted, poll};

#[test]
fn as_many_items_wait_as_was_said() {
    for capacity in [1, 2, 3, 5] {
        let (mut producer, flow) = hub::unicast(capacity);
        let probe = Probe::subscribe_to(flow);
        (0..capacity).for_each(|n| producer.try_send(n).unwrap());
        assert_eq!(producer.try_send(9), Err(TrySendError::Full(9)));

        probe.request(1);
        producer.try_send(capacity).unwrap();
        assert_eq!(producer.try_send(9), Err(TrySendError::Full(9)));
        probe.request(u64::MAX);

        assert_eq!(probe.items(), (0..=capacity).collect::<Vec<_>>());
    }
}

#[test]
fn an_item_that_is_due_is_signaled_before_try_send_returns() {
    let (mut producer, flow) = hub::unicast(1);
    let probe = Probe::subscribe_to(flow);
    probe.request(2);

    (0..2).for_each(|n| producer.try_send(n).unwrap());
    assert_eq!(probe.items(), [0, 1]);
    producer.complete();

    assert!(probe.is_completed());
}

#[test]
fn the_end_comes_after_the_items_and_needs_no_demand() {
    let (mut producer, flow) = hub::unicast(2);
    producer.try_send(1).unwrap();
    producer.fail(Error::message("late"));
    let probe = Probe::subscribe_to(flow);
    assert!(!probe.is_ended());

    probe.request(1);

    assert_eq!(probe.items(), [1]);
    assert_eq!(probe.error().unwrap().to_string(), "late");
}

#[test]
fn a_producer_that_is_dropped_is_noticed_after_its_items() {
    let (mut producer, flow) = hub::unicast(2);
    producer.try_send(1).unwrap();
    drop(producer);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);

    assert_eq!(probe.items(), [1]);
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_cancel_closes_the_producer_and_drops_what_waits() {
    let n_dropped = Arc::new(AtomicUsize::new(0));
    let (mut producer, flow) = hub::unicast(2);
    let probe = Probe::subscribe_to(flow);
    (0..2).for_each(|_| producer.try_send(Counted(Arc::clone(&n_dropped))).unwrap());

    probe.cancel();

    assert!(producer.is_closed() && probe.is_dropped());
    assert_eq!(n_dropped.load(Ordering::Relaxed), 2);
    let back = producer.try_send(Counted(Arc::clone(&n_dropped))).unwrap_err();
    assert!(back.is_closed());
    drop(back.into_inner());
    assert_eq!(n_dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn a_flow_that_is_dropped_closes_the_producer() {
    let (mut producer, flow) = hub::unicast(1);
    let mut closed = Box::pin(producer.closed());
    assert!(poll(closed.as_mut()).is_pending());

    drop(flow);

    assert!(poll(closed.as_mut()).is_ready());
    drop(closed);
    assert_eq!(producer.send(7).now_or_never(), Some(Err(SendError(7))));
}

#[test]
fn send_waits_for_a_place_and_is_woken_by_a_cancel() {
    let (mut producer, flow) = hub::unicast(1);
    let probe = Probe::subscribe_to(flow);
    producer.try_send(1).unwrap();
    let mut send = Box::pin(producer.send(2));
    assert!(poll(send.as_mut()).is_pending());
    probe.request(1);
    assert_eq!(poll(send.as_mut()), Poll::Ready(Ok(())));
    drop(send);
    let mut send = Box::pin(producer.send(3));
    assert!(poll(send.as_mut()).is_pending());

    probe.cancel();

    assert_eq!(poll(send.as_mut()), Poll::Ready(Err(SendError(3))));
    assert_eq!(probe.items(), [1]);
}

#[test]
fn a_send_that_is_dropped_has_sent_nothing_and_takes_no_place() {
    let (mut producer, flow) = hub::unicast(1);
    let probe = Probe::subscribe_to(flow);
    producer.try_send(1).unwrap();
    let mut send = Box::pin(producer.send(2));
    assert!(poll(send.as_mut()).is_pending());
    // The place is handed to the future, which goes away with it.
    probe.request(1);
    drop(send);

    producer.try_send(3).unwrap();
    probe.request(9);

    assert_eq!(probe.items(), [1, 3]);
}

#[test]
fn a_place_that_is_reserved_is_filled_or_freed() {
    let (mut producer, flow) = hub::unicast(1);
    let permit = producer.reserve().now_or_never().unwrap().unwrap();
    drop(permit);
    let permit = producer.reserve().now_or_never().unwrap().unwrap();
    permit.send(1).unwrap();
    assert!(producer.reserve().now_or_never().is_none());
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    let permit = producer.reserve().now_or_never().unwrap().unwrap();

    probe.cancel();

    assert_eq!(permit.send(2), Err(SendError(2)));
    assert!(matches!(producer.reserve().now_or_never(), Some(Err(Closed))));
}

#[test]
fn a_subscriber_that_cancels_in_on_subscribe_closes_the_producer() {
    let (mut producer, flow) = hub::unicast(1);
    producer.try_send(1).unwrap();
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);

    flow.subscribe(subscriber);

    assert!(producer.is_closed() && probe.is_dropped());
}

#[test]
fn a_subscriber_that_panics_does_not_hurt_the_producer() {
    let (mut producer, flow) = hub::unicast(4);
    let outcome = flow.for_each(|n| assert!(n < 1, "too much"));
    producer.try_send(0).unwrap();

    producer.try_send(1).unwrap();

    assert_eq!(producer.try_send(2), Err(TrySendError::Closed(2)));
    assert_eq!(outcome.wait().unwrap_err().kind(), ErrorKind::Panicked);
}

#[test]
fn items_cross_threads_in_order_and_once() {
    for capacity in [1, 7] {
        let (mut producer, flow) = hub::unicast(capacity);
        let items = thread::scope(|scope| {
            scope.spawn(move || {
                (0..20_000).for_each(|n| producer.send_blocking(n).unwrap());
                producer.complete();
            });
            flow.collect::<Vec<_>>().wait().unwrap()
        });

        assert_eq!(items, (0..20_000).collect::<Vec<_>>());
    }
}

/// A queue of eight wakes its producer after two items, or when no more are asked for.
#[test]
fn a_producer_that_waits_goes_on_when_nothing_more_is_taken() {
    for (is_on_worker, n_requested) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        let clock = VirtualTime::new();
        let (mut producer, flow) = hub::unicast(8);
        (0..8).for_each(|n| producer.try_send(n).unwrap());
        let mut send = Box::pin(producer.send(8));
        assert!(poll(send.as_mut()).is_pending());

        let probe = match is_on_worker {
            false => Probe::subscribe_to(flow),
            true => Probe::subscribe_to(flow.signal_on(&clock)),
        };
        probe.request(n_requested);
        clock.run();

        assert_eq!(probe.n_items() as u64, n_requested);
        assert!(poll(send.as_mut()).is_ready(), "{n_requested} requested, {is_on_worker}");
    }
}
