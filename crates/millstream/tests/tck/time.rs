//! Operators that know what time it is under the TCK, by a clock that the TCK drives.

use std::time::Duration;

use millstream::{
    Flow, MissedTick, Publisher, interval, just, range,
    scheduler::{Pool, VirtualTime},
    timer,
};
use reactive_streams_tck::{Capabilities, Driven, publisher_tests};

const TICK: Duration = Duration::from_nanos(1);
pub(crate) const LONG: Duration = Duration::from_secs(1);

/// A flow on a clock that moves a second whenever it is driven.
pub(crate) fn timed<P: Publisher>(
    make: impl FnOnce(&VirtualTime) -> Flow<P>,
) -> Driven<Flow<P>, impl Fn() + Send> {
    let clock = VirtualTime::new();
    Driven(make(&clock), move || clock.advance(LONG))
}

publisher_tests!(
    interval,
    |_| timed(move |clock| interval(clock, TICK, MissedTick::Burst)),
    Capabilities::new().exact_length(u64::MAX).never_completes()
);
publisher_tests!(
    timer,
    |_| timed(move |clock| timer(clock, LONG)),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    timer_on_a_thread,
    |_| timer(&Pool::new(1), Duration::from_millis(1)),
    Capabilities::new().exact_length(1).asynchronous()
);
publisher_tests!(delay, |n| timed(move |clock| range(0..n).delay(clock, TICK, 1_000_000)));
publisher_tests!(timeout, |n| timed(move |clock| range(0..n).timeout(clock, LONG)));
publisher_tests!(timeout_with, |n| timed(move |clock| {
    millstream::never().timeout_with(clock, TICK, range(0..n))
}));
publisher_tests!(keep_alive, |n| timed(move |clock| range(0..n).keep_alive(clock, LONG, || 0)));
publisher_tests!(throttle, |n| timed(move |clock| range(0..n).throttle(clock, 1_000_000, LONG)));
publisher_tests!(throttle_first, |n| timed(move |clock| {
    range(0..n).throttle_first(clock, Duration::ZERO)
}));
publisher_tests!(timeout_first, |n| timed(move |clock| range(0..n).timeout_first(clock, LONG)));
publisher_tests!(timeout_total, |n| timed(move |clock| {
    range(0..n).timeout_total(clock, Duration::from_secs(1 << 40))
}));
publisher_tests!(delay_subscription, |n| timed(move |clock| {
    range(0..n).delay_subscription(clock, TICK)
}));
publisher_tests!(
    throttle_latest,
    |_| timed(move |clock| just(1).throttle_latest(clock, TICK)),
    Capabilities::new().exact_length(1)
);
publisher_tests!(throttle_weighted, |n| timed(move |clock| range(0..n).throttle_weighted(
    clock,
    3_000_000,
    LONG,
    |_| 3
)));
publisher_tests!(timeout_demand, |n| timed(
    move |clock| range(0..n).timeout_demand(clock, Duration::MAX)
));
publisher_tests!(
    buffer_timeout_weighted,
    |n| timed(move |clock| range(0..n).buffer_timeout_weighted(clock, 3, 5, LONG, |_| 3)),
    Capabilities::new().max_length(1_000_000)
);
publisher_tests!(timestamp, |n| timed(move |clock| range(0..n).timestamp(clock)));
publisher_tests!(elapsed, |n| timed(move |clock| range(0..n).elapsed(clock)));
publisher_tests!(
    debounce,
    |_| timed(move |clock| just(1).debounce(clock, TICK)),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    sample,
    |_| timed(move |clock| just(1).sample(clock, TICK)),
    Capabilities::new().exact_length(1)
);
publisher_tests!(
    buffer_timeout,
    |n| timed(move |clock| range(0..n).buffer_timeout(clock, 1, LONG)),
    Capabilities::new().max_length(1_000_000)
);
