//! Operators that change threads or the rhythm of demand under the TCK.

use millstream::{range, scheduler::Immediate};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(limit_rate, |n| range(0..n).limit_rate(4));
publisher_tests!(publish_on_immediate, |n| range(0..n).publish_on(&Immediate).capacity(4));
publisher_tests!(subscribe_on_immediate, |n| range(0..n).subscribe_on(&Immediate));
publisher_tests!(
    publish_on,
    |n| range(0..n).publish_on(&pool()).capacity(4),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    subscribe_on,
    |n| range(0..n).subscribe_on(&pool()),
    Capabilities::new().asynchronous()
);
