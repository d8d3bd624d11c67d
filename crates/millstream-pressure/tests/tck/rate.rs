//! Rates on demand.

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{
    AdaptiveRate, AdaptiveRateConfig, FlowExt as _, Outcome, RateConfig, RateLimit,
};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn limit(rate: f64, burst: u64, time: &VirtualTime) -> RateLimit {
    RateLimit::new("tck", RateConfig { rate, burst }, time).expect("it is valid")
}

publisher_tests!(
    a_rate_that_is_not_reached,
    |n| range(0..n).rate_limit(&limit(1e9, 1 << 40, &VirtualTime::new())),
    Capabilities::new()
);

#[test]
fn a_rate_keeps_the_rules_of_subscribers() {
    judge_relay("rate_limit", |flow, time| flow.rate_limit(&limit(1e6, 1 << 20, time)).boxed());
}

fn adaptive(time: &VirtualTime) -> AdaptiveRate {
    let config = AdaptiveRateConfig { burst: 1 << 40, ..AdaptiveRateConfig::default() };
    AdaptiveRate::new("tck", config, time).expect("it is valid")
}

publisher_tests!(
    an_adaptive_rate_that_is_not_reached,
    |n| {
        let rate = adaptive(&VirtualTime::new());
        range(0..n).adaptive_rate(&rate).map(|item| item.finish(Outcome::Success))
    },
    Capabilities::new()
);

#[test]
fn an_adaptive_rate_keeps_the_rules_of_subscribers() {
    judge_relay("adaptive_rate", |flow, time| {
        let rate = adaptive(time);
        flow.adaptive_rate(&rate).map(|item| item.finish(Outcome::Success)).boxed()
    });
}
