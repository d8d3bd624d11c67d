//! Which of many tasks were woken.

use millstream_kernel::ReadySet;

fn take(set: &ReadySet) -> Vec<usize> {
    let mut numbers = Vec::new();
    set.take(|number| numbers.push(number));
    numbers
}

#[test]
fn numbers_come_out_once_and_in_ascending_order() {
    let set = ReadySet::new(200);

    for number in [199, 64, 0, 63, 128, 64] {
        set.set(number);
    }

    assert_eq!(take(&set), [0, 63, 64, 128, 199]);
    assert_eq!(take(&set), []);
}

#[test]
fn a_number_may_be_added_while_the_set_is_taken() {
    let set = ReadySet::new(2);
    set.set(0);

    set.take(|number| set.set(number + 1));

    assert_eq!(take(&set), [1]);
}

#[test]
fn a_set_of_none_is_empty() {
    assert_eq!(take(&ReadySet::new(0)), []);
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_number_beyond_the_bound_panics() {
    ReadySet::new(64).set(64);
}
