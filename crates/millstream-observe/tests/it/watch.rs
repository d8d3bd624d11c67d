//! Rates, roles, verdicts and events, by a clock of its own.

use std::time::Duration;

use millstream::{Registry, never, range, scheduler::VirtualTime};
use millstream_observe::{Bound, Role, Severity, View, Watch};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerWindow, Outcome, Policy as _, Queue, QueueConfig, WhenFull,
};
use millstream_testkit::Probe;

use crate::inventory;

/// Looks once a second, until what it remembers has gone.
fn settle(watch: &mut Watch, time: &VirtualTime) -> View {
    (0..9).for_each(|_| drop(look(watch, time)));
    look(watch, time)
}

fn look(watch: &mut Watch, time: &VirtualTime) -> View {
    time.advance(Duration::from_secs(1));
    watch.look()
}

fn texts(view: &View) -> Vec<&str> {
    view.events.iter().map(|event| &*event.text).collect()
}

#[test]
fn a_rate_is_what_came_in_the_time() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let probe = Probe::subscribe_to(range(0..).inspect_demand("numbers", &registry));
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();
    watch.look();

    probe.request(250);
    assert_eq!(look(&mut watch, &time).flows[0].stages[0].per_second, 250.0);
    for _ in 0..20 {
        probe.request(100);
        look(&mut watch, &time);
    }
    probe.request(100);
    let rate = look(&mut watch, &time).flows[0].stages[0].per_second;
    assert!((rate - 100.0).abs() < 0.1, "{rate}");
    (0..30).for_each(|_| drop(look(&mut watch, &time)));
    assert_eq!(look(&mut watch, &time).flows[0].stages[0].per_second, 0.0);
}

#[test]
fn what_came_while_no_time_passed_is_not_lost() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let probe = Probe::subscribe_to(range(0..).inspect_demand("numbers", &registry));
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();
    watch.look();
    probe.request(5);
    watch.look();

    assert_eq!(look(&mut watch, &time).flows[0].stages[0].per_second, 5.0);
}

#[test]
fn a_flow_that_begins_anew_has_no_negative_rate() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let flow = range(0..).inspect_demand("numbers", &registry);
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();
    let first = Probe::subscribe_to(flow.clone());
    first.request(100);
    watch.look();

    Probe::subscribe_to(flow).request(7);

    assert_eq!(look(&mut watch, &time).flows[0].stages[0].per_second, 7.0);
}

#[test]
fn a_consumer_that_asks_for_no_more_sets_the_pace() {
    let (time, inventory) = inventory();
    let (registry, _probe) = crate::two_stages();
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();

    let view = settle(&mut watch, &time);

    let flow = &view.flows[0];
    assert_eq!(flow.consumer, Role::Bottleneck);
    assert!(flow.stages.iter().all(|stage| stage.role == Role::HeldBack));
    let verdict = flow.verdict.as_ref().unwrap();
    assert_eq!(verdict.culprit, None);
    let text = "the consumer below `write` asks for no more; so `read`, `write` wait for demand";
    assert_eq!(verdict.text, text);
}

#[test]
fn a_source_that_has_nothing_is_only_slow() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let flow = never::<u8>().inspect_demand("read", &registry).inspect_demand("write", &registry);
    inventory.flow("main", &registry);
    let probe = Probe::subscribe_to(flow);
    let mut watch = inventory.watch();
    probe.request(3);

    let view = settle(&mut watch, &time);

    let flow = &view.flows[0];
    assert_eq!(flow.stages[0].role, Role::Source);
    assert_eq!((flow.stages[1].role, flow.consumer), (Role::Starved, Role::Starved));
    assert_eq!(flow.verdict.as_ref().unwrap().text, "`read` sends as much as it has");
}

#[test]
fn a_stage_that_is_asked_and_does_not_ask_is_the_bottleneck() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    // Holds what it gets for ever.
    let flow = range(0..)
        .inspect_demand("read", &registry)
        .map_async(16, |n: u64| async move {
            std::future::pending::<()>().await;
            n
        })
        .inspect_demand("enrich", &registry);
    inventory.flow("main", &registry);
    inventory.bound(("main", "enrich"), Bound::items(16)).unwrap();
    let config =
        BreakerConfig { window: BreakerWindow::Count(2), min_calls: 2, ..BreakerConfig::default() };
    let bank = Breaker::new("bank", config, &time).unwrap();
    inventory.policy(&bank);
    inventory.guard("bank", ("main", "enrich")).unwrap();
    let mut watch = inventory.watch();
    let probe = Probe::subscribe_to(flow);
    probe.request(3);
    while registry.stages()[0].delivered < 16 {
        std::thread::yield_now();
    }

    let view = settle(&mut watch, &time);

    let flow = &view.flows[0];
    let roles = (flow.stages[0].role, flow.stages[1].role, flow.consumer);
    assert_eq!(roles, (Role::HeldBack, Role::Bottleneck, Role::Starved));
    let verdict = flow.verdict.as_ref().unwrap();
    assert_eq!(verdict.culprit.as_deref(), Some("enrich"));
    let text =
        "`enrich` holds 16 of at most 16 items, and asks for no more; so `read` waits for demand";
    assert_eq!(verdict.text, text);

    // The policy in front of it is named when it is not as it should be.
    for _ in 0..2 {
        bank.try_acquire().unwrap().finish(Outcome::Failure);
    }
    let view = look(&mut watch, &time);
    let verdict = view.flows[0].verdict.as_ref().unwrap();
    assert_eq!(verdict.policy.as_deref(), Some("bank"));
    let text = "`enrich` holds 16 of at most 16 items, and asks for no more, behind breaker `bank`: \
                open (100 % of 2 calls failed, 0 % were slow); so `read` waits for demand";
    assert_eq!(verdict.text, text);
}

#[test]
fn a_role_outlives_a_single_look() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let probe = Probe::subscribe_to(never::<u8>().inspect_demand("numbers", &registry));
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();
    let consumer = |watch: &mut Watch| look(watch, &time).flows[0].consumer;
    assert_eq!(consumer(&mut watch), Role::Idle);

    // It was not asked until now.
    probe.request(1);
    assert_eq!(consumer(&mut watch), Role::Bottleneck);
    assert_eq!(consumer(&mut watch), Role::Starved);
}

#[test]
fn what_happens_is_said_once() {
    let (time, inventory) = inventory();
    let config =
        QueueConfig { capacity: 10, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let queue = Queue::new("orders", config.clone(), &time).unwrap();
    inventory.policy(&queue);
    let mut watch = inventory.watch();
    watch.look();
    let mut all = Vec::new();
    let mut seconds = |watch: &mut Watch, n: usize| {
        for _ in 0..n {
            let view = look(watch, &time);
            all.extend(view.events.into_iter().map(|event| (event.severity, event.text)));
        }
        std::mem::take(&mut all)
    };

    (0..10).for_each(|n| queue.try_put(n).unwrap());
    let full = (Severity::Critical, "full: 10 of 10 places are taken: new items are refused");
    assert_eq!(seconds(&mut watch, 5), [(full.0, full.1.to_owned())]);

    // It is nearly full and full again: nothing new.
    for n in 0..5 {
        assert!(queue.try_take().is_some());
        assert_eq!(seconds(&mut watch, 1), []);
        queue.try_put(n).unwrap();
        assert_eq!(seconds(&mut watch, 1), []);
    }

    while queue.try_take().is_some() {}
    assert_eq!(seconds(&mut watch, 10), [(Severity::Normal, "empty".to_owned())]);

    queue.reconfigure(QueueConfig { capacity: 20, ..config }).unwrap();
    let text = "reconfigured: capacity 10 → 20".to_owned();
    assert_eq!(seconds(&mut watch, 2), [(Severity::Normal, text)]);
}

#[test]
fn an_end_and_a_new_culprit_are_said() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let probe = Probe::subscribe_to(range(0..9).inspect_demand("numbers", &registry));
    inventory.flow("main", &registry);
    let mut watch = inventory.watch();
    watch.look();
    probe.request(3);
    let said: Vec<String> =
        (0..6).flat_map(|_| look(&mut watch, &time).events).map(|event| event.text).collect();
    assert_eq!(said, ["the consumer sets the pace"]);

    probe.request(9);
    assert_eq!(texts(&look(&mut watch, &time)), ["the flow has completed"]);
    assert_eq!(look(&mut watch, &time).events, []);
}
