//! Channels of tokio's.

use std::sync::{Arc, Mutex};

use millstream::{
    Demand, Error, ErrorKind,
    bridge::{from_broadcast, from_broadcast_lossy, from_receiver, from_watch},
    error, from_iter, never, range,
};
use millstream_testkit::{Probe, Puppet};
use tokio::sync::{broadcast, mpsc, watch};

use super::{runtime, settle};

#[test]
fn a_receiver_takes_what_was_asked_for_and_no_more() {
    runtime().block_on(async {
        let (sender, receiver) = mpsc::channel(4);
        (0..4).for_each(|n| sender.try_send(n).unwrap());
        let probe = Probe::subscribe_to(from_receiver(receiver));

        settle().await;
        assert_eq!(sender.capacity(), 0);
        probe.request(3);
        settle().await;

        assert_eq!(probe.items(), [0, 1, 2]);
        assert_eq!(sender.capacity(), 3);
    });
}

#[test]
fn a_receiver_completes_after_its_last_item_when_the_senders_are_gone() {
    runtime().block_on(async {
        let (sender, receiver) = mpsc::channel(2);
        sender.try_send(1).unwrap();
        let probe = Probe::subscribe_to(from_receiver(receiver));
        drop(sender);
        settle().await;
        assert!(!probe.is_ended());

        probe.request(2);
        settle().await;

        assert_eq!(probe.items(), [1]);
        assert!(probe.is_completed());
    });
}

#[test]
fn a_cancel_closes_the_channel_for_its_senders() {
    runtime().block_on(async {
        let (sender, receiver) = mpsc::channel(1);
        let probe = Probe::subscribe_to(from_receiver(receiver));
        probe.request(1);
        settle().await;

        probe.cancel();

        sender.closed().await;
        assert!(sender.try_send(1).is_err() && probe.is_dropped());
    });
}

#[test]
fn an_item_is_asked_for_when_the_channel_has_room() {
    runtime().block_on(async {
        let (sender, mut receiver) = mpsc::channel(2);
        let (puppet, publisher) = Puppet::new();
        let _sent = millstream::Flow::from(publisher).send_to(sender.clone());
        for n in 0..2 {
            settle().await;
            assert_eq!(puppet.demand(), Demand::new(1));
            puppet.next(n).unwrap();
        }
        settle().await;
        assert_eq!(puppet.demand(), Demand::ZERO, "the channel is full");

        assert_eq!(receiver.recv().await, Some(0));
        settle().await;

        assert_eq!(puppet.demand(), Demand::new(1));
        assert_eq!(sender.capacity(), 1, "no place is reserved for an item that is not there");
    });
}

#[test]
fn an_item_whose_room_was_taken_waits_and_is_sent() {
    runtime().block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let (puppet, publisher) = Puppet::new();
        let sent = millstream::Flow::from(publisher).send_to(sender.clone());
        settle().await;
        sender.try_send("other").unwrap();
        drop(sender);
        puppet.next("waits").unwrap();
        puppet.complete();
        settle().await;
        assert_eq!(puppet.requested(), Demand::new(1));

        assert_eq!(receiver.recv().await, Some("other"));
        assert_eq!(receiver.recv().await, Some("waits"));

        assert_eq!(receiver.recv().await, None);
        sent.await.unwrap();
    });
}

#[test]
fn a_receiver_that_is_dropped_cancels_the_flow_and_is_named() {
    runtime().block_on(async {
        for n_filled in [0, 1] {
            let (sender, receiver) = mpsc::channel(1);
            (0..n_filled).for_each(|n| sender.try_send(n).unwrap());
            let (puppet, publisher) = Puppet::<u32>::new();
            let sent = millstream::Flow::from(publisher).send_to(sender);
            settle().await;

            drop(receiver);

            assert_eq!(sent.await.unwrap_err().kind(), ErrorKind::Disconnected);
            assert!(puppet.is_canceled());
        }
    });
}

#[test]
fn a_sent_flow_ends_the_channel_as_it_ends_itself() {
    runtime().block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let failing = from_iter([1]).concat(error(Error::message("no")));

        let sent = failing.send_to(sender);

        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(sent.await.unwrap_err().to_string(), "no");

        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).unwrap();
        let sent = millstream::empty().send_to(sender);
        sent.await.expect("to complete, no room is needed");
        assert_eq!(receiver.recv().await, Some(0));
    });
}

#[test]
fn dropping_the_outcome_of_a_sent_flow_cancels_it() {
    runtime().block_on(async {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        let sent = never::<u8>().send_to(sender);
        settle().await;

        drop(sent);

        assert_eq!(receiver.recv().await, None);
    });
}

#[test]
fn a_long_flow_lets_other_tasks_run() {
    runtime().block_on(async {
        const N: usize = 200_000;
        let (sender, receiver) = mpsc::channel(N);
        let sent = range(0..N).send_to(sender);

        tokio::task::yield_now().await;

        assert!(receiver.len() < N, "all of it was sent in one go");
        sent.await.unwrap();
        assert_eq!(receiver.len(), N);
    });
}

#[test]
fn a_broadcast_that_was_missed_is_an_error_that_says_how_much() {
    runtime().block_on(async {
        let (sender, receiver) = broadcast::channel(2);
        let probe = Probe::subscribe_to(from_broadcast(receiver));
        probe.request(1);
        settle().await;
        sender.send(0).unwrap();
        settle().await;
        (1..=5).for_each(|n| assert!(sender.send(n).is_ok()));

        probe.request(9);
        settle().await;

        assert_eq!(probe.items(), [0]);
        let error = probe.error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Overflow);
        assert!(error.to_string().starts_with("3 items of the broadcast were lost"));
        assert_eq!(sender.receiver_count(), 0);
    });
}

#[test]
fn a_lossy_broadcast_counts_what_it_missed_and_goes_on() {
    runtime().block_on(async {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = broadcast::channel(2);
        let on_lag = {
            let lost = Arc::clone(&lost);
            move |n| {
                lost.lock().unwrap().push(n);
                Ok(())
            }
        };
        let probe = Probe::subscribe_to(from_broadcast_lossy(receiver, on_lag));
        (0..5).for_each(|n| assert!(sender.send(n).is_ok()));
        probe.request(2);
        settle().await;
        (5..12).for_each(|n| assert!(sender.send(n).is_ok()));
        drop(sender);

        probe.request(9);
        settle().await;

        assert_eq!(probe.items(), [3, 4, 10, 11]);
        assert_eq!(*lost.lock().unwrap(), [3, 5]);
        assert!(probe.is_completed());
    });
}

#[test]
fn a_lag_can_end_a_lossy_broadcast() {
    let (sender, receiver) = broadcast::channel(1);
    (0..3).for_each(|n| assert!(sender.send(n).is_ok()));

    let flow = from_broadcast_lossy(receiver, |n| Err(Error::message(format!("{n} too many"))));

    assert_eq!(flow.count().wait().unwrap_err().to_string(), "2 too many");
}

#[test]
fn a_watch_gives_the_present_value_and_then_the_latest() {
    runtime().block_on(async {
        let (sender, receiver) = watch::channel(0);
        let probe = Probe::subscribe_to(from_watch(receiver));
        probe.request(2);
        settle().await;
        assert_eq!(probe.items(), [0]);
        sender.send(1).unwrap();
        settle().await;
        sender.send(2).unwrap();
        sender.send(3).unwrap();
        settle().await;
        assert_eq!(probe.items(), [0, 1], "nothing is read that was not asked for");
        drop(sender);

        probe.request(2);
        settle().await;

        assert_eq!(probe.items(), [0, 1, 3]);
        assert!(probe.is_completed());
    });
}

#[test]
fn a_cancel_leaves_a_watch_and_a_broadcast_while_they_wait() {
    runtime().block_on(async {
        let (watched, receiver) = watch::channel(0);
        let watching = Probe::subscribe_to(from_watch(receiver));
        let (heard, receiver) = broadcast::channel::<u8>(1);
        let hearing = Probe::subscribe_to(from_broadcast(receiver));
        watching.request(2);
        hearing.request(1);
        settle().await;

        watching.cancel();
        hearing.cancel();

        assert_eq!((watched.receiver_count(), heard.receiver_count()), (0, 0));
    });
}
