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

#[test]
fn a_set_for_very_many_numbers_allocates_for_those_that_are_set() {
    for bound in [1 << 31, usize::MAX] {
        let set = ReadySet::new(bound);
        let numbers = [0, 4_095, 4_096, 8_191, 8_192, 16_383, 16_384, 100_000];

        for number in numbers.into_iter().rev() {
            set.set(number);
        }

        assert_eq!(take(&set), numbers);
        assert_eq!(take(&set), []);
    }
}

#[test]
#[should_panic(expected = "5000 is beyond the bound of 5000")]
fn a_number_beyond_a_large_bound_panics() {
    ReadySet::new(5_000).set(5_000);
}
