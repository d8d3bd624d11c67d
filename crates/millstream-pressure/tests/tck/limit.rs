//! Concurrency limits as operators.

use millstream::{
    range,
    scheduler::{Scheduler, VirtualTime, shared},
};
use millstream_pressure::{Algorithm, ConcurrencyLimit, FlowExt as _, LimitConfig, Outcome};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn limit(algorithm: Algorithm, scheduler: &impl Scheduler) -> ConcurrencyLimit {
    let config = LimitConfig { algorithm, ..LimitConfig::default() };
    ConcurrencyLimit::new("tck", config, scheduler).expect("it is valid")
}

publisher_tests!(
    map_async_limited,
    |n| range(0..n)
        .map_async_limited(&limit(Algorithm::default(), &VirtualTime::new()), |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_limited_on,
    |n| range(0..n).map_async_limited_on(
        shared(),
        &limit(Algorithm::Fixed(3), &VirtualTime::new()),
        |_| Outcome::Success,
        |n| async move { n }
    ),
    Capabilities::new().asynchronous()
);

#[test]
fn a_limit_keeps_the_rules_of_subscribers() {
    judge_relay("map_async_limited", |flow, clock| {
        let limit = limit(Algorithm::Fixed(4), clock);
        let outcome_of = |_: &u64| Outcome::Success;
        flow.map_async_limited_on(clock, &limit, outcome_of, |n| async move { n }).boxed()
    });
}
