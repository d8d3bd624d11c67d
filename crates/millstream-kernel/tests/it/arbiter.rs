//! A subscription that is replaced midway.

use millstream_kernel::{Arbiter, Inside};
use reactive_streams::Subscription;

use crate::support::{Line, Told};

#[test]
fn demand_waits_for_the_first_source() {
    let voice = Arbiter::new();
    let line = Line::new();

    voice.arbiter().request(2);
    voice.arbiter().request(3);
    voice.arbiter().set(&line.shared());

    assert_eq!(line.take(), [Told::Request(5)]);
}

#[test]
fn a_source_without_demand_is_asked_for_nothing() {
    let voice = Arbiter::new();
    let line = Line::new();

    voice.arbiter().set(&line.shared());

    assert_eq!(line.take(), []);
}

#[test]
fn requests_and_cancels_reach_the_present_source_alone() {
    let voice = Arbiter::new();
    let (first, second) = (Line::new(), Line::new());
    voice.arbiter().set(&first.shared());
    voice.arbiter().unset(0, 0);
    voice.arbiter().set(&second.shared());

    voice.arbiter().request(2);
    voice.arbiter().cancel();

    assert_eq!(first.take(), []);
    assert_eq!(second.take(), [Told::Request(2), Told::Cancel]);
}

#[test]
fn what_a_source_still_owes_is_asked_of_the_next() {
    let voice = Arbiter::new();
    let (first, second) = (Line::new(), Line::new());
    voice.arbiter().request(5);
    voice.arbiter().set(&first.shared());

    // It was asked for 2 more from inside its signals, and delivered 4.
    voice.arbiter().unset(2, 4);
    voice.arbiter().set(&second.shared());

    assert_eq!(first.take(), [Told::Request(5)]);
    assert_eq!(second.take(), [Told::Request(3)]);
}

#[test]
fn unbounded_demand_stays_unbounded() {
    let voice = Arbiter::new();
    let line = Line::new();
    voice.arbiter().request(u64::MAX);

    voice.arbiter().unset(0, 1_000);
    voice.arbiter().set(&line.shared());

    assert_eq!(line.take(), [Told::Request(u64::MAX)]);
}

#[test]
fn a_source_that_comes_after_the_cancel_is_canceled() {
    let voice = Arbiter::new();
    let line = Line::new();
    voice.arbiter().request(1);
    voice.arbiter().cancel();

    voice.arbiter().set(&line.shared());
    voice.arbiter().request(1);

    assert!(voice.arbiter().is_canceled());
    assert_eq!(line.take(), [Told::Cancel]);
}

#[test]
fn a_request_for_nothing_is_left_to_the_source_to_answer() {
    let voice = Arbiter::new();
    let (present, later) = (Line::new(), Line::new());
    voice.arbiter().set(&present.shared());

    voice.arbiter().request(0);
    voice.arbiter().request(1);
    voice.arbiter().unset(0, 0);
    voice.arbiter().set(&later.shared());

    assert_eq!(present.take(), [Told::Request(0), Told::Request(1)]);
    assert_eq!(later.take(), [Told::Request(0)], "rule 3.9");
}

#[test]
fn what_is_said_inside_a_signal_is_handed_to_the_caller() {
    let mut voice = Arbiter::new();
    let line = Line::new();
    voice.arbiter().set(&line.shared());
    let arbiter = std::sync::Arc::clone(voice.arbiter());

    let (result, inside) = voice.inside(|| {
        arbiter.request(2);
        arbiter.request(3);
        7
    });

    assert_eq!(result, 7);
    assert_eq!(inside, Inside { requested: 5, is_illegal: false, is_canceled: false });
    assert_eq!(line.take(), []);
}

#[test]
fn a_cancel_inside_a_signal_is_remembered() {
    let mut voice = Arbiter::new();
    let arbiter = std::sync::Arc::clone(voice.arbiter());

    let ((), inside) = voice.inside(|| {
        arbiter.request(0);
        arbiter.cancel();
    });

    assert_eq!(inside, Inside { requested: 0, is_illegal: true, is_canceled: true });
    assert!(arbiter.is_canceled());
}

#[test]
fn a_panic_inside_a_signal_leaves_the_lane() {
    let mut voice = Arbiter::new();
    let line = Line::new();
    voice.arbiter().set(&line.shared());

    let panicked = millstream_kernel::guard::caught(|| voice.inside(|| panic!("planted")).0);
    voice.arbiter().request(1);

    assert!(panicked.is_err());
    assert_eq!(line.take(), [Told::Request(1)]);
}
