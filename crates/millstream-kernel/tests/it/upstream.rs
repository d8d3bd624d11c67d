//! The subscription of an operator that passes it on.

use millstream_kernel::Upstream;
use reactive_streams::Offer;

use crate::support::{Line, Told};

#[test]
fn a_second_subscription_is_canceled() {
    let mut upstream = Upstream::unset();
    let (first, second) = (Line::new(), Line::new());

    assert!(upstream.set(&first.shared()));
    assert!(!upstream.set(&second.shared()));
    upstream.request(1);

    assert_eq!(first.take(), [Told::Request(1)]);
    assert_eq!(second.take(), [Told::Cancel], "rule 2.5");
}

#[test]
fn calls_before_the_subscription_go_nowhere() {
    let upstream = Upstream::unset();

    upstream.request(1);
    upstream.cancel();
    upstream.settle(Offer::Finished);
}

#[test]
fn an_answer_becomes_the_signals_it_stands_for() {
    let mut upstream = Upstream::unset();
    let line = Line::new();
    assert!(upstream.set(&line.shared()));

    upstream.settle(Offer::Accepted);
    assert_eq!(line.take(), []);
    upstream.settle(Offer::Skipped);
    assert_eq!(line.take(), [Told::Request(1)]);
    upstream.settle(Offer::Finished);
    assert_eq!(line.take(), [Told::Cancel]);
}
