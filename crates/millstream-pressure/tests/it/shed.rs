//! Load shedding: what is least critical goes first, before all answers are late.

use std::{collections::VecDeque, thread, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Class, Criticality, Outcome, Permit, Policy as _, PressureSource as _, Random, Reason,
    Settings as _, ShedConfig, Shedder,
};

const MS: Duration = Duration::from_millis(1);

fn shedder(time: &VirtualTime) -> Shedder {
    let config = ShedConfig { max_delay: 100 * MS, ..ShedConfig::default() };
    Shedder::with_random("test", config, time, Random::seeded(1)).unwrap()
}

fn class(criticality: Criticality) -> Class {
    Class { criticality, ..Class::default() }
}

/// Calls of each criticality, `each` in each ms, of one server that takes 2 ms for each call,
/// first come, first served. Returns how many of each class were answered, and the longest delay.
fn simulate(shedder: &Shedder, time: &VirtualTime, each: u64, n_ms: u64) -> ([u64; 3], Duration) {
    let classes = [Criticality::Sheddable, Criticality::Default, Criticality::Critical];
    let mut waiting: VecDeque<(usize, Duration, Permit)> = VecDeque::new();
    let (mut answered, mut longest) = ([0; 3], Duration::ZERO);
    for at in 0..n_ms {
        for (index, criticality) in classes.into_iter().enumerate() {
            if (at + index as u64).is_multiple_of(each)
                && let Ok(permit) = shedder.try_acquire(class(criticality))
            {
                waiting.push_back((index, at as u32 * MS, permit));
            }
        }
        time.advance(MS);
        if at % 2 == 1
            && let Some((index, since, permit)) = waiting.pop_front()
        {
            permit.finish(Outcome::Success);
            if at > 1_000 {
                answered[index] += 1;
                longest = longest.max((at as u32 + 1) * MS - since);
            }
        }
    }
    (answered, longest)
}

#[test]
fn nothing_is_refused_while_answers_are_in_time() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    // 0.75 of what the server can do.
    simulate(&shedder, &time, 8, 5_000);
    assert_eq!(shedder.snapshot().balance.total_dropped(), 0);
}

#[test]
fn under_twice_the_load_the_least_critical_are_refused_and_the_others_are_in_time() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    // Each class offers a third of 1000 a second; the server does 500.
    let (answered, longest) = simulate(&shedder, &time, 3, 11_000);
    let [sheddable, default, critical] = answered;
    assert!(critical >= 3_300, "all critical ones: {answered:?}");
    assert!(sheddable < 100, "hardly any others: {answered:?}");
    assert!(default > 1_500, "what is left is for default ones: {answered:?}");
    assert!(longest <= 100 * MS, "{longest:?}");
    assert!(shedder.snapshot().balance.is_whole());
}

#[test]
fn critical_calls_alone_are_refused_where_they_would_be_late() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    let (answered, longest) = simulate(&shedder, &time, 1, 5_000);
    assert_eq!(answered[..2], [0, 0]);
    assert!(longest <= 115 * MS, "no longer than the ramp beyond: {longest:?}");
    assert!(shedder.snapshot().balance.dropped(Reason::Delay) > 0);
}

#[test]
fn one_that_is_alone_is_let_in_and_shows_that_the_other_side_is_fast_again() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    let slow = shedder.try_acquire(class(Criticality::Default)).unwrap();
    time.advance(500 * MS);
    slow.finish(Outcome::Success);
    assert_eq!(shedder.snapshot().predicted, Some(500 * MS));
    assert_eq!(shedder.pressure().unwrap().level(), 1.0);
    for _ in 0..200 {
        let permit = shedder.try_acquire(class(Criticality::Sheddable)).unwrap();
        time.advance(MS);
        permit.finish(Outcome::Success);
    }
    assert!(shedder.snapshot().predicted.unwrap() < 3 * MS);
}

#[test]
fn a_standstill_is_seen_before_anything_ends() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(shedder.try_acquire(class(Criticality::Critical)).unwrap());
        time.advance(MS);
        held.pop().unwrap().finish(Outcome::Success);
    }
    held.push(shedder.try_acquire(class(Criticality::Default)).unwrap());
    time.advance(100 * MS);
    let rejected = shedder.try_acquire(class(Criticality::Default)).unwrap_err();
    assert_eq!(rejected.reason, Reason::LowPriority);
    assert!(rejected.retry_after.is_some());
}

#[test]
fn a_call_that_is_given_up_is_accounted_for() {
    let shedder = shedder(&VirtualTime::new());
    drop(shedder.try_acquire(Class::default()).unwrap());
    let snapshot = shedder.snapshot();
    assert_eq!((snapshot.in_progress, snapshot.balance.queued), (0, 0));
    assert_eq!(snapshot.predicted, None);
}

#[test]
fn the_ledger_is_whole_after_many_threads_and_reconfigurations() {
    let time = VirtualTime::new();
    let shedder = shedder(&time);
    thread::scope(|scope| {
        for n in 0..4_u64 {
            let (shedder, time) = (&shedder, &time);
            scope.spawn(move || {
                for round in 0..1_000 {
                    let permit = shedder.try_acquire(Class::default());
                    if round % 100 == 0 {
                        time.advance(MS);
                        let max_delay = (n + 1) as u32 * 10 * MS;
                        let config = ShedConfig { max_delay, ..ShedConfig::default() };
                        shedder.reconfigure(config).unwrap();
                    }
                    if let Ok(permit) = permit {
                        permit.finish(Outcome::Success);
                    }
                }
            });
        }
    });
    let snapshot = shedder.snapshot();
    assert!(snapshot.balance.is_whole());
    assert_eq!((snapshot.balance.offered, snapshot.in_progress), (4_000, 0));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let config = ShedConfig::default();
    for (config, name) in [
        (ShedConfig { max_delay: Duration::ZERO, ..config }, "max_delay"),
        (ShedConfig { sheddable: f64::NAN, ..config }, "sheddable"),
        (ShedConfig { sheddable: 0.9, default: 0.8, ..config }, "default"),
        (ShedConfig { default: f64::INFINITY, ..config }, "default"),
        (ShedConfig { ramp: -1.0, ..config }, "ramp"),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
    }
    ShedConfig { max_delay: Duration::MAX, ramp: 0.0, ..config }.validate().unwrap();
}
