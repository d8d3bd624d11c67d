//! Operators that put flows together under the TCK.

use std::time::Duration;

use millstream::{
    ErrorMode, combine_latest, concat_all, concat_eager, empty, first_with_signal,
    first_with_value, interleave, just, merge, merge_prioritized, merge_sorted,
    merge_sorted_by_key, never, range, zip,
};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::pool;

publisher_tests!(concat, |n| range(0..n / 2).concat(range(n / 2..n)));
publisher_tests!(concat_all, |n| concat_all((0..n).map(just)));
publisher_tests!(concat_all_delayed, |n| {
    concat_all((0..n).map(just)).error_mode(ErrorMode::Delayed)
});
publisher_tests!(concat_delayed, |n| {
    range(0..n / 2).concat(range(n / 2..n)).error_mode(ErrorMode::Delayed)
});
publisher_tests!(repeat, |n| just(1).repeat(n).take(n));
/// Items of two flows, in any order.
const MIXED: Capabilities = Capabilities::new().numbering(Numbering::Any);

publisher_tests!(merge, |n| merge([range(0..n / 2), range(n / 2..n)]), MIXED);
publisher_tests!(merge_with, |n| range(0..n / 2).merge_with(range(n / 2..n)), MIXED);
publisher_tests!(
    merge_across_threads,
    |n| merge([
        range(0..n / 2).publish_on(&pool()).capacity(2),
        range(n / 2..n).publish_on(&pool()).capacity(2)
    ]),
    MIXED.asynchronous()
);
publisher_tests!(merge_sorted, |n| merge_sorted([range(0..n / 2), range(n / 2..n)]));
publisher_tests!(merge_sorted_by_key, |n| {
    merge_sorted_by_key([range(0..n / 2), range(n / 2..n)], |n| *n)
});
publisher_tests!(first_with_value, |n| first_with_value([
    empty().boxed_clone(),
    range(0..n).boxed_clone()
]));
publisher_tests!(zip_longest, |n| range(0..n).zip_longest(range(0..n / 2)));
publisher_tests!(
    zip_longest_across_threads,
    |n| range(0..n / 2).publish_on(&pool()).capacity(2).zip_longest(range(0..n)),
    Capabilities::new().asynchronous()
);
publisher_tests!(interleave, |n| interleave([range(0..n / 2), range(n / 2..n)], 2), MIXED);
publisher_tests!(
    merge_prioritized,
    |n| merge_prioritized([(1, range(0..n / 2)), (3, range(n / 2..n))]),
    MIXED
);
publisher_tests!(merge_preferred, |n| range(0..n / 2).merge_preferred(range(n / 2..n)), MIXED);
publisher_tests!(
    merge_preferred_across_threads,
    |n| {
        let preferred = range(0..n / 2).publish_on(&pool()).capacity(2);
        range(n / 2..n).publish_on(&pool()).capacity(3).merge_preferred(preferred)
    },
    MIXED.asynchronous()
);
publisher_tests!(valve, |n| range(0..n).valve(just(true)));
publisher_tests!(valve_that_opens, |n| range(0..n).valve(range(0..3).map(|n| n == 2)).capacity(3));
publisher_tests!(concat_eager, |n| concat_eager([range(0..n / 2), range(n / 2..n)]));
publisher_tests!(zip, |n| zip((range(0..n), range(0_u64..))));
publisher_tests!(
    zip_across_threads,
    |n| range(0..n)
        .publish_on(&pool())
        .capacity(2)
        .zip(range(0..n).publish_on(&pool()).capacity(3)),
    Capabilities::new().asynchronous()
);
publisher_tests!(combine_latest, |n| combine_latest((just(0), range(0..n))).take(n));
publisher_tests!(
    combine_latest_across_threads,
    |n| combine_latest((empty().default_if_empty(0), range(0..n).publish_on(&pool()).capacity(2)))
        .take(n),
    Capabilities::new().asynchronous()
);
publisher_tests!(with_latest_from, |n| range(0..n).with_latest_from(just(0)));
publisher_tests!(start_with, |n| range(n.min(2)..n).start_with(0..n.min(2)));
publisher_tests!(switch_if_empty, |n| empty().switch_if_empty(range(0..n)));
publisher_tests!(take_until, |n| range(0..n).take_until(never::<u8>()));
publisher_tests!(first_with_signal, |n| first_with_signal([
    never().boxed_clone(),
    range(0..n).boxed_clone()
]));
publisher_tests!(
    repeat_when,
    |n| just(1).repeat_when_on(&pool(), |_| Some(Duration::from_micros(1))).take(n),
    Capabilities::new().asynchronous().max_length(1_000)
);
publisher_tests!(combine_latest_of_two, |n| just(0).combine_latest(range(0..n)).take(n));
