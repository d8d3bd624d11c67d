//! Lanes: as a flow, and as what merges flows.

use millstream::{empty, range, scheduler::VirtualTime};
use millstream_pressure::{LaneConfig, Lanes, LanesConfig, QueueConfig};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::stage::judge_relay;

fn lanes(capacity: usize) -> Lanes<u64> {
    let queue = QueueConfig { capacity, ..QueueConfig::default() };
    let lane = |name: &str| LaneConfig { queue: queue.clone(), ..LaneConfig::new(name, 1) };
    let config = LanesConfig { lanes: vec![lane("a"), lane("b")], ..LanesConfig::default() };
    Lanes::new("tck", config, &VirtualTime::new()).expect("it is valid")
}

publisher_tests!(
    lanes_that_merge_flows,
    |n| lanes(4).merge([range(0..n / 2), range(n / 2..n)]).expect("there are two"),
    Capabilities::new().numbering(Numbering::Any)
);
publisher_tests!(
    a_flow_of_lanes,
    |n| {
        let lanes = lanes(100_000);
        (0..n).for_each(|item| lanes.lane(0).try_put(item).expect("there is room"));
        lanes.close();
        lanes.flow()
    },
    Capabilities::new().max_length(100_000)
);

#[test]
fn lanes_keep_the_rules_of_subscribers() {
    judge_relay("lanes", |flow, _| {
        let sources = [flow.boxed(), empty().boxed()];
        lanes(4).merge(sources).expect("there are two").boxed()
    });
}
