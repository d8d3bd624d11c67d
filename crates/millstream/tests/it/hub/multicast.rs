//! From one producer to all who are subscribed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
};

use futures::FutureExt;
use millstream::{
    Error, ErrorKind, Overflow,
    hub::{self, Policy, SendError, Sent, TrySendError, Unheard},
};
use millstream_testkit::Probe;

use super::{Counted, poll};

const GATES: Policy = Policy::SlowestGates { capacity: 2 };

#[test]
fn the_slowest_subscriber_holds_back_all() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    let fast = Probe::subscribe_to(flow.clone());
    let slow = Probe::subscribe_to(flow);
    fast.request(u64::MAX);
    (0..2).for_each(|n| assert!(sender.try_send(n).is_ok()));

    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    slow.request(1);
    assert!(sender.try_send(2).is_ok());
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));

    assert_eq!((fast.items(), slow.items()), (vec![0, 1, 2], vec![0]));
}

#[test]
fn the_slowest_that_leaves_holds_back_nobody() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    let fast = Probe::subscribe_to(flow.clone());
    let slow = Probe::subscribe_to(flow);
    fast.request(u64::MAX);
    (0..2).for_each(|n| assert!(sender.try_send(n).is_ok()));
    let mut send = Box::pin(sender.send(2));
    assert!(poll(send.as_mut()).is_pending());

    slow.cancel();

    assert!(matches!(poll(send.as_mut()), Poll::Ready(Ok(_))));
    assert_eq!(fast.items(), [0, 1, 2]);
}

#[test]
fn a_subscriber_misses_what_its_policy_says() {
    let all: [(_, &[_]); 4] = [
        (Overflow::DropOldest, &[3, 4]),
        (Overflow::DropIncoming, &[0, 1]),
        (Overflow::ReplaceNewest, &[0, 4]),
        (Overflow::Clear, &[4]),
    ];
    for (overflow, expected) in all {
        let policy = Policy::Buffered { per_subscriber: 2, overflow };
        let (mut sender, flow) = hub::multicast(policy, Unheard::Drop);
        let fast = Probe::subscribe_to(flow.clone());
        let slow = Probe::subscribe_to(flow);
        fast.request(u64::MAX);
        let n_dropped = (0..5).map(|n| sender.try_send(n).unwrap().n_dropped).sum::<usize>();
        sender.complete();

        slow.request(9);

        assert_eq!(n_dropped, 5 - expected.len());
        assert_eq!(fast.items(), [0, 1, 2, 3, 4]);
        assert_eq!(slow.items(), expected);
        assert!(fast.is_completed() && slow.is_completed());
    }
}

#[test]
fn a_subscriber_that_lags_behind_is_ended_after_its_items() {
    let policy = Policy::Buffered { per_subscriber: 2, overflow: Overflow::Fail };
    let (mut sender, flow) = hub::multicast(policy, Unheard::Drop);
    let fast = Probe::subscribe_to(flow.clone());
    let slow = Probe::subscribe_to(flow);
    fast.request(u64::MAX);
    (0..2).for_each(|n| assert_eq!(sender.try_send(n).unwrap().n_subscribers, 2));

    let sent = sender.try_send(2).unwrap();
    assert_eq!((sent.n_subscribers, sent.n_dropped, sent.n_ended), (1, 1, 1));
    assert_eq!(sender.n_subscribers(), 1);
    slow.request(9);

    assert_eq!(slow.items(), [0, 1]);
    assert_eq!(slow.error().unwrap().kind(), ErrorKind::Overflow);
    assert_eq!(fast.items(), [0, 1, 2]);
}

#[test]
fn without_subscribers_an_item_is_dropped_or_waits_as_was_said() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    assert_eq!(sender.try_send(1), Ok(Sent::default()));
    drop(flow);

    let (mut sender, flow) = hub::multicast(GATES, Unheard::Wait);
    assert_eq!(sender.try_send(1), Err(TrySendError::NoSubscriber(1)));
    let mut send = Box::pin(sender.send(1));
    assert!(poll(send.as_mut()).is_pending());
    let probe = Probe::subscribe_to(flow);
    assert!(poll(send.as_mut()).is_ready());
    probe.request(1);
    assert_eq!(probe.items(), [1]);
}

#[test]
fn the_hub_outlives_its_last_subscriber_while_a_flow_is_left() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    Probe::subscribe_to(flow.clone()).cancel();
    assert!(!sender.is_closed());
    let probe = Probe::subscribe_to(flow);
    assert!(!sender.is_closed());
    let mut closed = Box::pin(sender.closed());
    assert!(poll(closed.as_mut()).is_pending());

    probe.cancel();

    assert!(poll(closed.as_mut()).is_ready());
    drop(closed);
    assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
    assert_eq!(sender.send(1).now_or_never(), Some(Err(SendError(1))));
}

#[test]
fn who_subscribes_after_the_end_gets_the_end() {
    let (sender, flow) = hub::multicast::<u8>(GATES, Unheard::Drop);
    sender.fail(Error::message("over"));
    assert_eq!(Probe::subscribe_to(flow).error().unwrap().to_string(), "over");

    let (sender, flow) = hub::multicast::<u8>(GATES, Unheard::Drop);
    drop(sender);
    assert_eq!(Probe::subscribe_to(flow).error().unwrap().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_cancel_from_inside_on_subscribe_leaves_no_member() {
    let (sender, flow) = hub::multicast::<u8>(GATES, Unheard::Drop);
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);

    flow.clone().subscribe(subscriber);

    assert_eq!(sender.n_subscribers(), 0);
    assert!(probe.is_dropped());
}

#[test]
fn a_subscriber_that_panics_ends_alone() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    let bad = flow.clone().for_each(|n| assert!(n < 1, "too much"));
    let good = Probe::subscribe_to(flow);
    good.request(9);

    (0..3).for_each(|n| assert!(sender.try_send(n).is_ok()));

    assert_eq!(good.items(), [0, 1, 2]);
    assert_eq!(sender.n_subscribers(), 1);
    assert_eq!(bad.wait().unwrap_err().kind(), ErrorKind::Panicked);
}

#[test]
fn a_subscriber_may_bring_and_send_away_others_while_it_is_signaled() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    let others: Arc<Mutex<Vec<Probe<u8>>>> = Arc::default();
    let probe = Probe::subscribe_to(flow.clone().inspect({
        let others = Arc::clone(&others);
        move |n| {
            let mut others = others.lock().unwrap();
            if *n == 0 {
                others.push(Probe::subscribe_to(flow.clone()));
                others[0].request(9);
            } else if *n == 2 {
                others[0].cancel();
            }
        }
    }));
    probe.request(9);

    (0..4).for_each(|n| assert!(sender.try_send(n).is_ok()));

    assert_eq!(probe.items(), [0, 1, 2, 3]);
    assert_eq!(others.lock().unwrap()[0].items(), [1]);
}

#[test]
fn every_item_is_dropped_once_for_each_subscriber() {
    #[derive(Clone)]
    struct Item(#[expect(dead_code, reason = "counts its drop")] Arc<Counted>);
    let n_dropped = Arc::new(AtomicUsize::new(0));
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Drop);
    let stays = Probe::subscribe_to(flow.clone().map(drop::<Item>));
    let waits = Probe::subscribe_to(flow);
    stays.request(1);
    (0..2).for_each(|_| {
        let item = Item(Arc::new(Counted(Arc::clone(&n_dropped))));
        assert!(sender.try_send(item).is_ok());
    });
    assert_eq!(n_dropped.load(Ordering::Relaxed), 0);

    waits.cancel();
    assert_eq!(n_dropped.load(Ordering::Relaxed), 1);
    stays.cancel();

    assert_eq!(n_dropped.load(Ordering::Relaxed), 2);
}

#[test]
fn subscribers_that_come_and_go_on_other_threads_miss_nothing_in_between() {
    let (mut sender, flow) = hub::multicast(GATES, Unheard::Wait);
    thread::scope(|scope| {
        for _ in 0..3 {
            let flow = flow.clone();
            scope.spawn(move || {
                for n in [1, 3, 50, 500] {
                    let items = flow.clone().take(n).collect::<Vec<u64>>().wait().unwrap();

                    assert_eq!(items.len() as u64, n);
                    assert!(items.windows(2).all(|pair| pair[1] == pair[0] + 1));
                }
            });
        }
        drop(flow);
        let mut n_sent = 0;
        while sender.send_blocking(n_sent).is_ok() {
            n_sent += 1;
        }
        assert!(n_sent >= 554);
    });
}
