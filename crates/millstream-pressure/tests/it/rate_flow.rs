//! Rates as operators: what is asked for, when, and what is given back.

use std::time::Duration;

use millstream::{
    ErrorKind, Flow, range,
    scheduler::{Immediate, VirtualTime},
};
use millstream_pressure::{
    FlowExt as _, Policy as _, PressureSource as _, RateConfig, RateLimit, Reason,
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn limit(rate: f64, burst: u64, time: &VirtualTime) -> RateLimit {
    RateLimit::new("test", RateConfig { rate, burst }, time).unwrap()
}

#[test]
fn demand_is_released_when_cells_are_due() {
    let time = VirtualTime::new();
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).rate_limit(&limit(100.0, 2, &time)));
    assert_eq!(puppet.requested().get(), 0);
    probe.request(5);
    assert_eq!(puppet.requested().get(), 2);
    time.advance(10 * MS);
    assert_eq!(puppet.requested().get(), 3);
    time.advance(20 * MS);
    assert_eq!(puppet.requested().get(), 5);
    time.advance(100 * MS);
    assert_eq!(puppet.requested().get(), 5);
    assert_eq!(time.n_timers(), 0);
    (0..5).for_each(|n: u64| puppet.next(n).unwrap());
    assert_eq!(probe.items(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_clock_that_jumps_releases_no_more_than_the_burst() {
    let time = VirtualTime::new();
    let (puppet, publisher) = Puppet::<u64>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).rate_limit(&limit(100.0, 3, &time)));
    time.advance(3_600_000 * MS);
    probe.request(u64::MAX);
    assert_eq!(puppet.requested().get(), 3);
}

#[test]
fn what_was_not_used_is_given_back_at_the_end_and_after_a_cancel() {
    for ends in [true, false] {
        let time = VirtualTime::new();
        let limit = limit(1.0, 8, &time);
        let (puppet, publisher) = Puppet::new();
        let probe = Probe::subscribe_to(Flow::from(publisher).rate_limit(&limit));
        probe.request(6);
        puppet.next(1_u64).unwrap();
        assert_eq!(limit.snapshot().free, 2);
        if ends {
            puppet.complete();
            assert!(probe.is_completed());
        } else {
            probe.cancel();
            assert!(puppet.is_canceled());
            puppet.drop_subscriber();
        }
        assert_eq!(limit.snapshot().free, 7);
    }
}

#[test]
fn a_cancel_leaves_the_line_and_its_timer() {
    let time = VirtualTime::new();
    let limit = limit(1.0, 1, &time);
    let (puppet, publisher) = Puppet::<u64>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).rate_limit(&limit));
    probe.request(2);
    assert!(limit.snapshot().has_waiting && time.n_timers() == 1);
    assert_eq!(limit.pressure().unwrap().level(), 1.0);
    probe.cancel();
    assert!(!limit.snapshot().has_waiting && time.n_timers() == 0);
    drop(puppet);
}

#[test]
fn flows_that_share_a_rate_take_turns() {
    let time = VirtualTime::new();
    let limit = limit(100.0, 1, &time);
    let probes = [(); 3].map(|()| Probe::subscribe_to(range(0..u64::MAX).rate_limit(&limit)));
    probes.iter().for_each(|probe| probe.request(u64::MAX));
    for _ in 0..60 {
        time.advance(10 * MS);
    }
    let counts = probes.each_ref().map(Probe::n_items);
    assert_eq!(counts.iter().sum::<usize>(), 61);
    assert!(counts.iter().all(|n| (20..=21).contains(n)), "{counts:?}");
    // One that only looks does not overtake them.
    assert_eq!(limit.try_acquire(1).unwrap_err().reason, Reason::Rate);
    probes.iter().for_each(Probe::cancel);
}

#[test]
fn another_rate_is_noticed_by_a_flow_that_waits() {
    let time = VirtualTime::new();
    let limit = limit(0.001, 1, &time);
    let probe = Probe::subscribe_to(range(0..9_u64).rate_limit(&limit));
    probe.request(2);
    limit.reconfigure(RateConfig { rate: 100.0, burst: 1 }).unwrap();
    time.advance(10 * MS);
    assert_eq!(probe.items(), [0, 1]);
}

#[test]
fn items_that_the_downstream_skips_need_cells_as_well() {
    let time = VirtualTime::new();
    let limit = limit(100.0, 1, &time);
    let even = range(0..u64::MAX).rate_limit(&limit).filter(|n| n % 2 == 0);
    let probe = Probe::subscribe_to(even);
    probe.request(3);
    assert_eq!(probe.items(), [0]);
    time.advance(10 * MS);
    assert_eq!(probe.items(), [0]);
    for _ in 0..30 {
        time.advance(MS);
    }
    assert_eq!(probe.items(), [0, 2, 4]);
}

#[test]
fn without_a_clock_the_flow_fails() {
    let limit = RateLimit::new("test", RateConfig { rate: 1.0, burst: 1 }, &Immediate).unwrap();
    let probe = Probe::subscribe_to(range(0..9_u64).rate_limit(&limit));
    probe.request(3);
    assert_eq!(probe.items(), [0]);
    assert_eq!(probe.error().map(|error| error.kind()), Some(ErrorKind::Rejected));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// G10 for the operator: never more than burst + rate * t, through requests, refunds by
    /// cancels, skipped items and other rates.
    #[test]
    fn never_more_items_than_burst_and_rate_allow(
        (rate, burst) in (1..500_u32, 1..20_u64),
        acts in prop::collection::vec((0..50_u64, 0..6_u64, prop::bool::weighted(0.1)), 1..80),
    ) {
        let time = VirtualTime::new();
        let limit = limit(f64::from(rate), burst, &time);
        let flow = || {
            let skipping = range(0..u64::MAX).rate_limit(&limit);
            Probe::subscribe_to(skipping)
        };
        let mut probe = flow();
        let (mut passed, mut before) = (Duration::ZERO, 0);
        for (wait, n, cancels) in acts {
            time.advance(wait as u32 * MS);
            passed += wait as u32 * MS;
            if n > 0 {
                probe.request(n);
            }
            if cancels {
                probe.cancel();
                before += probe.n_items();
                probe = flow();
            }
            let most = burst as f64 + f64::from(rate) * passed.as_secs_f64() + 0.01;
            let items = before + probe.n_items();
            prop_assert!(items as f64 <= most, "{items} of {most}");
        }
        probe.cancel();
        prop_assert_eq!(time.n_timers(), 0);
    }
}
