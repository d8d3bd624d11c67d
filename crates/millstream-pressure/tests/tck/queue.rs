//! Queues as flows and as operators.

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{FlowExt as _, Queue, QueueConfig, WhenFull};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::stage::judge_relay;

fn queue(capacity: usize, when_full: WhenFull) -> Queue<u64> {
    let config = QueueConfig { capacity, when_full, ..QueueConfig::default() };
    Queue::new("tck", config, &VirtualTime::new()).expect("it is valid")
}

publisher_tests!(
    a_queue_whose_producers_wait,
    |n| range(0..n).queue(&queue(4, WhenFull::Wait)),
    Capabilities::new()
);
publisher_tests!(
    a_queue_that_drops,
    |n| range(0..n).queue(&queue(100_000, WhenFull::DropOldest)),
    Capabilities::new().max_length(100_000)
);
publisher_tests!(
    a_flow_of_a_queue,
    |n| {
        let queue = queue(100_000, WhenFull::Reject);
        (0..n).for_each(|item| queue.try_put(item).expect("there is room"));
        queue.close();
        queue.flow()
    },
    Capabilities::new().max_length(100_000)
);

#[test]
fn a_queue_whose_producers_wait_keeps_the_rules_of_subscribers() {
    judge_relay("queue", |flow, _| flow.queue(&queue(4, WhenFull::Wait)).boxed());
}

#[test]
fn a_queue_that_drops_keeps_the_rules_of_subscribers() {
    judge_relay("queue_that_drops", |flow, _| {
        flow.queue(&queue(200_000, WhenFull::DropOldest)).boxed()
    });
}
