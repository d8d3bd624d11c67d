//! Polls and batches of a consumer, on demand.

use std::time::Duration;

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{
    BatchSizer, BatchSizerConfig, FlowExt as _, Lag, LagConfig, PollConfig, PollSizer,
};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn poll_sizer(workers: u32, time: &VirtualTime) -> PollSizer {
    PollSizer::new("tck", PollConfig { workers, ..PollConfig::default() }, time).expect("valid")
}

publisher_tests!(
    polls_whose_items_are_done_at_once,
    |n| range(0..n).size_polls(&poll_sizer(4, &VirtualTime::new())).map(|polled| polled.item),
    Capabilities::new()
);

#[test]
fn polls_keep_the_rules_of_subscribers() {
    judge_relay("size_polls", |flow, time| {
        flow.size_polls(&poll_sizer(4, time)).map(|polled| polled.item).boxed()
    });
}

fn batch_sizer(time: &VirtualTime) -> BatchSizer {
    let lag = Lag::new("tck", LagConfig::default(), time).expect("valid");
    let config = BatchSizerConfig { min: 1, max: 100, ..BatchSizerConfig::default() };
    BatchSizer::new("tck", config, lag, time).expect("valid")
}

publisher_tests!(
    batches_of_one,
    |n| {
        let time = VirtualTime::new();
        let batches = range(0..n).batch_sized(&time, &batch_sizer(&time), Duration::from_secs(1));
        batches.flat_map_iter(|batch| batch)
    },
    Capabilities::new()
);

#[test]
fn batches_keep_the_rules_of_subscribers() {
    judge_relay("batch_sized", |flow, time| {
        flow.batch_sized(time, &batch_sizer(time), Duration::from_secs(1))
            .flat_map_iter(|batch| batch)
            .boxed()
    });
}
