//! Levels of pressure: the worst is named, what is stale expires, and forecasts have to be right.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Algorithm, Clock, ConcurrencyLimit, Controller, ControllerConfig, Curve, Forecast,
    ForecastConfig, ForecastMethod, LevelConfig, LimitConfig, LoadLevel, Policy as _, Pressure,
    PressureFinder, PressureSource, PressureTree, Random, Settings as _, TreeConfig,
};

const SECOND: Duration = Duration::from_secs(1);

/// A source that reads what was set.
#[derive(Clone)]
struct Dial(Arc<Mutex<Option<f64>>>, Clock);

impl Dial {
    fn new(time: &VirtualTime) -> Self {
        Self(Arc::default(), Clock::of(time))
    }

    fn set(&self, level: f64) {
        *self.0.lock().unwrap() = Some(level);
    }
}

impl PressureSource for Dial {
    fn pressure(&self) -> Option<Pressure> {
        Pressure::new((*self.0.lock().unwrap())?, self.1.now())
    }
}

fn tree(time: &VirtualTime) -> PressureTree {
    let tree = PressureTree::new("test", TreeConfig::default(), time).unwrap();
    for (path, low) in [("system", 0.9), ("system/service", 0.7), ("system/service/app", 0.8)] {
        let curve = Curve { low, ..Curve::default() };
        tree.add(path, LevelConfig { curve, weight: 0.5 }).unwrap();
    }
    tree
}

#[test]
fn at_full_pressure_the_factor_is_the_floor_and_it_never_rises_with_the_pressure() {
    for low in [0.0, 0.7, 0.8, 0.9] {
        for floor in [0.0, 0.1, 0.5] {
            let curve = Curve { low, high: 1.0, floor };
            assert_eq!(curve.factor(1.0), floor);
            assert_eq!(curve.factor(low), 1.0);
            let factors: Vec<f64> = (0..=100).map(|n| curve.factor(f64::from(n) / 100.0)).collect();
            assert!(factors.is_sorted_by(|a, b| a >= b));
        }
    }
}

#[test]
fn the_worst_level_is_named_whatever_the_order() {
    let time = VirtualTime::new();
    let tree = tree(&time);
    assert!(tree.worst().is_none());
    tree.report("system", 0.91).unwrap();
    tree.report("system/service", 0.75).unwrap();
    tree.report("system/service/app", 0.99).unwrap();
    let worst = tree.worst().unwrap();
    assert_eq!((worst.path.as_str(), worst.pressure), ("system/service/app", Some(0.99)));
}

#[test]
fn pressure_goes_up_in_part_and_a_throttled_level_throttles_what_is_below() {
    let time = VirtualTime::new();
    let tree = tree(&time);
    tree.report("system/service/app", 1.0).unwrap();
    let pressures: Vec<_> = tree.readings().iter().map(|reading| reading.pressure).collect();
    assert_eq!(pressures, [Some(0.25), Some(0.5), Some(1.0)]);
    assert_eq!(tree.factor("system").unwrap(), 1.0);
    tree.report("system/service/app", 0.0).unwrap();
    tree.report("system", 1.0).unwrap();
    assert_eq!(tree.factor("system/service/app").unwrap(), 0.1);
    assert_eq!(tree.pressure().unwrap().level(), 1.0);
}

#[test]
fn what_is_stale_expires() {
    let time = VirtualTime::new();
    let tree = tree(&time);
    tree.report("system", 1.0).unwrap();
    time.advance(SECOND * 5);
    assert_eq!(tree.factor("system").unwrap(), 0.1);
    time.advance(Duration::from_nanos(1));
    assert_eq!(tree.factor("system").unwrap(), 1.0);
    assert!(tree.readings()[0].is_stale && tree.worst().is_none());
}

#[test]
fn sources_are_read_when_the_tree_is() {
    let time = VirtualTime::new();
    let tree = tree(&time);
    let dial = Dial::new(&time);
    tree.attach("system/service", dial.clone()).unwrap();
    dial.set(0.4);
    assert_eq!(tree.pressure().unwrap().level(), 0.4);
    dial.set(0.6);
    assert_eq!(tree.pressure().unwrap().level(), 0.6);
}

#[test]
fn levels_that_do_not_exist_are_errors() {
    let time = VirtualTime::new();
    let tree = tree(&time);
    assert_eq!(tree.report("sytem", 1.0).unwrap_err().0, "sytem");
    assert!(tree.factor("system/").is_err());
    assert_eq!(tree.add("other/service", LevelConfig::default()).unwrap_err().setting(), "path");
    assert!(tree.add("", LevelConfig::default()).is_err());
    let curve = Curve { low: 0.9, high: 0.8, floor: 0.1 };
    assert!(tree.add("system", LevelConfig { curve, weight: 1.0 }).is_err());
    assert!(
        tree.add("system", LevelConfig { weight: f64::NAN, ..LevelConfig::default() }).is_err()
    );
    tree.report("system", f64::NAN).unwrap();
    assert!(tree.worst().is_none());
}

fn forecast(method: ForecastMethod, dial: &Dial, time: &VirtualTime) -> Forecast<Dial> {
    let config = ForecastConfig { method, ..ForecastConfig::default() };
    Forecast::new("test", config, dial.clone(), time).unwrap()
}

const METHODS: [ForecastMethod; 2] =
    [ForecastMethod::Holt { alpha: 0.3, beta: 0.1 }, ForecastMethod::LeastSquares { readings: 10 }];

#[test]
fn a_trend_is_seen_before_the_threshold() {
    for method in METHODS {
        let time = VirtualTime::new();
        let dial = Dial::new(&time);
        let forecast = forecast(method, &dial, &time);
        let mut early = 0;
        for n in 0..100 {
            let level = f64::from(n) * 0.008;
            dial.set(level);
            let predicted = forecast.pressure().unwrap().level();
            assert!(predicted >= level);
            early += u32::from(level < 0.7 && predicted >= 0.7);
            time.advance(SECOND);
        }
        assert!((2..=4).contains(&early), "{method:?}: {early} intervals early");
        assert!(forecast.snapshot().is_used);
    }
}

#[test]
fn a_forecast_that_is_worse_than_none_is_not_used() {
    for method in METHODS {
        let time = VirtualTime::new();
        let dial = Dial::new(&time);
        let forecast = forecast(method, &dial, &time);
        // A walk at random, for which nothing is better than the last reading.
        let (mut random, mut level, mut n_used) = (Random::seeded(3), 0.5_f64, 0);
        for _ in 0..2_000 {
            level = (level + (random.unit() - 0.5) * 0.1).clamp(0.2, 0.8);
            dial.set(level);
            let predicted = forecast.pressure().unwrap().level();
            n_used += u32::from(forecast.snapshot().is_used);
            if !forecast.snapshot().is_used {
                assert_eq!(predicted, level);
            }
            time.advance(SECOND);
        }
        assert!(n_used < 600, "{method:?}: used {n_used} times");
        let snapshot = forecast.snapshot();
        assert!(snapshot.error.is_some() && snapshot.naive_error.is_some());
    }
}

#[test]
fn a_source_without_a_reading_has_no_forecast_and_a_gap_begins_anew() {
    let time = VirtualTime::new();
    let dial = Dial::new(&time);
    let forecast = forecast(METHODS[0], &dial, &time);
    assert!(forecast.pressure().is_none());
    for n in 0..50 {
        dial.set(f64::from(n) * 0.01);
        forecast.pressure();
        time.advance(SECOND);
    }
    time.advance(SECOND * 60);
    dial.set(0.1);
    assert_eq!(forecast.pressure().unwrap().level(), 0.1);
    assert_eq!(forecast.snapshot().forecast, None);
}

fn controller(time: &VirtualTime) -> Controller {
    Controller::new("test", ControllerConfig::default(), time).unwrap()
}

#[test]
fn the_worst_input_decides_and_the_factor_moves_by_steps() {
    let time = VirtualTime::new();
    let controller = controller(&time);
    let (depth, latency) = (Dial::new(&time), Dial::new(&time));
    controller.watch("depth", depth.clone());
    controller.watch("latency", latency.clone());
    assert_eq!(controller.decide().worst, None);

    depth.set(0.5);
    latency.set(1.0);
    let mut factors = Vec::new();
    for _ in 0..5 {
        let decision = controller.decide();
        assert_eq!(decision.worst.as_deref(), Some("latency"));
        factors.push((decision.factor * 100.0).round() as u32);
        time.advance(SECOND);
    }
    assert_eq!(factors, [70, 40, 10, 10, 10]);
    latency.set(0.0);
    assert_eq!((controller.decide().factor * 100.0).round(), 15.0);
}

#[test]
fn levels_do_not_flap() {
    let time = VirtualTime::new();
    let controller = controller(&time);
    let dial = Dial::new(&time);
    controller.watch("depth", dial.clone());
    let mut random = Random::seeded(1);
    for _ in 0..1_000 {
        // 5 % of noise about a threshold.
        dial.set(0.8 + (random.unit() - 0.5) * 0.1);
        controller.decide();
        time.advance(SECOND);
    }
    let snapshot = controller.snapshot();
    assert!(snapshot.n_changes <= 2, "{}", snapshot.n_changes);
    assert_eq!(snapshot.in_level.iter().sum::<Duration>(), SECOND * 1_000);
    for (level, expected) in [
        (1.0, LoadLevel::Critical),
        (0.86, LoadLevel::Critical),
        (0.84, LoadLevel::High),
        (0.69, LoadLevel::Elevated),
        (0.49, LoadLevel::Normal),
    ] {
        dial.set(level);
        assert_eq!(controller.decide().level, expected, "{level}");
    }
}

#[test]
fn what_is_stale_is_left_out() {
    struct Old;
    impl PressureSource for Old {
        fn pressure(&self) -> Option<Pressure> {
            Pressure::new(1.0, Duration::ZERO)
        }
    }
    let time = VirtualTime::new();
    let controller = controller(&time);
    controller.watch("old", Old);
    assert!(controller.decide().factor < 1.0);
    time.advance(SECOND * 6);
    assert_eq!(controller.decide().worst, None);
}

#[test]
fn a_limit_is_driven_by_the_factor() {
    let time = VirtualTime::new();
    let config = LimitConfig { algorithm: Algorithm::Fixed(100), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("test", config, &time).unwrap();
    let controller = controller(&time);
    let dial = Dial::new(&time);
    controller.watch("depth", dial.clone());
    controller.drive_limit(&limit, 100);
    dial.set(1.0);
    (0..3).for_each(|_| drop(controller.decide()));
    assert_eq!(limit.limit(), 10);
    dial.set(0.0);
    (0..18).for_each(|_| drop(controller.decide()));
    assert_eq!(limit.limit(), 100);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = ControllerConfig::default();
    for (config, name) in [
        (ControllerConfig { interval: Duration::ZERO, ..config }, "interval"),
        (ControllerConfig { fall: 0.0, ..config }, "fall"),
        (ControllerConfig { rise: f64::NAN, ..config }, "rise"),
        (ControllerConfig { high: 0.5, ..config }, "high"),
        (ControllerConfig { critical: 0.7, ..config }, "critical"),
        (ControllerConfig { hysteresis: 0.6, ..config }, "hysteresis"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
    for (config, name) in [
        (ForecastConfig { interval: Duration::ZERO, ..ForecastConfig::default() }, "interval"),
        (ForecastConfig { horizon: 0, ..ForecastConfig::default() }, "horizon"),
        (ForecastConfig { window: 0, ..ForecastConfig::default() }, "window"),
        (
            ForecastConfig {
                method: ForecastMethod::Holt { alpha: 2.0, beta: 0.1 },
                ..ForecastConfig::default()
            },
            "method.alpha",
        ),
        (
            ForecastConfig {
                method: ForecastMethod::LeastSquares { readings: 1 },
                ..ForecastConfig::default()
            },
            "method.readings",
        ),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}

#[test]
fn the_slowest_stage_is_the_busiest_one() {
    let time = VirtualTime::new();
    let finder = PressureFinder::new(&time);
    assert!(finder.slowest().is_none());
    // Two workers that take 30 ms each, and one that takes 20 ms: the latter is slower.
    let (double, single) = (finder.stage("double", 2), finder.stage("single", 1));
    let ms = Duration::from_millis;
    for _ in 0..10 {
        let pair = [double.enter().begin(), double.enter().begin()];
        let waits = single.enter();
        let first = single.enter().begin();
        time.advance(ms(20));
        drop(first);
        let second = waits.begin();
        time.advance(ms(10));
        drop(pair);
        time.advance(ms(10));
        drop(second);
    }
    let report = finder.report();
    assert_eq!(report[0].name, "single");
    assert_eq!((report[0].utilization, report[0].service, report[0].wait), (1.0, ms(20), ms(10)));
    assert!((report[1].utilization - 0.75).abs() < 1e-9 && report[1].service == ms(30));
    assert_eq!(report[0].capacity, 50.0);
    assert_eq!(report[0].throughput, 50.0);
    // Each report begins anew, and one that leaves without being served is not counted.
    let waits = single.enter();
    time.advance(ms(1));
    drop(waits);
    assert_eq!(finder.report()[0].throughput, 0.0);
}
