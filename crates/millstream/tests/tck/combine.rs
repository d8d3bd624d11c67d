//! Operators that put flows together under the TCK.

use millstream::{concat_all, just, range};
use reactive_streams_tck::publisher_tests;

publisher_tests!(concat, |n| range(0..n / 2).concat(range(0..n - n / 2)));
publisher_tests!(concat_all, |n| concat_all((0..n).map(just)));
publisher_tests!(repeat, |n| just(1).repeat(n).take(n));
