//! Adaptive rates: as fast as the other side can, and fair among several.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use millstream::{range, scheduler::VirtualTime};
use millstream_pressure::{
    AdaptiveRate, AdaptiveRateConfig, FlowExt as _, Outcome, Permit, Policy as _,
    PressureSource as _, Settings as _,
};
use millstream_testkit::Probe;

const MS: Duration = Duration::from_millis(1);

fn config() -> AdaptiveRateConfig {
    AdaptiveRateConfig { interval: 200 * MS, ..AdaptiveRateConfig::default() }
}

fn adaptive(config: AdaptiveRateConfig, time: &VirtualTime) -> AdaptiveRate {
    AdaptiveRate::new("test", config, time).unwrap()
}

/// A server with `capacity` a second, first come, first served, and senders that always have more.
/// Returns how many calls of each have ended a second in the second half, and the longest latency.
fn simulate(
    senders: &[AdaptiveRate],
    time: &VirtualTime,
    capacity: u64,
    seconds: u64,
) -> (Vec<f64>, Duration) {
    let service = Duration::from_nanos(1_000_000_000 / capacity);
    let mut now = Duration::ZERO;
    let mut free_at = Duration::ZERO;
    let mut calls: BinaryHeap<Reverse<(Duration, u64)>> = BinaryHeap::new();
    let mut permits: Vec<Option<(usize, Duration, Permit)>> = Vec::new();
    let (mut ended, mut longest) = (vec![0_u64; senders.len()], Duration::ZERO);
    for _ in 0..seconds * 1_000 {
        time.advance(MS);
        now += MS;
        while let Some(&Reverse((at, index))) = calls.peek()
            && at <= now
        {
            calls.pop();
            let (sender, since, permit) = permits[index as usize].take().unwrap();
            permit.finish(Outcome::Success);
            if now > Duration::from_secs(seconds / 2) {
                ended[sender] += 1;
                longest = longest.max(now - since);
            }
        }
        for (index, sender) in senders.iter().enumerate() {
            while let Ok(permit) = sender.try_acquire() {
                free_at = free_at.max(now) + service;
                calls.push(Reverse((free_at, permits.len() as u64)));
                permits.push(Some((index, now, permit)));
            }
        }
    }
    let half = seconds as f64 / 2.0;
    (ended.into_iter().map(|ended| ended as f64 / half).collect(), longest)
}

#[test]
fn the_rate_comes_near_to_what_the_other_side_can_do() {
    let time = VirtualTime::new();
    // Begins at 505 a second.
    for capacity in [100, 300, 800] {
        let rate = adaptive(config(), &time);
        let (sent, longest) = simulate(&[rate], &time, capacity, 120);
        let share = sent[0] / capacity as f64;
        assert!((0.9..1.001).contains(&share), "{capacity}: {share}");
        assert!(longest < 400 * MS, "{capacity}: {longest:?}");
    }
}

#[test]
fn several_senders_converge_to_equal_rates() {
    let time = VirtualTime::new();
    let senders = [20.0, 700.0, 100.0, 300.0].map(|initial| {
        adaptive(AdaptiveRateConfig { initial: Some(initial), step: 4.0, ..config() }, &time)
    });
    let (sent, _) = simulate(&senders, &time, 400, 400);
    let (sum, squares) =
        sent.iter().fold((0.0, 0.0), |(sum, squares), &rate| (sum + rate, squares + rate * rate));
    let fairness = sum * sum / (sent.len() as f64 * squares);
    assert!(fairness > 0.98, "Jain's index is {fairness}: {sent:?}");
    assert!(sum / 400.0 > 0.85, "{sum}");
}

#[test]
fn a_rate_that_is_not_used_is_not_raised_and_idle_times_do_not_lower_it() {
    let time = VirtualTime::new();
    let rate = adaptive(config(), &time);
    let before = rate.rate();
    for _ in 0..200 {
        let permit = rate.try_acquire().unwrap();
        time.advance(20 * MS);
        permit.finish(Outcome::Success);
    }
    assert_eq!(rate.rate(), before);
    time.advance(3_600_000 * MS);
    assert_eq!(rate.rate(), before);
    let snapshot = rate.snapshot();
    assert_eq!((snapshot.n_raised, snapshot.n_lowered, snapshot.in_progress), (0, 0, 0));
}

#[test]
fn failures_count_as_slow_and_dropped_permits_say_nothing() {
    let time = VirtualTime::new();
    let rate = adaptive(config(), &time);
    let before = rate.rate();
    for _ in 0..100 {
        drop(rate.try_acquire().unwrap());
        time.advance(10 * MS);
    }
    assert_eq!(rate.rate(), before);
    for _ in 0..100 {
        rate.try_acquire().unwrap().finish(Outcome::Failure);
        time.advance(10 * MS);
    }
    assert!(rate.rate() < before);
    assert!(rate.pressure().unwrap().level() > 0.5);
}

#[test]
fn one_bad_spell_is_one_decrease() {
    let time = VirtualTime::new();
    let rate = adaptive(config(), &time);
    let calls: Vec<Permit> = (0..10).map(|_| rate.try_acquire().unwrap()).collect();
    time.advance(500 * MS);
    let more: Vec<Permit> = (0..10).map(|_| rate.try_acquire().unwrap()).collect();
    time.advance(500 * MS);
    // The rate is lowered by the first, and the others were made at the rate before.
    calls.into_iter().chain(more).for_each(|permit| permit.finish(Outcome::Success));
    time.advance(500 * MS);
    assert_eq!(rate.snapshot().n_lowered, 1);
}

#[test]
fn low_rates_can_rise() {
    let time = VirtualTime::new();
    let slow = AdaptiveRateConfig { min: 1.0, initial: Some(1.0), step: 0.5, ..config() };
    let rate = adaptive(slow, &time);
    for _ in 0..100_000 {
        if let Ok(permit) = rate.try_acquire() {
            permit.finish(Outcome::Success);
        }
        time.advance(10 * MS);
    }
    assert!(rate.rate() > 90.0, "{}", rate.rate());
}

#[test]
fn a_new_configuration_keeps_the_rate_within_its_bounds() {
    let time = VirtualTime::new();
    let rate = adaptive(config(), &time);
    rate.reconfigure(AdaptiveRateConfig { max: 50.0, ..config() }).unwrap();
    assert_eq!(rate.rate(), 50.0);
    (0..10).for_each(|_| drop(rate.try_acquire().unwrap()));
    time.advance(20 * MS);
    assert!(rate.try_acquire().is_ok() && rate.try_acquire().is_err());
}

#[test]
fn a_flow_is_asked_for_what_the_rate_allows() {
    let time = VirtualTime::new();
    let config = AdaptiveRateConfig { initial: Some(100.0), burst: 2, ..config() };
    let rate = adaptive(config, &time);
    let probe = Probe::subscribe_to(
        range(0..9_u64).adaptive_rate(&rate).map(|item| item.finish(Outcome::Success)),
    );
    probe.request(9);
    assert_eq!(probe.items(), [0, 1]);
    time.advance(20 * MS);
    assert_eq!(probe.items(), [0, 1, 2, 3]);
    assert_eq!(rate.snapshot().balance.delivered, 4);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = config();
    for (config, name) in [
        (AdaptiveRateConfig { min: 0.0, ..config }, "min"),
        (AdaptiveRateConfig { min: f64::NAN, ..config }, "min"),
        (AdaptiveRateConfig { max: 1.0, ..config }, "max"),
        (AdaptiveRateConfig { initial: Some(2_000.0), ..config }, "initial"),
        (AdaptiveRateConfig { burst: 0, ..config }, "burst"),
        (AdaptiveRateConfig { target: Duration::ZERO, ..config }, "target"),
        (AdaptiveRateConfig { step: 0.0, ..config }, "step"),
        (AdaptiveRateConfig { backoff: 1.0, ..config }, "backoff"),
        (AdaptiveRateConfig { interval: MS, ..config }, "interval"),
        (AdaptiveRateConfig { min_calls: 0, ..config }, "min_calls"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
}
