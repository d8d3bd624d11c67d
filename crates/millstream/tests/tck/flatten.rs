//! Operators that turn each item into many under the TCK.

use millstream::{ErrorMode, just, range};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(concat_map, |n| range(0..n).concat_map(just));
publisher_tests!(flat_map_iter, |n| range(0..n).flat_map_iter(Some));
publisher_tests!(flat_map, |n| range(0..n).flat_map(3, 2, just));
publisher_tests!(
    flat_map_across_threads,
    |n| {
        let pool = pool();
        range(0..n).flat_map(3, 2, move |n| just(n).publish_on(&pool, 1))
    },
    Capabilities::new().asynchronous()
);
publisher_tests!(flat_map_sequential, |n| range(0..n).flat_map_sequential(3, 2, just));
publisher_tests!(switch_map, |n| just(n).switch_map(|n| range(0..n)));
publisher_tests!(
    flat_map_sequential_across_threads,
    |n| {
        let pool = pool();
        range(0..n).flat_map_sequential(3, 2, move |n| just(n).publish_on(&pool, 1))
    },
    Capabilities::new().asynchronous()
);
publisher_tests!(
    switch_map_across_threads,
    |n| just(n).switch_map(|n| range(0..n).publish_on(&pool(), 3)),
    Capabilities::new().asynchronous()
);
publisher_tests!(concat_map_at_once, |n| {
    range(0..n).concat_map(just).error_mode(ErrorMode::Immediate)
});
publisher_tests!(concat_map_delayed, |n| {
    range(0..n).concat_map(just).error_mode(ErrorMode::Delayed)
});
publisher_tests!(flat_map_at_the_boundary, |n| {
    range(0..n).flat_map(3, 2, just).error_mode(ErrorMode::Boundary)
});
