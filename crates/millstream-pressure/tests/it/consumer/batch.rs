//! Batches sized by pressure.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{
    BatchSizer, BatchSizerConfig, BrokerConfig, Delivery, FlowExt as _, MemoryBroker, Policy as _,
    Pressure, PressureSource, Settings as _,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// A pressure that is set.
#[derive(Clone, Default)]
struct Set(Arc<Mutex<Option<Pressure>>>);

impl Set {
    fn to(&self, level: f64, time: &VirtualTime) {
        *self.0.lock().unwrap() = Pressure::new(level, time.now());
    }
}

impl PressureSource for Set {
    fn pressure(&self) -> Option<Pressure> {
        *self.0.lock().unwrap()
    }
}

fn sizer(config: BatchSizerConfig, time: &VirtualTime) -> (BatchSizer, Set) {
    let set = Set::default();
    (BatchSizer::new("test", config, set.clone(), time).unwrap(), set)
}

#[test]
fn batches_grow_from_a_hundred_to_ten_thousand_by_pressure_and_shrink_again() {
    let time = VirtualTime::new();
    let (sizer, pressure) = sizer(BatchSizerConfig::default(), &time);
    let settled = |level| {
        for _ in 0..20 {
            pressure.to(level, &time);
            time.advance(SECOND);
            let _still_moves = sizer.size();
        }
        sizer.size()
    };
    let sizes = [0.0, 0.2, 0.5, 0.8, 1.0, 0.5, 0.0].map(settled);
    assert_eq!(sizes, [100, 100, 1_000, 10_000, 10_000, 1_000, 100]);
}

#[test]
fn one_reading_decides_nothing_and_a_stale_one_is_none() {
    let time = VirtualTime::new();
    let (sizer, pressure) = sizer(BatchSizerConfig::default(), &time);
    pressure.to(1.0, &time);
    assert_eq!(sizer.size(), 100);
    time.advance(SECOND);
    assert_eq!((sizer.size(), sizer.size()), (200, 200));
    time.advance(SECOND / 2);
    assert_eq!(sizer.size(), 283);
    // The reading is too old at 15 s.
    time.advance(100 * SECOND);
    assert_eq!(sizer.size(), 100);
    assert_eq!(sizer.snapshot().size, 100);
}

#[test]
fn a_flow_is_grouped_by_the_size_at_the_first_item_of_each() {
    let time = VirtualTime::new();
    let config = BatchSizerConfig { min: 2, max: 8, ..BatchSizerConfig::default() };
    let (sizer, pressure) = sizer(config, &time);
    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    let flow = broker.flow().batch_sized(&time, &sizer, SECOND).map(Delivery::batch);
    let probe = Probe::subscribe_to(flow);
    probe.request(10);
    broker.publish_all(0..3);
    assert_eq!(probe.n_items(), 1);
    time.advance(SECOND);
    assert_eq!(probe.n_items(), 2, "the second is old enough");
    pressure.to(1.0, &time);
    time.advance(5 * SECOND);
    broker.publish_all(3..11);
    let batches = probe.take_items();
    let items: Vec<_> = batches.iter().map(|batch| batch.payload.clone()).collect();
    assert_eq!(items, [vec![0, 1], vec![2], vec![3, 4, 5, 6, 7, 8, 9, 10]]);
    batches.into_iter().for_each(Delivery::ack);
    assert_eq!(broker.snapshot().acked, 11);
}

#[test]
fn a_group_that_was_begun_is_passed_on_at_the_end_and_given_back_after_a_cancel() {
    let time = VirtualTime::new();
    let (sizer, _) = sizer(BatchSizerConfig { min: 4, ..BatchSizerConfig::default() }, &time);
    let groups = range(0..10_u32).batch_sized(&time, &sizer, SECOND).collect::<Vec<_>>();
    let groups = groups.wait().unwrap();
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);

    let broker = MemoryBroker::new("test", BrokerConfig::default(), &time).unwrap();
    broker.publish_all([1, 2]);
    let probe = Probe::subscribe_to(broker.flow().batch_sized(&time, &sizer, SECOND));
    probe.request(1);
    assert_eq!(broker.snapshot().in_flight, 2);
    probe.cancel();
    assert_eq!((broker.snapshot().in_flight, broker.snapshot().ready), (0, 2));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = BatchSizerConfig::default();
    for (config, name) in [
        (BatchSizerConfig { min: 0, ..config }, "min"),
        (BatchSizerConfig { max: 99, ..config }, "max"),
        (BatchSizerConfig { max: usize::MAX, ..config }, "max"),
        (BatchSizerConfig { low: f64::NAN, ..config }, "low"),
        (BatchSizerConfig { high: 0.2, ..config }, "high"),
        (BatchSizerConfig { step: 1.0, ..config }, "step"),
        (BatchSizerConfig { max_age: Duration::ZERO, ..config }, "max_age"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}

proptest! {
    #[test]
    fn the_size_stays_in_its_bounds_and_moves_by_its_step(
        levels in prop::collection::vec((0.0..1.0_f64, 0..3_000_u64), 1..60),
        min in 1..200_usize,
        times in 1..100_usize,
    ) {
        let time = VirtualTime::new();
        let config = BatchSizerConfig { min, max: min * times, ..BatchSizerConfig::default() };
        let (sizer, pressure) = sizer(config, &time);
        let mut before = min as f64;
        for (level, ms) in levels {
            time.advance(Duration::from_millis(ms));
            pressure.to(level, &time);
            let size = sizer.size();
            prop_assert!((min..=min * times).contains(&size));
            // To the size that a plain formula gives, or as near to it as the step allows.
            let share = ((level - 0.2) / 0.6).clamp(0.0, 1.0);
            let target = min as f64 * (times as f64).powf(share);
            let factor = 2_f64.powf(ms as f64 / 1e3);
            before = target.clamp(before / factor, before * factor);
            prop_assert!((size as f64 - before).abs() <= 0.51, "{size} instead of {before}");
        }
    }
}
