//! Who waits for whom, also when it is a circle.

use millstream::{Registry, never, range};
use millstream_observe::{Bound, StallReport};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerWindow, Outcome, Queue, QueueConfig, WhenFull,
};
use millstream_testkit::Probe;

use crate::inventory;

#[test]
fn a_full_stage_is_the_cause_and_those_above_wait() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let flow = range(0..u64::MAX)
        .inspect_demand("read", &registry)
        .map_async(16, |n| async move {
            std::future::pending::<()>().await;
            n
        })
        .inspect_demand("enrich", &registry);
    inventory.flow("main", &registry);
    inventory.bound(("main", "enrich"), Bound::items(16)).unwrap();
    let config =
        BreakerConfig { window: BreakerWindow::Count(1), min_calls: 1, ..BreakerConfig::default() };
    let bank = Breaker::new("bank", config, &time).unwrap();
    inventory.policy(&bank);
    inventory.guard("bank", ("main", "enrich")).unwrap();
    bank.try_acquire().unwrap().finish(Outcome::Failure);
    let probe = Probe::subscribe_to(flow);
    probe.request(3);
    // Futures are started on a worker.
    while inventory.snapshot().flows[0].stages[1].buffered != Some(16) {
        std::thread::yield_now();
    }

    let report = StallReport::of(&inventory.snapshot());

    assert_eq!(
        report.to_string(),
        "`enrich` has 16 of 16 in flight, all waiting behind breaker `bank`, which is open; \
         so `read` waits for demand\n"
    );
    assert_eq!(report.circles, Vec::<Vec<_>>::new());
}

#[test]
fn a_consumer_that_asks_for_nothing_is_the_cause() {
    let (_, inventory) = inventory();
    let (registry, _probe) = crate::two_stages();
    inventory.flow("main", &registry);
    let text =
        "what is below `write` asked for 0; so `write` waits for demand, `read` waits for demand\n";
    assert_eq!(StallReport::of(&inventory.snapshot()).to_string(), text);
}

#[test]
fn a_source_that_sends_nothing_is_the_cause() {
    let (_, inventory) = inventory();
    let registry = Registry::new();
    let flow = never::<u8>().inspect_demand("read", &registry).inspect_demand("write", &registry);
    inventory.flow("main", &registry);
    let probe = Probe::subscribe_to(flow);
    assert_eq!(StallReport::of(&inventory.snapshot()).to_string(), "", "nobody waits yet");
    probe.request(3);
    assert_eq!(
        StallReport::of(&inventory.snapshot()).to_string(),
        "`read` has asked its source, which sends none; so `write` waits for items\n"
    );
}

#[test]
fn a_circle_is_found_and_said_once() {
    let (time, inventory) = inventory();
    let config =
        || QueueConfig { capacity: 2, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let work = Queue::new("work", config(), &time).unwrap();
    let retries = Queue::new("retries", config(), &time).unwrap();
    inventory.policy(&work);
    inventory.policy(&retries);
    let mut probes = Vec::new();
    for (name, queue) in [("worker", &work), ("retrier", &retries)] {
        let registry = Registry::new();
        let flow = queue.flow().inspect_demand(name, &registry);
        inventory.flow(name, &registry);
        let probe = Probe::subscribe_to(flow);
        probe.request(1);
        probes.push(probe);
    }
    inventory.connect("work", "worker").unwrap();
    inventory.connect("worker", "retries").unwrap();
    inventory.connect("retries", "retrier").unwrap();
    inventory.connect("retrier", "work").unwrap();
    // Each passes one on, which nobody puts on, and both queues are full.
    for n in 0..3 {
        work.try_put(n).unwrap();
        retries.try_put(n).unwrap();
    }

    let report = StallReport::of(&inventory.snapshot());

    assert_eq!(report.circles.len(), 1, "{report:?}");
    assert_eq!(
        report.to_string(),
        "a circle: `retries` is full with 2 items → `retrier/retrier` waits for demand → \
         `work` is full with 2 items → `worker/worker` waits for demand → `retries`\n"
    );
    probes.iter().for_each(|probe| probe.request(1));
    assert_eq!(StallReport::of(&inventory.snapshot()).circles.len(), 0);
}
