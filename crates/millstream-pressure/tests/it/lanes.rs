//! Lanes: what is urgent is served first, and each lane gets its share.

use std::time::Duration;

use millstream::{Error, ErrorKind, Flow, assert_bounded, range, scheduler::VirtualTime};
use millstream_pressure::{
    LaneConfig, Lanes, LanesConfig, Policy as _, PressureSource as _, QueueConfig, QueueHooks,
    Settings as _, WhenFull,
};
use millstream_testkit::{Probe, Puppet};

fn lanes(config: LanesConfig) -> Lanes<u64> {
    Lanes::new("test", config, &VirtualTime::new()).unwrap()
}

/// Two lanes with these weights.
fn two(first: u32, second: u32) -> LanesConfig {
    let lanes = vec![LaneConfig::new("first", first), LaneConfig::new("second", second)];
    LanesConfig { lanes, ..LanesConfig::default() }
}

#[test]
fn what_is_urgent_waits_for_the_floor_alone() {
    let lanes = lanes(LanesConfig { floor: 0.1, ..LanesConfig::default() });
    for n in 0..500 {
        lanes.lane(0).try_put(n).unwrap();
        lanes.lane(1).try_put(n).unwrap();
    }
    let taken: Vec<usize> = (0..500).map(|_| lanes.try_take().unwrap().lane).collect();
    assert_eq!(taken.iter().filter(|&&lane| lane == 1).count(), 50);
    // No two of the others in a row while something urgent waits.
    assert!(taken.windows(2).all(|pair| pair != [1, 1]));
}

#[test]
fn a_full_lane_holds_up_its_own_producers_alone() {
    let small = QueueConfig { capacity: 1, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let mut config = two(1, 1);
    config.lanes[0].queue = small;
    let lanes = lanes(config);
    lanes.lane(0).try_put(1).unwrap();
    assert!(lanes.lane(0).try_put(2).is_err());
    lanes.lane_named("second").unwrap().try_put(3).unwrap();
    assert!(lanes.lane_named("third").is_none());
    assert_eq!(lanes.pressure().unwrap().level(), 1.0);

    let snapshot = lanes.snapshot();
    assert_eq!(snapshot.lanes[0].queue.balance.total_dropped(), 1);
    assert_eq!(snapshot.lanes[1].queue.items, 1);
}

#[test]
fn shares_are_of_what_items_weigh() {
    let mut config = two(1, 1);
    for lane in &mut config.lanes {
        lane.queue.max_weight = Some(1_000_000);
    }
    let hooks = |lane| QueueHooks::new().weigh(move |_: &u64| if lane == 0 { 30 } else { 10 });
    let lanes = Lanes::with_hooks("test", config, &VirtualTime::new(), hooks).unwrap();
    for n in 0..400 {
        lanes.lane(0).try_put(n).unwrap();
        lanes.lane(1).try_put(n).unwrap();
    }
    (0..400).for_each(|_| assert!(lanes.try_take().is_some()));
    let served: Vec<u64> = lanes.snapshot().lanes.iter().map(|lane| lane.served).collect();
    assert_eq!(served, [100, 300]);
}

#[test]
fn sources_are_merged_by_weight_and_none_starves_the_others() {
    let merged =
        assert_bounded(lanes(two(4, 1)).merge([range(0..1_000), range(1_000..2_000)]).unwrap());
    let all: Vec<u64> = merged.collect().wait().unwrap();
    assert_eq!(all.len(), 2_000);
    let first = all[..1_000].iter().filter(|&&n| n < 1_000).count();
    assert_eq!(first, 800);
    for lane in [0..1_000_u64, 1_000..2_000] {
        assert!(all.iter().filter(|n| lane.contains(*n)).copied().eq(lane.clone()), "in order");
    }
}

#[test]
fn a_strict_source_leaves_the_others_their_floor() {
    let config = LanesConfig { floor: 0.25, ..LanesConfig::default() };
    let merged = lanes(config).merge([range(0..10_000), range(10_000..20_000)]).unwrap();
    let first: Vec<u64> = merged.take(1_000).collect().wait().unwrap();
    assert_eq!(first.iter().filter(|&&n| n >= 10_000).count(), 250);
}

#[test]
fn each_source_is_asked_for_what_its_lane_has_room_for() {
    let mut config = two(1, 1);
    config.lanes[0].queue.capacity = 3;
    config.lanes[1].queue.capacity = 5;
    let lanes = lanes(config);
    let (first, first_source) = Puppet::new();
    let (second, second_source) = Puppet::new();
    let sources = [Flow::from(first_source), Flow::from(second_source)];
    let probe = Probe::subscribe_to(lanes.merge(sources).unwrap());
    assert_eq!((first.requested().get(), second.requested().get()), (0, 0));
    probe.request(1);
    assert_eq!((first.requested().get(), second.requested().get()), (3, 5));

    (0..5).for_each(|n| second.next(n).unwrap());
    assert_eq!(probe.items(), [0]);
    first.next(7).unwrap();
    probe.request(9);
    assert_eq!(probe.items().len(), 6);
    first.complete();
    assert!(!probe.is_completed());
    second.complete();
    assert!(probe.is_completed());
}

#[test]
fn the_first_error_is_passed_on_and_cancels_the_others() {
    let lanes = lanes(two(1, 1));
    let (first, first_source) = Puppet::new();
    let (second, second_source) = Puppet::new();
    let sources = [Flow::from(first_source), Flow::from(second_source)];
    let probe = Probe::subscribe_to(lanes.merge(sources).unwrap());
    probe.request(5);
    first.next(1).unwrap();
    first.fail(Error::new(ErrorKind::Other, "broken"));
    assert_eq!(probe.items(), [1]);
    assert!(probe.error().is_some());
    assert!(second.is_canceled());
}

#[test]
fn a_cancel_reaches_all_sources() {
    let lanes = lanes(two(1, 1));
    let (first, first_source) = Puppet::new();
    let (second, second_source) = Puppet::new();
    let sources = [Flow::from(first_source), Flow::from(second_source)];
    let probe = Probe::<u64>::subscribe_to(lanes.merge(sources).unwrap());
    probe.request(1);
    probe.cancel();
    assert!(first.is_canceled() && second.is_canceled());
}

#[test]
fn flows_of_the_same_lanes_share_what_comes() {
    let lanes = lanes(two(1, 1));
    let (one, other) = (Probe::subscribe_to(lanes.flow()), Probe::subscribe_to(lanes.flow()));
    one.request(1);
    other.request(1);
    lanes.lane(0).try_put(1).unwrap();
    lanes.lane(1).try_put(2).unwrap();
    assert_eq!((one.items().len(), other.items().len()), (1, 1));
    lanes.close();
    assert!(one.is_completed() && other.is_completed());
}

#[test]
fn weights_change_and_names_do_not() {
    let lanes = lanes(two(1, 1));
    lanes.reconfigure(two(9, 1)).unwrap();
    for n in 0..100 {
        lanes.lane(0).try_put(n).unwrap();
        lanes.lane(1).try_put(n).unwrap();
    }
    (0..100).for_each(|_| assert!(lanes.try_take().is_some()));
    assert_eq!(lanes.snapshot().lanes[0].served, 90);

    let error = lanes.reconfigure(LanesConfig::default()).unwrap_err();
    assert_eq!(error.setting(), "lanes");
    assert!(lanes.merge([range(0..1)]).is_err());
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let queue = QueueConfig { timeout: Duration::ZERO, ..QueueConfig::default() };
    for (config, name) in [
        (LanesConfig { lanes: Vec::new(), ..LanesConfig::default() }, "lanes"),
        (LanesConfig { floor: f64::NAN, ..two(1, 1) }, "floor"),
        (LanesConfig { floor: -0.1, ..two(1, 1) }, "floor"),
        (two(0, 1), "lanes.weight"),
        (
            LanesConfig {
                lanes: vec![LaneConfig::new("a", 1), LaneConfig::new("a", 1)],
                floor: 0.0,
            },
            "lanes.name",
        ),
        (
            LanesConfig { lanes: vec![LaneConfig { queue, ..LaneConfig::default() }], floor: 0.0 },
            "timeout",
        ),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}
