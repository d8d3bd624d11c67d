//! Demand collected by many and taken by one.

use millstream_kernel::Pending;

#[test]
fn the_first_to_add_is_told_so() {
    let pending = Pending::new();

    assert!(pending.add(2));
    assert!(!pending.add(3));
    assert_eq!(pending.take(), 5);
    assert!(pending.add(1));
}

#[test]
fn nothing_is_taken_twice() {
    let pending = Pending::new();
    assert!(pending.add(1));

    assert_eq!(pending.take(), 1);
    assert_eq!(pending.take(), 0);
}

#[test]
fn a_sum_saturates() {
    let pending = Pending::new();

    assert!(pending.add(u64::MAX - 1));
    assert!(!pending.add(7));

    assert_eq!(pending.take(), u64::MAX);
}

#[test]
fn nobody_is_told_to_take_what_will_be_taken() {
    let pending = Pending::promised();

    assert!(!pending.is_pending());
    assert!(!pending.add(2));
    assert!(!pending.add(3));
    assert!(pending.is_pending());
    assert_eq!(pending.take(), 5);
    assert!(pending.add(1));
}

#[test]
fn a_promised_sum_saturates() {
    let pending = Pending::promised();

    assert!(!pending.add(u64::MAX));
    assert!(!pending.add(7));

    assert_eq!(pending.take(), u64::MAX);
    assert_eq!(pending.take(), 0);
}
