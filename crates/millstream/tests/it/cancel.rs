//! Withdrawing.

use std::sync::{Arc, mpsc};

use millstream::{
    ErrorKind, Flow, Order, Subscription, from_iter, from_stream, just, never, range,
    scheduler::{Immediate, Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

#[test]
fn a_canceled_subscriber_is_dropped_while_its_subscription_is_held() {
    let probe = Probe::subscribe_to(range(0..9).map(|n| n).filter(|_| true).concat(never()));
    probe.request(2);
    let subscription = probe.subscription();

    subscription.cancel();

    assert!(probe.is_dropped() && !probe.is_ended());
    subscription.request(1);
    subscription.cancel();
    assert_eq!(probe.n_items(), 2);
}

#[test]
fn a_cancel_from_inside_an_item_is_the_last_signal() {
    for flow in [
        range(0..9).boxed(),
        range(0..9).limit_rate(4).boxed(),
        range(0..9).concat(range(0..9)).boxed(),
        range(0..9).concat_map(just).boxed(),
        range(0..9).flat_map_iter(|n| [n; 3]).boxed(),
        range(0..9).take(5).boxed(),
    ] {
        let (probe, subscriber) = Probe::new();
        probe.request_in_on_subscribe(u64::MAX).cancel_at(2);

        flow.subscribe(subscriber);

        assert_eq!(probe.n_items(), 2);
        assert!(probe.is_dropped() && !probe.is_ended());
    }
}

#[test]
fn a_cancel_from_inside_on_subscribe_starts_nothing() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let (probe, subscriber) = Probe::new();
    probe.cancel_at(0);

    Flow::from(publisher).limit_rate(2).concat_map(just).subscribe(subscriber);

    assert!(probe.is_dropped());
    assert_eq!(puppet.requested().get(), 0);
}

#[test]
fn a_cancel_reaches_the_source_through_a_queue() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).limit_rate(2).concat_map(just));
    probe.request(1);
    puppet.next(1).unwrap();

    probe.cancel();

    assert!(puppet.is_canceled() && probe.is_dropped());
}

#[test]
fn items_that_wait_are_dropped_once_with_a_canceled_stream() {
    let clock = VirtualTime::new();
    let witness = Arc::new(());
    let items = vec![Arc::clone(&witness); 8];
    let probe = Probe::subscribe_to(from_iter(items).publish_on(&clock).capacity(4));
    probe.request(1);
    clock.run();

    // A turn is scheduled and was not started.
    probe.request(1);
    probe.cancel();

    assert!(probe.is_dropped());
    clock.run();
    drop(probe);
    assert_eq!(Arc::strong_count(&witness), 1);
}

/// The cancel comes while the third item is being worked on, and it is the last one.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever requests may have to do the work")]
fn a_cancel_from_another_thread_is_seen_before_the_next_waiting_item() {
    let pool = Pool::new(1);
    for flow in [
        range(0..50).publish_on(&pool).capacity(64).boxed(),
        range(0..50).map_async_on(&pool, 64, Order::Source, |n| async move { n }).boxed(),
        from_stream(futures::stream::iter(0..50)).boxed(),
        range(0..50).publish_on(&pool).capacity(64).concat_map(just).boxed(),
        range(0..50).publish_on(&pool).capacity(64).flat_map_iter(Some).boxed(),
        range(0..50).concat_map(just).subscribe_on(&pool).boxed(),
        range(0..50)
            .map_async_on(&Immediate, 64, Order::Source, |n| async move { n })
            .subscribe_on(&pool)
            .boxed(),
    ] {
        let (at_third, third) = mpsc::channel();
        let (go_on, going_on) = mpsc::channel::<()>();
        let probe = Probe::subscribe_to(flow.inspect(move |n| {
            if *n == 2 {
                at_third.send(()).unwrap();
                going_on.recv().unwrap();
            }
        }));
        let subscription = probe.subscription();
        std::thread::spawn(move || subscription.request(u64::MAX));

        third.recv().unwrap();
        probe.cancel();
        go_on.send(()).unwrap();

        probe.wait_for("the drop", Probe::is_dropped);
        assert_eq!(probe.items(), [0, 1, 2]);
        assert!(!probe.is_ended());
    }
}

#[test]
fn an_outcome_that_is_dropped_cancels() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let outcome = Flow::from(publisher).count();
    assert!(!puppet.is_canceled());

    drop(outcome);

    assert!(puppet.is_canceled());
}

#[test]
fn an_outcome_that_is_canceled_from_elsewhere_ends() {
    let outcome = never::<u8>().count();

    outcome.subscription().cancel();

    assert_eq!(outcome.wait().unwrap_err().kind(), ErrorKind::Disconnected);
}

#[test]
fn a_stream_that_is_dropped_cancels() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let stream = Flow::from(publisher).into_stream(3);

    drop(stream);

    assert!(puppet.is_canceled());
}

#[test]
fn a_second_subscription_is_canceled() {
    for operator in [
        (|flow| flow.filter(|_| true).boxed()) as fn(Flow<_>) -> Flow<_>,
        |flow| flow.take(3).boxed(),
        |flow| flow.concat(millstream::empty()).boxed(),
        |flow| flow.limit_rate(2).boxed(),
    ] {
        let (puppet, publisher) = Puppet::<u8>::new();
        let probe = Probe::subscribe_to(operator(Flow::from(publisher)));
        probe.request(1);

        assert!(puppet.force_second_subscription());

        puppet.next(1).unwrap();
        assert_eq!(probe.items(), [1]);
    }
}
