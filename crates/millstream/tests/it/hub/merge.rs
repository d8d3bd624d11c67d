//! From many producers to one subscriber.

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
    hub::{self, SendError, TrySendError},
};
use millstream_testkit::Probe;

use super::{Counted, poll};

#[test]
fn a_clone_does_not_raise_the_bound() {
    let (sender, flow) = hub::merge(2);
    let clones: Vec<_> = (0..9).map(|_| sender.clone()).collect();
    let results = clones.iter().map(|clone| clone.try_send(1).is_ok());

    assert_eq!(results.filter(|is_ok| *is_ok).count(), 2);
    assert_eq!(sender.try_send(7), Err(TrySendError::Full(7)));
    drop(flow);
    assert_eq!(sender.try_send(7), Err(TrySendError::Closed(7)));
}

#[test]
fn senders_that_wait_are_served_in_turn_and_not_overtaken() {
    let (sender, flow) = hub::merge(1);
    let probe = Probe::subscribe_to(flow);
    sender.try_send(0).unwrap();
    let others = [sender.clone(), sender.clone()];
    let mut first = Box::pin(others[0].send(1));
    let mut second = Box::pin(others[1].send(2));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());

    probe.request(1);

    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    assert!(poll(second.as_mut()).is_pending());
    assert!(poll(first.as_mut()).is_ready());
    probe.request(1);
    assert!(poll(second.as_mut()).is_ready());
    probe.request(1);
    assert_eq!(probe.items(), [0, 1, 2]);
}

#[test]
fn a_sender_that_goes_away_passes_its_turn_on() {
    let (sender, flow) = hub::merge(1);
    let probe = Probe::subscribe_to(flow);
    sender.try_send(0).unwrap();
    let mut first = Box::pin(sender.send(1));
    let mut second = Box::pin(sender.send(2));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());

    probe.request(1);
    drop(first);

    assert!(poll(second.as_mut()).is_ready());
}

#[test]
fn the_stream_completes_when_all_senders_have() {
    let (sender, flow) = hub::merge(1);
    let probe = Probe::subscribe_to(flow);
    let other = sender.clone();
    sender.complete();
    assert!(!probe.is_ended());
    other.try_send(1).unwrap();

    other.complete();
    assert!(!probe.is_ended());
    probe.request(1);

    assert!(probe.is_completed());
}

#[test]
fn a_sender_that_is_dropped_is_noticed_when_all_are_gone() {
    let (sender, flow) = hub::merge::<u8>(1);
    let probe = Probe::subscribe_to(flow);
    drop(sender.clone());
    assert!(!probe.is_ended());

    sender.complete();

    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_sender_that_fails_closes_the_others() {
    let (sender, flow) = hub::merge(2);
    let probe = Probe::subscribe_to(flow);
    let other = sender.clone();
    other.try_send(1).unwrap();
    other.try_send(2).unwrap();
    let mut send = Box::pin(other.send(3));
    assert!(poll(send.as_mut()).is_pending());

    sender.fail(Error::message("no more"));

    assert_eq!(poll(send.as_mut()), Poll::Ready(Err(SendError(3))));
    assert!(other.closed().now_or_never().is_some());
    assert!(!probe.is_ended());
    probe.request(2);
    assert_eq!(probe.items(), [1, 2]);
    assert_eq!(probe.error().unwrap().to_string(), "no more");
}

#[test]
fn a_send_from_inside_on_next_finds_the_place_of_the_item() {
    let (sender, flow) = hub::merge(1);
    let again = sender.clone();
    let probe = Probe::subscribe_to(flow.inspect(move |n| {
        if *n < 5 {
            again.try_send(n + 1).unwrap();
        }
    }));
    probe.request(u64::MAX);

    sender.try_send(0).unwrap();

    assert_eq!(probe.items(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn every_item_of_every_thread_arrives_once_and_in_its_thread_s_order() {
    for capacity in [1, 16] {
        let (sender, flow) = hub::merge(capacity);
        let items = thread::scope(|scope| {
            for n in 0..4_u64 {
                let sender = sender.clone();
                scope.spawn(move || {
                    (0..3_000).for_each(|i| sender.send_blocking((n, i)).unwrap());
                    sender.complete();
                });
            }
            sender.complete();
            flow.collect::<Vec<_>>().wait().unwrap()
        });

        for n in 0..4 {
            let of_one = items.iter().filter(|item| item.0 == n).map(|item| item.1);
            assert!(of_one.eq(0..3_000));
        }
    }
}

#[test]
fn items_that_cross_a_cancel_are_dropped_once() {
    for _ in 0..200 {
        let n_dropped = Arc::new(AtomicUsize::new(0));
        let (sender, flow) = hub::merge(2);
        let probe = Probe::subscribe_to(flow.map(drop::<Counted>));
        probe.request(u64::MAX);
        let n_sent = thread::scope(|scope| {
            let senders: Vec<_> = (0..2)
                .map(|_| {
                    let (sender, n_dropped) = (sender.clone(), Arc::clone(&n_dropped));
                    scope.spawn(move || {
                        let mut n_sent = 0;
                        loop {
                            n_sent += 1;
                            if sender.send_blocking(Counted(Arc::clone(&n_dropped))).is_err() {
                                return n_sent;
                            }
                        }
                    })
                })
                .collect();
            probe.wait_for("items", |probe| probe.n_items() > 3);
            probe.cancel();
            senders.into_iter().map(|sender| sender.join().unwrap()).sum::<usize>()
        });
        drop(sender);

        assert_eq!(n_dropped.load(Ordering::Relaxed), n_sent);
    }
}
