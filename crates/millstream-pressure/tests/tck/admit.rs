//! Policies that admit calls, as operators.

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{Breaker, BreakerConfig, FlowExt as _, Outcome};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn breaker() -> Breaker {
    Breaker::new("tck", BreakerConfig::default(), &VirtualTime::new()).expect("it is valid")
}

publisher_tests!(
    admit,
    |n| range(0..n).admit(&breaker()).map(|admitted| admitted.finish(Outcome::Success)),
    Capabilities::new()
);
publisher_tests!(try_admit, |n| range(0..n).try_admit(&breaker()), Capabilities::new());

#[test]
fn admit_keeps_the_rules_of_subscribers() {
    judge_relay("admit", |flow, _| {
        flow.admit(&breaker()).map(|admitted| admitted.finish(Outcome::Success)).boxed()
    });
}

#[test]
fn try_admit_keeps_the_rules_of_subscribers() {
    judge_relay("try_admit", |flow, _| {
        flow.try_admit(&breaker())
            .map(|decision| decision.expect("it is closed").finish(Outcome::Success))
            .boxed()
    });
}
