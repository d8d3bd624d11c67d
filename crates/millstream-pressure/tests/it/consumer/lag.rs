//! How far a consumer is behind.

use std::{
    collections::BTreeMap,
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Controller, ControllerConfig, Lag, LagConfig, LagReading, Policy as _, PressureSource as _,
    RateConfig, RateLimit, Settings as _,
};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn lag(time: &VirtualTime) -> Lag {
    Lag::new("test", LagConfig::default(), time).unwrap()
}

const fn counts(produced: u64, consumed: u64) -> LagReading {
    LagReading { produced, consumed, oldest: None }
}

#[test]
fn a_lag_that_climbs_is_pressure_before_it_is_large() {
    let time = VirtualTime::new();
    let lag = lag(&time);
    assert!(lag.pressure().is_none(), "nothing is known");
    for second in 0..=60_u64 {
        lag.report("0", counts(second * 300, second * 100));
        time.advance(SECOND);
    }
    let snapshot = lag.snapshot();
    // 12,000 of 10,000 now; but at 20 s, when it was 4,000, it was seen to come.
    assert_eq!((snapshot.lag, snapshot.trend(), snapshot.pressure), (12_000, 200.0, 1.0));
    assert_eq!(snapshot.time_to_drain, None);

    let early = Lag::new("test", LagConfig::default(), &time).unwrap();
    early.report("0", counts(0, 0));
    time.advance(20 * SECOND);
    early.report("0", counts(6_000, 2_000));
    assert_eq!((early.snapshot().lag, early.snapshot().pressure), (4_000, 1.0));
}

#[test]
fn it_says_when_it_will_have_caught_up() {
    let time = VirtualTime::new();
    let lag = lag(&time);
    for second in 0..=10_u64 {
        lag.report("0", counts(5_000 + second * 100, second * 150));
        time.advance(SECOND);
    }
    let snapshot = lag.snapshot();
    assert_eq!((snapshot.lag, snapshot.arrival, snapshot.drain), (4_500, 100.0, 150.0));
    assert_eq!(snapshot.time_to_drain, Some(90 * SECOND));
    assert_eq!((snapshot.over, snapshot.pressure), (10 * SECOND, 0.45));
}

#[test]
fn the_oldest_item_grows_older_while_nothing_is_reported() {
    let time = VirtualTime::new();
    let lag = lag(&time);
    lag.report("0", LagReading { oldest: Some(20 * SECOND), ..counts(1, 0) });
    time.advance(10 * SECOND);
    assert_eq!(lag.snapshot().oldest, Some(30 * SECOND));
    assert_eq!(lag.pressure().unwrap().level(), 0.5);
    // What was done with is not old.
    lag.report("0", LagReading { oldest: Some(20 * SECOND), ..counts(1, 1) });
    assert_eq!((lag.snapshot().oldest, lag.pressure().unwrap().level()), (None, 0.0));
}

#[test]
fn parts_add_up_and_the_worst_is_named() {
    let time = VirtualTime::new();
    let lag = lag(&time);
    for second in 0..=5_u64 {
        lag.report("0", counts(second * 10, second * 10));
        lag.report("1", counts(second * 30, second * 10));
        time.advance(SECOND);
    }
    let snapshot = lag.snapshot();
    assert_eq!((snapshot.lag, snapshot.arrival, snapshot.drain), (100, 40.0, 20.0));
    assert_eq!((snapshot.worst, snapshot.parts), (Some(("1".to_owned(), 100)), 2));
    // After a rebalance it is another's.
    lag.remove("1");
    assert_eq!((lag.snapshot().lag, lag.snapshot().arrival), (0, 0.0));
}

#[test]
fn counts_that_fall_begin_anew() {
    let time = VirtualTime::new();
    let lag = lag(&time);
    lag.report("0", counts(1_000, 900));
    time.advance(SECOND);
    lag.report("0", counts(10, 5));
    let snapshot = lag.snapshot();
    assert_eq!((snapshot.lag, snapshot.arrival, snapshot.over), (5, 0.0, Duration::ZERO));
    // Consumed further than it is known to be produced: no lag.
    lag.report("0", counts(10, 12));
    assert_eq!(lag.snapshot().lag, 0);
    lag.report("0", counts(u64::MAX, 12));
    lag.report("1", counts(u64::MAX, 0));
    assert!(lag.snapshot().lag > 1 << 60);
}

#[test]
fn the_system_is_busy_with_hysteresis_and_one_who_died_keeps_nobody_waiting() {
    let time = VirtualTime::new();
    let config = LagConfig { horizon: Duration::ZERO, ..LagConfig::default() };
    let lag = Lag::new("test", config, &time).unwrap();
    let mut consumed = 0;
    let mut behind = |lag_now: u64| {
        consumed += 100_000;
        lag.report("0", counts(consumed + lag_now, consumed));
        lag.is_busy()
    };
    let busy = [7_999, 8_000, 7_000, 5_001, 5_000, 7_999, 8_001].map(&mut behind);
    assert_eq!(busy, [false, true, true, true, false, false, true]);

    let cx = &mut Context::from_waker(Waker::noop());
    let mut idle = pin!(lag.until_idle());
    assert_eq!(idle.as_mut().poll(cx), Poll::Pending);
    time.advance(30 * SECOND);
    assert!(idle.as_mut().poll(cx).is_pending());
    time.advance(SECOND);
    assert_eq!(idle.as_mut().poll(cx), Poll::Ready(true));
    assert!(lag.pressure().is_none() && lag.snapshot().is_stale && !lag.is_busy());
}

/// Lag to pressure to controller to rate, and back: the loop that other guides only draw.
#[test]
fn producers_are_throttled_by_the_lag_until_it_is_stable() {
    let time = VirtualTime::new();
    let config = LagConfig { max_lag: 2_000, ..LagConfig::default() };
    let lag = Lag::new("test", config, &time).unwrap();
    let rate = RateLimit::new("producers", RateConfig { rate: 500.0, burst: 1 }, &time).unwrap();
    let controller = Controller::new("loop", ControllerConfig::default(), &time).unwrap();
    controller.watch("lag", lag.clone());
    controller.drive_rate(&rate);
    let (mut produced, mut consumed, mut highest) = (0_u64, 0_u64, 0);
    for _ in 0..1_200 {
        // Producers send what they may; the consumer does 200 a second.
        produced += rate.config().rate as u64;
        consumed = (consumed + 200).min(produced);
        lag.report("0", counts(produced, consumed));
        controller.decide();
        highest = highest.max(produced - consumed);
        time.advance(SECOND);
    }
    // Without the loop it would be 360,000.
    assert!(highest < 4_000, "{highest}");
    let drained = consumed as f64 / (200.0 * 1_200.0);
    assert!(drained > 0.95, "the consumer is kept busy: {drained}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = LagConfig::default();
    for (config, name) in [
        (LagConfig { max_lag: 0, ..config }, "max_lag"),
        (LagConfig { max_age: Duration::ZERO, ..config }, "max_age"),
        (LagConfig { window: Duration::ZERO, ..config }, "window"),
        (LagConfig { stale_after: Duration::ZERO, ..config }, "stale_after"),
        (LagConfig { busy_above: 1.1, ..config }, "busy_above"),
        (LagConfig { busy_below: 0.8, ..config }, "busy_below"),
        (LagConfig { busy_below: f64::NAN, ..config }, "busy_below"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}

proptest! {
    /// Counts of three parts that grow, reported at any time, beside a plain list of them.
    #[test]
    fn it_says_what_a_plain_list_of_counts_says(
        steps in prop::collection::vec((0..3_usize, 0..500_u64, 0..500_u64, 0..4_000_u64), 1..120),
    ) {
        let time = VirtualTime::new();
        let lag = lag(&time);
        let names = ["a", "b", "c"];
        let mut parts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        // All there was to know since the last part came: moment, produced and consumed.
        let mut past: Vec<(Duration, u64, u64)> = Vec::new();
        for (part, produced, consumed, ms) in steps {
            let is_new = !parts.contains_key(names[part]);
            let known = parts.entry(names[part]).or_default();
            known.0 += produced;
            known.1 = (known.1 + consumed).min(known.0);
            lag.report(names[part], counts(known.0, known.1));
            if is_new {
                past.clear();
            }
            let sum = parts.values().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            past.push((time.now(), sum.0, sum.1));
            let snapshot = lag.snapshot();
            prop_assert_eq!(snapshot.lag, sum.0 - sum.1);
            // The rates are those since some moment of the past, which is a window away at most
            // where there were reports enough, and otherwise the first.
            let window = Duration::from_secs(60);
            prop_assert!(snapshot.over <= time.now());
            let since = time.now() - snapshot.over;
            let is_first = since == past[0].0;
            prop_assert!(is_first || snapshot.over >= window, "{snapshot:?}");
            let starts: Vec<_> = past.iter().filter(|(at, ..)| *at == since).collect();
            prop_assert!(!starts.is_empty());
            let seconds = snapshot.over.as_secs_f64();
            let fits = |start: &(Duration, u64, u64)| {
                let arrival = (sum.0 - start.1) as f64 / seconds;
                let drain = (sum.1 - start.2) as f64 / seconds;
                (arrival - snapshot.arrival).abs() < 1e-6 && (drain - snapshot.drain).abs() < 1e-6
            };
            prop_assert!(seconds == 0.0 || starts.into_iter().any(fits), "{snapshot:?}");
            time.advance(Duration::from_millis(ms));
        }
    }
}
