//! Queueing numbers against the published ones.

use std::time::Duration;

use millstream_pressure::advice::{
    Advice, Latency, Loss, RoiInput, Situation, decide, erlang_b, erlang_c, little, loss, roi,
    useful_queue, usl_peak, usl_throughput, wait, wait_longer_than, wait_with_variation,
};

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-6, "{value} instead of {expected}");
}

#[test]
fn erlangs_formulas() {
    for (servers, utilization, waits, time) in [
        (1, 0.8, 0.8, 4.0),
        (2, 0.8, 0.711_111, 1.777_778),
        (4, 0.8, 0.596_432, 0.745_541),
        (16, 0.7, 0.129_676, 0.027_016),
        (16, 0.8, 0.304_884, 0.095_276),
        (16, 0.9, 0.591_343, 0.369_590),
        (64, 0.95, 0.588_011, 0.183_753),
    ] {
        assert_near(erlang_c(servers, utilization), waits);
        assert_near(wait(servers, utilization), time);
    }
    assert_near(erlang_b(16, 12.8), 0.080_647_2);
    assert_near(erlang_b(10, 7.0), 0.078_740_9);
}

#[test]
fn the_forms_agree_where_they_meet() {
    assert_near(wait_longer_than(4, 0.8, 0.0), erlang_c(4, 0.8));
    assert_near(wait_longer_than(1, 0.5, 2.0), 0.5 * (-1.0_f64).exp());
    assert_near(wait_with_variation(4, 0.8, 1.0, 1.0), wait(4, 0.8));
    assert_near(wait_with_variation(1, 0.5, 1.0, 0.0), 0.5);
    for (rho, k) in [(0.5, 1), (0.8, 10), (1.2, 5), (3.0, 7)] {
        let expected = (1.0 - rho) * f64::powi(rho, k) / (1.0 - f64::powi(rho, k + 1));
        assert_near(loss(rho, k as u32), expected);
    }
    assert_near(loss(1.0, 9), 0.1);
    assert_near(little(1_600.0, Duration::from_millis(10)), 16.0);
    assert_near(usl_throughput(1.0, 7.0, 0.1, 0.01), 7.0);
    let peak = usl_peak(0.1, 0.001);
    assert_near(peak, 30.0);
    let at = |n| usl_throughput(n, 1.0, 0.1, 0.001);
    assert!(at(peak) > at(peak - 1.0) && at(peak) > at(peak + 1.0));
}

#[test]
fn what_makes_no_sense_gives_the_bound_of_it() {
    assert_eq!((erlang_b(4, 0.0), erlang_b(4, f64::INFINITY)), (0.0, 1.0));
    assert!(erlang_b(4, f64::NAN).is_nan() && loss(f64::NAN, 3).is_nan());
    assert_eq!((erlang_c(4, 1.0), erlang_c(0, 0.5)), (1.0, 1.0));
    assert_eq!((wait(4, 1.5), wait(0, 0.5)), (f64::INFINITY, f64::INFINITY));
    assert_eq!((loss(0.0, 3), loss(-1.0, 3), loss(f64::INFINITY, 3)), (0.0, 0.0, 1.0));
    assert_eq!(usl_peak(0.1, 0.0), f64::INFINITY);
    let second = Duration::from_secs(1);
    assert_eq!(useful_queue(4, Duration::ZERO, second), u64::MAX);
    assert_eq!(useful_queue(4, second, second / 2), 0);
    assert_eq!(useful_queue(u64::MAX, Duration::from_nanos(1), Duration::MAX), u64::MAX);
}

#[test]
fn the_return_on_investment() {
    let input =
        RoiInput { per_second: 1e5, value: 0.001, cost_per_hour: 500.0, ..RoiInput::default() };
    let result = roi(&input);
    assert_near(result.dropped / 1e6, 0.432);
    assert_near(result.still_dropped / 1e6, 0.043_2);
    assert_near(result.crashes / 1e6, 0.008_64);
    assert_near(result.overhead / 1e6, 0.001_2);
    assert_near(result.benefit / 1e6, 0.396_24);
    assert_near(result.benefit_per_year / 1e9, 0.144_627_6);
    assert_near(result.percent.unwrap() / 1e5, 0.330_20);
    assert_eq!(roi(&RoiInput { cost_per_hour: 0.0, ..input }).percent, None);
}

#[test]
fn each_situation_has_its_advice() {
    let at =
        |loss, latency| Situation { is_high_volume: true, is_producer_faster: true, loss, latency };
    for (loss, latency, advice) in [
        (Loss::Old, Latency::Sensitive, Advice::DropOldest),
        (Loss::Some, Latency::Tolerant, Advice::Sample),
        (Loss::Nothing, Latency::Tolerant, Advice::Wait),
        (Loss::Nothing, Latency::Sensitive, Advice::Credits),
        (Loss::Nothing, Latency::SensitiveInBursts, Advice::Adaptive),
    ] {
        let situation = at(loss, latency);
        assert_eq!(decide(situation), advice);
        assert_eq!(decide(Situation { is_high_volume: false, ..situation }), Advice::Wait);
        assert_eq!(decide(Situation { is_producer_faster: false, ..situation }), Advice::Demand);
    }
}
