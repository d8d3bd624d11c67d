//! What the stages of a flow have asked for and received, and which of them holds it up.

use std::{future::pending, time::Duration};

use millstream::{
    Error, Flow, Holder, LastSignal, Order, Registry, error, from_iter, range,
    scheduler::{Pool, VirtualTime},
    stalls,
};
use millstream_testkit::{Probe, Puppet};

const AFTER: Duration = Duration::from_secs(3);

#[test]
fn a_stage_counts_what_is_asked_for_what_comes_and_what_is_dropped() {
    let registry = Registry::new();
    let flow = range(0..9)
        .inspect_demand("above", &registry)
        .filter(|n| n % 2 == 1)
        .inspect_demand("below", &registry);
    assert!(registry.stages().iter().all(|stage| stage.last == LastSignal::None));
    let probe = Probe::subscribe_to(flow);

    probe.request(2);

    let [above, below] = &registry.stages()[..] else { panic!("{registry}") };
    assert_eq!((above.requested, above.delivered, above.skipped), (2, 4, 2));
    assert_eq!((below.requested, below.delivered, below.skipped), (2, 2, 0));
    assert_eq!((above.outstanding, below.outstanding, below.buffered), (0, 0, Some(0)));
    probe.request(u64::MAX);
    let ends: Vec<_> = registry.stages().iter().map(|stage| stage.last).collect();
    assert_eq!(ends, [LastSignal::Complete; 2]);
}

#[test]
fn every_end_is_told_apart_and_leaves_nothing_outstanding() {
    let registry = Registry::new();
    let failing = error::<u8>(Error::message("no")).inspect_demand("failed", &registry);
    assert!(failing.count().wait().is_err());
    let taken = range(0..9).inspect_demand("taken", &registry).take(2);
    assert_eq!(taken.count().wait().unwrap(), 2);
    let probe = Probe::subscribe_to(range(0..9).inspect_demand("canceled", &registry));
    probe.cancel();

    let stages = registry.stages();

    let ends: Vec<_> = stages.iter().map(|stage| stage.last).collect();
    assert_eq!(ends, [LastSignal::Error, LastSignal::Cancel, LastSignal::Cancel]);
    assert!(stages.iter().all(|stage| stage.outstanding == 0));
}

#[test]
fn a_subscription_begins_anew() {
    let registry = Registry::new();
    let flow = range(0..3).inspect_demand("here", &registry);
    for _ in 0..2 {
        assert_eq!(flow.clone().count().wait().unwrap(), 3);
        assert_eq!(registry.stages()[0].delivered, 3);
    }
}

#[test]
fn a_registry_is_a_table() {
    let registry = Registry::new();
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher)
        .inspect_demand("source", &registry)
        .limit_rate(4)
        .inspect_demand("consumer", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    (0..3).for_each(|n| puppet.next(n).unwrap());

    let table = registry.to_string();

    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["source", "4", "3", "1", "-", "item"]);
    assert_eq!(rows[2], ["consumer", "1", "1", "0", "2", "item"]);
    assert!(table.lines().all(|line| line.find("last").is_none_or(|at| at > 60)), "{table}");
    let endless = Probe::subscribe_to(range(0..1).inspect_demand("all", &registry));
    endless.request(u64::MAX);
    assert!(registry.to_string().contains("unbounded"));
}

#[test]
fn a_stage_is_read_while_it_runs_and_never_shows_more_than_was_asked_for() {
    let registry = Registry::new();
    let pool = Pool::new(1);
    let flow = range(0..100_000).inspect_demand("source", &registry).publish_on(&pool).capacity(8);
    let count = flow.inspect_demand("end", &registry).count();
    let mut n_looks = 0;
    while registry.stages()[1].last != LastSignal::Complete {
        for stage in registry.stages() {
            assert!(stage.delivered <= stage.requested, "{registry}");
        }
        n_looks += 1;
    }

    assert!(n_looks > 0);
    assert_eq!(count.wait().unwrap(), 100_000);
}

#[test]
fn a_source_that_owes_is_named() {
    let (clock, registry) = (VirtualTime::new(), Registry::new());
    let mut stalls = stalls(&registry, &clock, AFTER);
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher)
        .inspect_demand("a", &registry)
        .map(|n: u8| n)
        .inspect_demand("b", &registry);
    let probe = Probe::subscribe_to(flow);
    clock.advance(AFTER * 2);
    assert_eq!(stalls.look(), None, "the first look has nothing to compare with");
    clock.advance(AFTER * 2);
    assert_eq!(stalls.look(), None, "nothing has passed");
    probe.request(3);
    assert_eq!(stalls.look(), None);
    clock.advance(AFTER - Duration::from_nanos(1));
    assert_eq!(stalls.look(), None);
    puppet.next(1).unwrap();
    clock.advance(AFTER);
    assert_eq!(stalls.look(), None, "an item has come since");
    clock.advance(AFTER);

    let stall = stalls.look().unwrap();

    assert_eq!(stall.holder, Holder::Source { below: "a".into(), owed: 2 });
    assert_eq!(stall.since, AFTER);
    puppet.complete();
    clock.advance(AFTER);
    assert_eq!((stalls.look(), stalls.look()), (None, None));
}

#[test]
fn a_stage_that_sits_on_items_is_named() {
    let (clock, registry) = (VirtualTime::new(), Registry::new());
    let mut stalls = stalls(&registry, &clock, AFTER);
    let flow = range(0..9)
        .inspect_demand("numbers", &registry)
        .map_async_on(&clock, 4, Order::Source, |_| pending::<u8>())
        .inspect_demand("replies", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(2);
    clock.run();
    assert_eq!(stalls.look(), None);
    clock.advance(AFTER);

    let stall = stalls.look().unwrap();

    let (above, below) = ("numbers".into(), "replies".into());
    assert_eq!(stall.holder, Holder::Between { above, below, owed: 2, buffered: Some(4) });
    assert_eq!(
        stall.to_string(),
        "what is between `numbers` and `replies` was asked for 2 items and has neither sent nor \
         asked for any for 3s; it holds 4"
    );
}

#[test]
fn a_consumer_that_does_not_ask_is_named() {
    let (clock, registry) = (VirtualTime::new(), Registry::new());
    let mut stalls = stalls(&registry, &clock, AFTER);
    let flow = from_iter(0..9).limit_rate(4).inspect_demand("end", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    assert_eq!(stalls.look(), None);
    clock.advance(AFTER);

    let stall = stalls.look().unwrap();

    assert_eq!(stall.holder, Holder::Consumer { above: "end".into() });
    assert_eq!(stall.to_string(), "what is below `end` has asked for nothing for 3s");
}
