//! How many workers a consumer needs.

use std::time::Duration;

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Lag, LagConfig, LagReading, Policy as _, Scale, ScaleConfig, Scaler, Settings as _,
};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// A consumer whose workers do so many items a second each, and that gets as many workers as the
/// scaler says.
struct World {
    time: VirtualTime,
    lag: Lag,
    scaler: Scaler,
    each: u64,
    produced: u64,
    consumed: u64,
    workers: u32,
    changes: Vec<Scale>,
}

impl World {
    fn new(config: ScaleConfig, workers: u32, each: u64) -> Self {
        let time = VirtualTime::new();
        let lag = Lag::new("test", LagConfig::default(), &time).unwrap();
        let scaler = Scaler::new("test", config, lag.clone(), &time).unwrap();
        let changes = Vec::new();
        Self { time, lag, scaler, each, produced: 0, consumed: 0, workers, changes }
    }

    fn run(&mut self, seconds: u64, arrival: impl Fn(u64) -> u64) {
        for second in 0..seconds {
            self.produced += arrival(second);
            let done = self.each * u64::from(self.workers);
            self.consumed = (self.consumed + done).min(self.produced);
            let (produced, consumed) = (self.produced, self.consumed);
            self.lag.report("0", LagReading { produced, consumed, oldest: None });
            let said = self.scaler.decide(self.workers);
            if let Scale::Out(n) | Scale::In(n) = said {
                self.workers = n;
                self.changes.push(said);
            }
            self.time.advance(SECOND);
        }
    }

    fn lag(&self) -> u64 {
        self.produced - self.consumed
    }
}

#[test]
fn it_goes_out_on_lag_and_in_when_drained() {
    let mut world = World::new(ScaleConfig::default(), 1, 50);
    world.run(120, |_| 40);
    assert_eq!((world.workers, world.changes.len()), (1, 0), "it keeps up");
    world.run(300, |_| 230);
    assert!((5..=8).contains(&world.workers), "{:?}", world.changes);
    assert_eq!(world.lag(), 0, "it was worked off: {:?}", world.changes);
    world.run(290, |_| 40);
    assert!(world.workers >= 5, "five minutes ago they were needed: {:?}", world.changes);
    world.run(700, |_| 40);
    assert_eq!((world.workers, world.lag()), (1, 0), "{:?}", world.changes);
}

#[test]
fn a_wave_each_minute_starts_and_stops_nobody_each_minute() {
    let mut world = World::new(ScaleConfig::default(), 2, 50);
    world.run(1_800, |second| if second % 60 < 20 { 240 } else { 40 });
    assert!(world.changes.len() <= 3, "{:?}", world.changes);
    assert!(world.lag() < 5_000, "{}", world.lag());
}

#[test]
fn noise_of_a_tenth_about_what_the_workers_can_do_changes_nothing_for_long() {
    let mut world = World::new(ScaleConfig::default(), 3, 50);
    world.run(1_800, |second| 100 + second * 7919 % 22);
    assert!(world.changes.len() <= 2, "{:?}", world.changes);
}

#[test]
fn nothing_is_said_of_a_lag_that_nobody_reports() {
    let time = VirtualTime::new();
    let lag = Lag::new("test", LagConfig::default(), &time).unwrap();
    let scaler = Scaler::new("test", ScaleConfig::default(), lag.clone(), &time).unwrap();
    for _ in 0..600 {
        assert_eq!(scaler.decide(4), Scale::Stay);
        time.advance(SECOND);
    }
}

#[test]
fn it_stays_between_its_bounds_where_more_workers_do_not_help() {
    let config = ScaleConfig { max: 6, ..ScaleConfig::default() };
    let mut world = World::new(config, 1, 0);
    world.run(600, |_| 100);
    assert_eq!(world.workers, 6);
    assert!(world.changes.len() <= 4, "{:?}", world.changes);
    let snapshot = world.scaler.snapshot();
    assert_eq!((snapshot.capacity, snapshot.needed), (None, 6), "nothing can be measured");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = ScaleConfig::default();
    for (config, name) in [
        (ScaleConfig { min: 0, ..config }, "min"),
        (ScaleConfig { min: 11, ..config }, "max"),
        (ScaleConfig { drain_within: Duration::ZERO, ..config }, "drain_within"),
        (ScaleConfig { headroom: 0.0, ..config }, "headroom"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, within what the most workers can do: it is never out of its bounds, never
    /// out and in within the shorter of its times, and catches up in the end.
    #[test]
    fn it_catches_up_with_whatever_comes(
        phases in prop::collection::vec((1..200_u64, 1..300_u64), 1..8),
        workers in 1..10_u32,
    ) {
        let mut world = World::new(ScaleConfig::default(), workers, 50);
        for (seconds, arrival) in phases {
            let n_before = world.changes.len() as u64;
            world.run(seconds, |_| arrival);
            prop_assert!((1..=10).contains(&world.workers));
            prop_assert!(world.changes.len() as u64 - n_before <= seconds / 15 + 1);
        }
        world.run(1_000, |_| 300);
        if world.workers < 6 || world.lag() > 0 {
            // One that was never short of workers has just tried with one fewer, and notices.
            let mut last = world.changes.iter().rev().take(2);
            prop_assert!(last.any(|change| *change == Scale::In(5)), "{:?}", world.changes);
            world.run(60, |_| 300);
        }
        prop_assert_eq!(world.lag(), 0, "{:?}", world.changes);
        prop_assert!(world.workers >= 6);
    }
}
