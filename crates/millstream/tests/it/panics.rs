//! Closures, iterators and futures that panic.

use std::time::Duration;

use millstream::{
    Error, ErrorKind, Flow, Outcome, bridge, concat_all, defer, error, from_fn, from_future,
    from_iter, generate, just, merge_sorted_by_key, range, scheduler::VirtualTime,
};
use millstream_testkit::{Probe, Puppet};

/// A closure's worst.
fn bang<T, U>(_: T) -> U {
    panic!("bang")
}

#[track_caller]
fn assert_panicked<T: std::fmt::Debug>(outcome: Outcome<T>) {
    let failed = outcome.wait().unwrap_err();
    assert_eq!(
        (failed.kind(), failed.to_string().as_str()),
        (ErrorKind::Panicked, "panicked: bang")
    );
}

#[test]
fn a_panic_in_user_code_is_an_error_of_the_stream() {
    let bangs = || range(0..3).map(bang::<u64, u64>);

    assert_panicked(bangs().count());
    assert_panicked(range(0..3_u64).filter(|n| bang(n)).count());
    assert_panicked(range(0..3_u64).filter_map(bang::<u64, Option<u64>>).count());
    assert_panicked(range(0..3_u64).inspect(|n| bang(n)).count());
    assert_panicked(range(0..3_u64).scan(0, |_, n| bang::<_, Option<u64>>(n)).count());
    assert_panicked(range(0..3_u64).distinct_by_key(|n| bang::<_, u64>(n)).count());
    assert_panicked(range(0..3_u64).distinct_until_changed_by_key(|n| bang::<_, u64>(n)).count());
    assert_panicked(range(0..3_u64).handle(bang::<u64, millstream::Handled<u64>>).count());
    assert_panicked(range(0..3_u64).group_by(|n| bang::<_, u64>(n)).count());
    assert_panicked(
        range(0..3_u64)
            .group_map(|n| n % 2, |g| -> Flow<millstream::Never<u64>> { bang(g) })
            .max_groups(2)
            .capacity(2)
            .count(),
    );
    assert_panicked(range(0..3_u64).buffer_until(|n| bang(n)).count());
    assert_panicked(range(0..3_u64).buffer_while(|n| bang(n)).count());
    assert_panicked(range(0..3_u64).gather((), |(), n| bang::<_, [u64; 1]>(n), |()| None).count());
    assert_panicked(range(0..3_u64).gather((), |(), n| [n], bang::<(), Option<u64>>).count());
    assert_panicked(range(0..3_u64).buffer_until_changed_by_key(|n| bang::<_, u64>(n)).count());
    assert_panicked(range(0..3_u64).buffer_weighted(9, |n| bang::<_, u64>(n)).count());
    let clock = VirtualTime::new();
    let hour = Duration::from_secs(3_600);
    let weighted = range(0..3_u64).buffer_timeout_weighted(&clock, 9, 9, hour, |n| bang(n));
    assert_panicked(weighted.count());
    assert_panicked(range(0..3_u64).throttle_weighted(&clock, 9, hour, |n| bang(n)).count());
    assert_panicked(range(0..3_u64).window_until(9, |n| bang(n)).count());
    assert_panicked(range(0..3_u64).also_to(9, bang).count());
    assert_panicked(range(0..3_u64).tap_into(9, bang).count());
    assert_panicked(merge_sorted_by_key([range(0..3_u64)], |n| bang::<_, u64>(n)).count());
    assert_panicked(
        just(1_u64).expand_recursive(9, |n| -> Flow<millstream::Never<u64>> { bang(n) }).count(),
    );
    assert_panicked(range(0..3_u64).any(bang));
    assert_panicked(range(0..3_u64).all(bang));
    assert_panicked(range(0..3_u64).max_by_key(|n| bang::<_, u64>(n)));
    assert_panicked(range(0..3_u64).min_by_key(|n| bang::<_, u64>(n)));
    assert_panicked(range(0..3_u64).collect_map(|n| bang::<_, u64>(n)));
    assert_panicked(range(0..3_u64).collect_multimap(|n| bang::<_, u64>(n)));
    assert_panicked(range(0..3_u64).batch(2, bang::<u64, u64>, |_, _| {}).count());
    assert_panicked(range(0..3_u64).expand(|n| -> Option<u64> { bang(n) }).count());
    assert_panicked(error::<u64>(Error::message("first")).map_err(bang::<_, Error>).count());
    assert_panicked(
        error::<u64>(Error::message("first")).on_error_complete_if(|e| bang(e)).count(),
    );
    assert_panicked(error::<u64>(Error::message("first")).retry_when(|e, _| bang(e)).count());
    assert_panicked(just(1_u64).repeat_when(bang).count());
    assert_panicked(range(0..3_u64).for_each(bang));
    assert_panicked(range(0..3_u64).reduce(|n, _| bang(n)));
    assert_panicked(bangs().limit_rate(2).count());
    assert_panicked(bangs().concat(just(1)).count());
    assert_panicked(concat_all((0..3).map(bang::<u64, Flow<millstream::Never<u64>>>)).count());
    assert_panicked(
        range(0..3_u64).concat_map(|n| -> Flow<millstream::Never<u64>> { bang(n) }).count(),
    );
    assert_panicked(
        range(0..3_u64)
            .flat_map(|n| -> Flow<millstream::Never<u64>> { bang(n) })
            .concurrency(2)
            .prefetch(2)
            .count(),
    );
    assert_panicked(
        range(0..3_u64)
            .flat_map_sequential(|n| -> Flow<millstream::Never<u64>> { bang(n) })
            .concurrency(2)
            .prefetch(2)
            .count(),
    );
    assert_panicked(
        range(0..3_u64).switch_map(|n| -> Flow<millstream::Never<u64>> { bang(n) }).count(),
    );
    assert_panicked(just(1).start_with(std::iter::repeat_with(|| -> u64 { bang(()) })).count());
    assert_panicked(range(0..3_u64).flat_map_iter(|n| -> Option<u64> { bang(n) }).count());
    assert_panicked(from_iter(std::iter::repeat_with(|| -> u64 { bang(()) })).count());
    assert_panicked(generate((), |()| -> Result<Option<u64>, Error> { bang(()) }).count());
    assert_panicked(from_fn(|| -> u64 { bang(()) }).count());
    assert_panicked(defer(|| -> Flow<millstream::Never<u64>> { bang(()) }).count());
    let failed = || error::<u64>(Error::message("first"));
    assert_panicked(failed().on_error_return(bang).count());
    assert_panicked(
        failed().on_error_resume(|e| -> Flow<millstream::Never<u64>> { bang(e) }).count(),
    );
    assert_panicked(from_future(async { bang::<_, u64>(()) }).count());
    assert_panicked(range(0..3_u64).map_async(2, |n| async move { bang::<_, u64>(n) }).count());
    assert_panicked(range(0..3_u64).for_each_async(|n| async move { bang(n) }));
    let (sender, receiver) = tokio::sync::broadcast::channel(1);
    (0..3).for_each(|n| assert!(sender.send(n).is_ok()));
    assert_panicked(bridge::from_broadcast_lossy(receiver, bang).count());
}

#[test]
fn a_fold_that_panics_loses_its_value_and_says_so() {
    let outcome =
        range(0..3_u64).fold(String::new(), |text, n| if n == 1 { bang(text) } else { text });

    assert_panicked(outcome);
}

#[test]
fn a_panic_behind_a_queue_cancels_the_source() {
    let (puppet, publisher) = Puppet::new();
    let outcome = Flow::from(publisher).limit_rate(2).map(bang::<u64, u64>).count();

    assert!(puppet.next(1).is_ok());

    assert!(puppet.is_canceled());
    assert_panicked(outcome);
}

#[test]
fn a_panicking_stream_can_be_resumed_by_those_who_say_so() {
    let told = |error: Error| Error::message(error.to_string());
    let panicking = range(0..3_u64).map(bang::<u64, u64>);
    let probe = Probe::subscribe_to(panicking.map_err(told).on_error_return(|_| 9));

    probe.request(1);

    assert_eq!(probe.items(), [9]);
    assert!(probe.is_completed());
}

#[test]
#[should_panic(expected = "a capacity of 0 would never let an item through")]
fn a_capacity_of_nothing_is_refused_where_it_is_written() {
    let _flow = range(0..3_u64).limit_rate(0);
}
