//! `Scenario`: what it accepts, and what it says about what it does not.

use std::{sync::Arc, time::Duration};

use millstream::{Error, ErrorKind, Publisher, Subscriber, Subscription, error, never, range};
use millstream_testkit::{Puppet, Scenario};

const SECOND: Duration = Duration::from_secs(1);

fn problem_of<P>(script: Scenario<P::Item>, flow: P) -> String
where
    P: Publisher<Item: Clone + std::fmt::Debug + Send + 'static>,
{
    script.run(|_| flow).unwrap_err()
}

#[test]
fn a_flow_that_follows_its_script_passes() {
    let (puppet, publisher) = Puppet::new();
    Scenario::new()
        .expect_subscription()
        .request(3)
        .expect_no_signal_for(SECOND)
        .then("send 1", move || {
            puppet.next(1).unwrap();
            puppet.next(2).unwrap();
            puppet.next(3).unwrap();
            puppet.fail(Error::message("no"));
        })
        .expect_next(1)
        .expect_next_matching("even", |n| n % 2 == 0)
        .expect_next_count(1)
        .expect_error_matching("no", |error| error.to_string() == "no")
        .verify(|_| publisher);
    Scenario::new().expect_subscription().cancel().verify(|_| range(0..3));
    Scenario::new().expect_subscription().verify(|_| never::<u8>());
    Scenario::<u8>::new()
        .expect_subscription()
        .request(1)
        .then_await(SECOND)
        .expect_error(ErrorKind::Timeout)
        .verify(|clock| never().timeout(clock, SECOND));
}

#[test]
fn the_first_step_that_fails_is_named_with_what_came() {
    let script = Scenario::new().expect_subscription().request(2).expect_next_all([0, 7]);
    let message = problem_of(script, range(0..9));

    assert!(message.starts_with("expect_next(7): there was on_next(1)\n"), "{message}");
    assert!(message.contains("\u{2713} expect_next(0)\n  \u{2717} expect_next(7)\n"), "{message}");
    assert!(message.contains("on_subscribe\n"), "{message}");
    assert!(message.ends_with("as marbles: [0][1]"), "{message}");
}

#[test]
fn times_are_in_the_message() {
    let message = Scenario::new()
        .expect_subscription()
        .request(2)
        .then_await(2 * SECOND)
        .expect_next(0)
        .expect_complete()
        .run(|clock| range(0..2).throttle(clock, 1, SECOND))
        .unwrap_err();

    assert!(message.starts_with("expect_complete: there was on_next(1)"), "{message}");
    assert!(message.contains("1s  on_next(1)"), "{message}");
    assert!(message.contains("[0]------"), "{message}");
}

#[test]
fn what_does_not_come_is_told_with_the_demand() {
    let silent =
        problem_of(Scenario::new().expect_subscription().request(2).expect_next(1), never::<u8>());
    let loud = problem_of(
        Scenario::new().expect_subscription().request(1).expect_no_signal_for(SECOND),
        range(0..3),
    );
    let left =
        problem_of(Scenario::new().expect_subscription().request(2).expect_next(0), range(0..3));
    let other = problem_of(
        Scenario::new().expect_subscription().request(1).expect_complete(),
        error::<u8>(Error::message("no")),
    );

    assert!(silent.contains("no signal came; 2 items are requested"), "{silent}");
    assert!(loud.contains("expect_no_signal_for(1s): there was on_next(0)"), "{loud}");
    assert!(left.contains("the end of the script: there was on_next(1)"), "{left}");
    assert!(other.contains("expect_complete: there was on_error("), "{other}");
}

/// Breaks the rules.
#[derive(Clone, Copy)]
enum Bad {
    SendsUnasked,
    KeepsItsSubscriber,
    NeverSubscribes,
}

struct Idle;

impl Subscription for Idle {
    fn request(&self, _: u64) {}
    fn cancel(&self) {}
}

impl Publisher for Bad {
    type Item = u8;

    fn subscribe<S: Subscriber<u8>>(self, mut subscriber: S) {
        if !matches!(self, Self::NeverSubscribes) {
            subscriber.on_subscribe(Arc::new(Idle));
        }
        if matches!(self, Self::SendsUnasked) {
            subscriber.on_next(1);
        }
        Box::leak(Box::new(subscriber));
    }
}

#[test]
fn rules_are_kept_by_the_way() {
    let unasked =
        problem_of(Scenario::new().expect_subscription().expect_next(1), Bad::SendsUnasked);
    let held = problem_of(Scenario::new().expect_subscription().cancel(), Bad::KeepsItsSubscriber);
    let absent = problem_of(Scenario::new().request(1), Bad::NeverSubscribes);

    assert!(unasked.contains("(rule 1.1)"), "{unasked}");
    assert!(held.contains("still held"), "{held}");
    assert!(absent.contains("there was no `on_subscribe`"), "{absent}");
}

#[test]
#[should_panic(expected = "expect_complete: there was on_next(0)")]
fn a_flow_that_does_not_follow_fails_its_test() {
    let script = Scenario::new().expect_subscription().request(1).expect_complete();
    script.verify(|_| range(0..3));
}
