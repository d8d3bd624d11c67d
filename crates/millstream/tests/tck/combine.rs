//! Operators that put flows together under the TCK.

use millstream::{concat_all, just, merge, range};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(concat, |n| range(0..n / 2).concat(range(0..n - n / 2)));
publisher_tests!(concat_all, |n| concat_all((0..n).map(just)));
publisher_tests!(repeat, |n| just(1).repeat(n).take(n));
publisher_tests!(merge, |n| merge([range(0..n / 2), range(n / 2..n)]));
publisher_tests!(merge_with, |n| range(0..n / 2).merge_with(range(n / 2..n)));
publisher_tests!(
    merge_across_threads,
    |n| merge([range(0..n / 2).publish_on(&pool(), 2), range(n / 2..n).publish_on(&pool(), 2)]),
    Capabilities::new().asynchronous()
);
