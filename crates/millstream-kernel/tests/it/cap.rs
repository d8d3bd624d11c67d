//! An upper bound for demand.

use millstream_kernel::Cap;
use reactive_streams::Subscription;

use crate::support::{Line, Told};

#[test]
fn requests_pass_until_the_bound_is_reached() {
    let line = Line::new();
    let cap = Cap::new(line.shared(), 5);

    for n in [2, 2, 2, 2] {
        cap.request(n);
    }

    assert_eq!(line.take(), [Told::Request(2), Told::Request(2), Told::Request(1)]);
}

#[test]
fn unbounded_demand_is_cut() {
    let line = Line::new();
    let cap = Cap::new(line.shared(), 5);

    cap.request(u64::MAX);
    cap.request(u64::MAX);

    assert_eq!(line.take(), [Told::Request(5)]);
}

#[test]
fn a_request_for_nothing_is_passed_on_even_at_the_bound() {
    let line = Line::new();
    let cap = Cap::new(line.shared(), 1);
    cap.request(1);

    cap.request(0);

    assert_eq!(line.take(), [Told::Request(1), Told::Request(0)], "rule 3.9");
}

#[test]
fn a_cancel_is_passed_on() {
    let line = Line::new();
    let cap = Cap::new(line.shared(), 0);

    cap.cancel();

    assert_eq!(line.take(), [Told::Cancel]);
}
