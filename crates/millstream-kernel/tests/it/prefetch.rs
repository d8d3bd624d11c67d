//! Batches, replenished after a share was consumed.

use millstream_kernel::{InvalidPrefetch, Prefetch, mpsc, spsc};

#[test]
fn a_batch_is_refilled_when_three_quarters_were_consumed() {
    for (batch, refill_at) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6), (256, 192)] {
        let mut prefetch = Prefetch::new(batch).unwrap();

        let n_before = (1..).find(|_| prefetch.consume(1).is_some());

        assert_eq!(prefetch.batch(), batch as u64);
        assert_eq!(n_before, Some(refill_at), "of {batch}");
    }
}

#[test]
fn a_refill_asks_for_all_that_was_consumed_since_the_last() {
    let mut prefetch = Prefetch::new(8).unwrap();

    let asked = [5, 3, 5, 1, 100].map(|n| prefetch.consume(n));

    assert_eq!(asked, [None, Some(8), None, Some(6), Some(100)]);
}

#[test]
fn a_refill_may_be_chosen() {
    let mut prefetch = Prefetch::with_refill(4, 1).unwrap();

    assert_eq!(prefetch.consume(1), Some(1));
}

#[test]
fn a_capacity_of_nothing_is_an_error_that_says_what_helps() {
    let error = Prefetch::new(0).unwrap_err();

    assert_eq!(
        error.to_string(),
        "a capacity of 0 would never let an item through: use at least 1"
    );
    assert_eq!(spsc::bounded::<u8>(0).err(), Some(error));
    assert_eq!(mpsc::bounded::<u8>(0).err(), Some(error));
}

#[test]
fn a_refill_that_a_batch_never_reaches_is_an_error_that_names_both() {
    for refill_at in [0, 5] {
        let InvalidPrefetch { batch, refill_at: named, .. } =
            Prefetch::with_refill(4, refill_at).unwrap_err();

        assert_eq!((batch, named), (4, refill_at));
    }
    let error = Prefetch::with_refill(4, 5).unwrap_err();
    assert_eq!(error.to_string(), "refill_at (5) must lie in 1..=4 (batch)");
}
