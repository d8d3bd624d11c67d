//! Operators for sources that do not wait to be asked under the TCK.

use millstream::{Overflow, just, range};
use reactive_streams_tck::{Capabilities, publisher_tests};

// What is lost for lack of demand is not there to be counted, so that a few items are enough; the
// rules are about what is delivered.
publisher_tests!(
    on_backpressure_buffer,
    |n| range(0..n).on_backpressure_buffer(100_000, Overflow::Fail),
    Capabilities::new().max_length(100_000)
);
publisher_tests!(
    on_backpressure_drop,
    |_| just(1).on_backpressure_drop(drop),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    on_backpressure_latest,
    |_| just(1).on_backpressure_latest(),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    on_backpressure_reduce,
    |_| just(1).on_backpressure_reduce(|a, b| a + b),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    on_backpressure_buffer_with,
    |n| range(0..n).on_backpressure_buffer_with(100_000, Overflow::Clear, drop),
    Capabilities::new().max_length(100_000)
);
