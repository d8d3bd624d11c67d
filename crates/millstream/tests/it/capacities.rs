//! Capacities that memory has no room for: they panicked in mid-stream, or ended the process.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use millstream::{Overflow, Sharing, bridge, hub, just, range, scheduler::Immediate};

/// Fails unless `write` panics with a message that says what is allowed.
#[track_caller]
fn assert_refused<T>(write: impl FnOnce() -> T) {
    let result = catch_unwind(AssertUnwindSafe(|| drop(write())));
    let panic = result.expect_err("the capacity was taken");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("use at most 16777216"), "{message}");
}

#[test]
fn a_capacity_that_is_too_large_is_refused_where_it_is_written() {
    let flow = || range(0..3_u64);
    for n in [usize::MAX, 1 << 31] {
        assert_refused(|| flow().limit_rate(n));
        assert_refused(|| flow().publish_on(&Immediate).capacity(n));
        assert_refused(|| flow().delay(&Immediate, Duration::from_secs(1), n));
        assert_refused(|| flow().flat_map(just).concurrency(n));
        assert_refused(|| flow().flat_map(just).prefetch(n));
        assert_refused(|| flow().chunks_ready(n));
        assert_refused(|| flow().window(n));
        assert_refused(|| flow().map_async(n, std::future::ready));
        assert_refused(|| flow().share_with(Sharing::new(n)));
        assert_refused(|| hub::unicast::<u64>(n));
        assert_refused(|| hub::merge::<u64>(n));
        assert_refused(|| bridge::sink::<u64>(n));
    }
}

#[test]
fn what_grows_towards_its_bound_needs_none() {
    let buffered = range(0..3_u64).on_backpressure_buffer(usize::MAX, Overflow::Fail);
    assert_eq!(buffered.count().wait().unwrap(), 3);

    let batched = range(0..3_u64).batch(usize::MAX, |n| n, |sum, n| *sum += n);
    assert_eq!(batched.fold(0, |sum, n| sum + n).wait().unwrap(), 3);
}
