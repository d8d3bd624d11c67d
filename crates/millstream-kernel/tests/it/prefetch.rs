//! Batches, replenished after a share was consumed.

use millstream_kernel::{Capacity, Prefetch};

#[test]
fn a_batch_is_refilled_when_three_quarters_were_consumed() {
    for (batch, refill_at) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (8, 6), (256, 192)] {
        let mut prefetch = Prefetch::new(Capacity::of(batch));

        let n_before = (1..).find(|_| prefetch.consume(1).is_some());

        assert_eq!(prefetch.batch(), batch as u64);
        assert_eq!(n_before, Some(refill_at), "of {batch}");
    }
}

#[test]
fn a_refill_asks_for_all_that_was_consumed_since_the_last() {
    let mut prefetch = Prefetch::new(Capacity::of(8));

    let asked = [5, 3, 5, 1, 100].map(|n| prefetch.consume(n));

    assert_eq!(asked, [None, Some(8), None, Some(6), Some(100)]);
}
