//! Operators that put flows together under the TCK.

use std::time::Duration;

use millstream::{concat_all, just, range};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(concat, |n| range(0..n / 2).concat(range(0..n - n / 2)));
publisher_tests!(concat_all, |n| concat_all((0..n).map(just)));
publisher_tests!(repeat, |n| just(1).repeat(n).take(n));
publisher_tests!(
    repeat_when,
    |n| just(1).repeat_when_on(&pool(), |_| Some(Duration::from_micros(1))).take(n),
    Capabilities::new().asynchronous().max_length(1_000)
);
