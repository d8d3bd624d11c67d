//! Retries with a budget, as an operator.

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{FlowExt as _, RetryBudget, RetryConfig};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn budget(time: &VirtualTime) -> RetryBudget {
    RetryBudget::new("tck", RetryConfig::default(), time).expect("it is valid")
}

publisher_tests!(
    retry_with_budget,
    |n| {
        let time = VirtualTime::new();
        range(0..n).retry_with_budget(&time, &budget(&time), |_| true)
    },
    Capabilities::new()
);

#[test]
fn retry_with_budget_keeps_the_rules_of_subscribers() {
    judge_relay("retry_with_budget", |flow, time| {
        flow.retry_with_budget(time, &budget(time), |_| false).boxed()
    });
}
