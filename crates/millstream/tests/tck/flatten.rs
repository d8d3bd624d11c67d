//! Operators that turn each item into many under the TCK.

use millstream::{ErrorMode, empty, just, range};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::pool;

publisher_tests!(concat_map, |n| range(0..n).concat_map(just));
publisher_tests!(flat_map_iter, |n| range(0..n).flat_map_iter(Some));
publisher_tests!(expand_recursive, |n| range(0..n).expand_recursive(1_000_000, |_| empty()));
publisher_tests!(expand_recursive_by_one, |n| range(0..n.min(1))
    .expand_recursive(1, move |i| range(i + 1..n.min(i + 2))));
publisher_tests!(switch_on_first, |n| range(0..n).switch_on_first(|all| all));
publisher_tests!(flat_map, |n| range(0..n).flat_map(just).concurrency(3).prefetch(2));
publisher_tests!(
    flat_map_across_threads,
    |n| {
        let pool = pool();
        range(0..n)
            .flat_map(move |n| just(n).publish_on(&pool).capacity(1))
            .concurrency(3)
            .prefetch(2)
    },
    Capabilities::new().numbering(Numbering::Any).asynchronous()
);
publisher_tests!(flat_map_sequential, |n| range(0..n)
    .flat_map_sequential(just)
    .concurrency(3)
    .prefetch(2));
publisher_tests!(switch_map, |n| just(n).switch_map(|n| range(0..n)));
publisher_tests!(
    flat_map_sequential_across_threads,
    |n| {
        let pool = pool();
        range(0..n)
            .flat_map_sequential(move |n| just(n).publish_on(&pool).capacity(1))
            .concurrency(3)
            .prefetch(2)
    },
    Capabilities::new().asynchronous()
);
publisher_tests!(
    switch_map_across_threads,
    |n| just(n).switch_map(|n| range(0..n).publish_on(&pool()).capacity(3)),
    Capabilities::new().asynchronous()
);
publisher_tests!(concat_map_at_once, |n| {
    range(0..n).concat_map(just).error_mode(ErrorMode::Immediate)
});
publisher_tests!(concat_map_delayed, |n| {
    range(0..n).concat_map(just).error_mode(ErrorMode::Delayed)
});
publisher_tests!(flat_map_at_the_boundary, |n| {
    range(0..n).flat_map(just).concurrency(3).prefetch(2).error_mode(ErrorMode::Boundary)
});
