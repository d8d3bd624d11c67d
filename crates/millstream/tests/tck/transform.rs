//! Operators that turn each item into another under the TCK.

use millstream::{Order, range, scheduler::Immediate};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(map, |n| range(0..n).map(|n| n + 1));
publisher_tests!(scan, |n| range(0..n).scan((), |(), n| Some(n)));
publisher_tests!(enumerate, |n| range(0..n).enumerate());
publisher_tests!(map_async_immediate, |n| range(0..n).map_async_on(
    &Immediate,
    4,
    Order::Source,
    |n| async move { n }
));
publisher_tests!(
    map_async,
    |n| range(0..n).map_async_on(&pool(), 4, Order::Source, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_ambient,
    |n| range(0..n).map_async(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_unordered,
    |n| range(0..n).map_async_unordered(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
