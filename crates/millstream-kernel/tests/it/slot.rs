//! A value that is taken once.

use millstream_kernel::Slot;

use crate::support::Counter;

#[test]
fn a_value_is_given_to_the_first() {
    let slot = Slot::new(7);

    assert_eq!(slot.take(), Some(7));
    assert_eq!(slot.take(), None);
}

#[test]
fn a_value_that_nobody_takes_is_dropped_once() {
    let counter = Counter::default();

    drop(Slot::new(counter.item(0)));

    assert_eq!(counter.n_dropped(), 1);
}
