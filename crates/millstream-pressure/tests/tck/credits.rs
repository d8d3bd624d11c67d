//! Credits on demand.

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{Credits, CreditsConfig, FlowExt as _};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn credits(n: u64) -> Credits {
    Credits::new("tck", CreditsConfig::fixed(n), &VirtualTime::new()).expect("it is valid")
}

publisher_tests!(
    credits_that_come_back_at_once,
    |n| range(0..n).credits(&credits(4)).map(|credited| credited.item),
    Capabilities::new()
);

#[test]
fn credits_keep_the_rules_of_subscribers() {
    judge_relay("credits", |flow, _| {
        flow.credits(&credits(4)).map(|credited| credited.item).boxed()
    });
}
