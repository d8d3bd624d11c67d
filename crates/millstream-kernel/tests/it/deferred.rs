//! A subscription that arrives later.

use millstream_kernel::Deferred;
use reactive_streams::Subscription;

use crate::support::{Line, Told};

#[test]
fn requests_before_the_arrival_are_passed_on_as_one() {
    let deferred = Deferred::new();
    let line = Line::new();

    deferred.request(2);
    deferred.request(3);
    deferred.set(line.shared());

    assert_eq!(line.take(), [Told::Request(5)]);
}

#[test]
fn calls_after_the_arrival_are_passed_on_as_they_are() {
    let deferred = Deferred::new();
    let line = Line::new();
    deferred.set(line.shared());

    deferred.request(2);
    deferred.request(0);
    deferred.cancel();

    assert_eq!(line.take(), [Told::Request(2), Told::Request(0), Told::Cancel]);
}

#[test]
fn an_arrival_without_calls_is_told_nothing() {
    let deferred = Deferred::new();
    let line = Line::new();
    assert!(!deferred.is_set());

    deferred.set(line.shared());

    assert!(deferred.is_set());
    assert!(!deferred.is_canceled());
    assert_eq!(line.take(), []);
}

#[test]
fn a_cancel_before_the_arrival_stands_for_all_that_came_before() {
    let deferred = Deferred::new();
    let line = Line::new();

    deferred.request(1);
    deferred.cancel();
    deferred.request(0);
    deferred.set(line.shared());

    assert!(deferred.is_canceled());
    assert_eq!(line.take(), [Told::Cancel]);
}

#[test]
fn a_request_for_nothing_before_the_arrival_is_left_to_be_answered() {
    let deferred = Deferred::new();
    let line = Line::new();

    deferred.request(0);
    deferred.request(4);
    deferred.set(line.shared());

    assert_eq!(line.take(), [Told::Request(0)], "rule 3.9");
}

#[test]
fn unbounded_demand_arrives_unbounded() {
    for requests in [[u64::MAX, 1], [u64::MAX - 1, u64::MAX - 1], [1, u64::MAX]] {
        let deferred = Deferred::new();
        let line = Line::new();

        requests.into_iter().for_each(|n| deferred.request(n));
        deferred.set(line.shared());

        assert_eq!(line.take(), [Told::Request(u64::MAX)], "{requests:?}");
    }
}

#[test]
fn a_second_arrival_is_canceled() {
    let deferred = Deferred::new();
    let (first, second) = (Line::new(), Line::new());
    deferred.set(first.shared());

    deferred.set(second.shared());
    deferred.request(1);

    assert_eq!(first.take(), [Told::Request(1)]);
    assert_eq!(second.take(), [Told::Cancel], "rule 2.5");
}

#[test]
fn what_came_before_the_arrival_is_known() {
    let [requested, disturbed, canceled] = [(); 3].map(|()| Deferred::new());
    assert!(requested.is_fresh() && !requested.is_disturbed());

    requested.request(1);
    disturbed.request(0);
    canceled.cancel();

    assert!([&requested, &disturbed, &canceled].iter().all(|deferred| !deferred.is_fresh()));
    assert!(!requested.is_disturbed() && disturbed.is_disturbed() && canceled.is_disturbed());
}

#[test]
fn a_request_for_nothing_that_was_passed_on_disturbs_no_more() {
    let deferred = Deferred::new();
    deferred.request(0);

    deferred.set(Line::new().shared());

    assert!(!deferred.is_fresh() && !deferred.is_disturbed());
}
