//! `Probe`: what it asks for, what it remembers, and how it waits.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    thread::{self, ThreadId},
    time::Duration,
};

use millstream::{Demand, Error, Subscriber, Subscription, scheduler::Pool};
use millstream_testkit::{Probe, Puppet, Signal};

use crate::panic_of;

fn names<T>(probe: &Probe<T>) -> Vec<&'static str>
where
    T: Clone + Send + 'static,
{
    let name = |signal: &Signal<T>| match signal {
        Signal::Subscribed => "subscribed",
        Signal::Next(_) => "next",
        Signal::Failed(_) => "failed",
        Signal::Completed => "completed",
        Signal::Dropped => "dropped",
    };
    probe.records().iter().map(|record| name(&record.signal)).collect()
}

#[test]
fn nothing_is_asked_for_by_itself() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(publisher);

    assert_eq!(puppet.n_requests(), 0);
    assert!(!puppet.is_canceled());
    assert_eq!(names(&probe), ["subscribed"]);
}

#[test]
fn requests_and_cancels_arrive_as_they_were_made() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(publisher);

    probe.request(2);
    probe.request(3);
    assert_eq!((puppet.n_requests(), puppet.requested()), (2, Demand::new(5)));
    probe.cancel();

    assert!(puppet.is_canceled());
    assert_eq!(puppet.n_requests(), 2);
}

#[test]
fn signals_are_remembered_in_order_with_what_they_carried() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(publisher);
    probe.request(2);
    puppet.next('a').unwrap();
    puppet.next('b').unwrap();
    assert!(!probe.is_ended() && !probe.is_dropped());

    puppet.fail(Error::message("no luck"));

    assert_eq!(names(&probe), ["subscribed", "next", "next", "failed", "dropped"]);
    assert_eq!((probe.items(), probe.n_items()), (vec!['a', 'b'], 2));
    assert_eq!(probe.error().unwrap().to_string(), "no luck");
    assert!(probe.is_ended() && probe.is_dropped() && !probe.is_completed());
}

#[test]
fn a_completion_is_told_from_a_failure_and_from_a_drop() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let completed = Probe::subscribe_to(publisher);
    puppet.complete();
    let (puppet, publisher) = Puppet::<u8>::new();
    let dropped = Probe::subscribe_to(publisher);
    puppet.drop_subscriber();

    assert_eq!(names(&completed), ["subscribed", "completed", "dropped"]);
    assert!(completed.is_completed() && completed.is_ended() && completed.error().is_none());
    assert_eq!(names(&dropped), ["subscribed", "dropped"]);
    assert!(dropped.is_dropped() && !dropped.is_ended());
}

#[test]
fn each_signal_is_remembered_with_its_thread() {
    let pool = Pool::new(1);
    let there = millstream::from_fn(|| thread::current().id()).subscribe_on(&pool).first();
    let there: ThreadId = there.wait().unwrap().unwrap();
    let here = thread::current().id();
    let probe = Probe::subscribe_to(millstream::range(0..2).publish_on(&pool).capacity(2));

    probe.request(2);
    probe.wait_until_ended();

    let threads: Vec<_> = probe.records().iter().map(|record| record.thread).collect();
    assert_eq!(threads[..4], [here, there, there, there]);
}

#[test]
fn it_asks_from_inside_on_subscribe_and_on_next() {
    let (puppet, publisher) = Puppet::new();
    let (probe, subscriber) = Probe::new();
    probe.request_in_on_subscribe(2).request_in_on_next(3);
    millstream::Publisher::subscribe(publisher, subscriber);
    assert_eq!(puppet.requested(), Demand::new(2));

    puppet.next(1).unwrap();

    assert_eq!((puppet.n_requests(), puppet.requested()), (2, Demand::new(5)));
}

#[test]
fn it_cancels_from_inside_the_item_that_was_named_and_then_asks_for_nothing() {
    for n in 0..4 {
        let (probe, subscriber) = Probe::new();
        probe.request_in_on_subscribe(1).request_in_on_next(1).cancel_at(n);

        millstream::range(0..9).subscribe(subscriber);

        assert_eq!(probe.n_items(), n);
        assert!(probe.is_dropped() && !probe.is_ended(), "{n}");
    }
}

#[test]
fn a_second_subscription_is_canceled_and_the_first_is_kept() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(publisher);

    assert!(puppet.force_second_subscription());

    probe.request(1);
    assert_eq!(puppet.n_requests(), 1);
    assert_eq!(names(&probe), ["subscribed"]);
}

#[test]
fn a_probe_without_a_subscription_says_so() {
    let (probe, _subscriber) = Probe::<u8>::new();

    for act in [|probe: &Probe<u8>| probe.request(1), Probe::cancel] {
        let text = panic_of(AssertUnwindSafe(|| act(&probe)));

        assert_eq!(text, "on_subscribe was not called");
    }
}

#[test]
fn waiting_ends_with_a_signal_from_another_thread() {
    struct Nobody;
    impl Subscription for Nobody {
        fn request(&self, _: u64) {}
        fn cancel(&self) {}
    }
    let (probe, mut subscriber) = Probe::new();

    thread::scope(|scope| {
        scope.spawn(|| {
            subscriber.on_subscribe(Arc::new(Nobody));
            subscriber.on_next(1);
            subscriber.on_next(2);
            subscriber.on_complete();
        });
        probe.wait_for("two items", |probe| probe.n_items() == 2);
        probe.wait_until_ended();
        probe.wait_for("the drop", Probe::is_dropped);
    });

    assert_eq!(probe.items(), [1, 2]);
}

#[test]
fn waiting_in_vain_says_for_what() {
    let (probe, _subscriber) = Probe::<u8>::new();
    probe.patience(Duration::from_millis(1));

    let text =
        panic_of(AssertUnwindSafe(|| probe.wait_for("an item", |probe| probe.n_items() > 0)));
    let end = panic_of(AssertUnwindSafe(|| probe.wait_until_ended()));

    assert_eq!(text, "waited in vain for an item");
    assert_eq!(end, "waited in vain for a terminal signal");
}

#[test]
fn clones_are_the_same_probe() {
    let probe = Probe::subscribe_to(millstream::range(0..3));
    let twin = probe.clone();

    twin.request(1);

    assert_eq!(probe.items(), [0]);
    assert_eq!(format!("{probe:?}"), "Probe { n_records: 2, .. }");
}
