//! The capacities that queues can have.

use millstream_kernel::{Capacity, spsc};

#[test]
fn a_capacity_of_0_is_an_error_that_says_what_helps() {
    assert_eq!(
        Capacity::new(0).unwrap_err().to_string(),
        "a capacity of 0 would never let an item through: use at least 1"
    );
}

#[test]
fn a_capacity_that_memory_has_no_room_for_is_an_error_that_says_the_most() {
    assert_eq!(Capacity::new(Capacity::MAX).map(Capacity::get), Ok(Capacity::MAX));
    for n in [Capacity::MAX + 1, 1 << 31, usize::MAX] {
        assert_eq!(
            Capacity::new(n).unwrap_err().to_string(),
            format!("a capacity of {n} is more than memory would hold: use at most 16777216")
        );
    }
}

#[test]
fn a_queue_of_the_largest_capacity_can_be_made() {
    let (mut producer, mut consumer) = spsc::bounded::<u8>(Capacity::of(Capacity::MAX));

    assert!(producer.push(1).is_ok());
    assert!(matches!(consumer.pop(), spsc::Pop::Item(1)));
}
