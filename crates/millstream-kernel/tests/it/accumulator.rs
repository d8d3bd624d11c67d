//! A value that a closure takes and gives back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use millstream_kernel::Accumulator;

use crate::support::Counter;

#[test]
fn an_update_takes_the_value_and_gives_one_back() {
    let mut accumulator = Accumulator::new(String::from("a"));

    accumulator.update(|text| text + "b");
    accumulator.update(|text| text + "c");

    assert_eq!(accumulator.take().as_deref(), Some("abc"));
}

#[test]
fn a_value_is_taken_once() {
    let mut accumulator = Accumulator::new(1);

    assert_eq!(accumulator.take(), Some(1));
    assert_eq!(accumulator.take(), None);
}

#[test]
fn a_value_that_was_taken_is_not_updated() {
    let mut accumulator = Accumulator::new(1);
    accumulator.take();

    accumulator.update(|_| unreachable!("there is none"));

    assert_eq!(accumulator.take(), None);
}

#[test]
fn a_value_that_is_never_taken_is_dropped_once() {
    let counter = Counter::default();

    let mut accumulator = Accumulator::new(counter.item(0));
    accumulator.update(|item| item);
    drop(accumulator);

    assert_eq!(counter.n_dropped(), 1);
}

#[test]
fn a_value_that_is_lost_in_a_panic_is_dropped_once() {
    let counter = Counter::default();
    let mut accumulator = Accumulator::new(counter.item(0));

    let panicked = catch_unwind(AssertUnwindSafe(|| accumulator.update(|_| panic!("planted"))));

    assert!(panicked.is_err());
    assert!(accumulator.take().is_none());
    drop(accumulator);
    assert_eq!(counter.n_dropped(), 1);
}
