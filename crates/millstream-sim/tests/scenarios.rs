//! The scenario suite: each shows the failure without a policy, and the result with it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, time::Duration};

use millstream_sim::{Report, Scenario};

fn scenario(name: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let text = fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
    Scenario::from_yaml(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(name: &str) {
    for report in scenario(name).run(1) {
        let unmet: Vec<String> = report.unmet().iter().map(ToString::to_string).collect();
        assert!(unmet.is_empty(), "{name}, {}: {unmet:?}", report.variant);
        assert!(report.is_whole, "{name}, {}", report.variant);
    }
}

#[test]
fn normal_load_is_not_refused() {
    check("normal");
}

#[test]
fn bursts_are_bounded_by_the_deadline() {
    check("burst");
}

#[test]
fn a_sustained_overload_is_served_in_time() {
    check("sustained_overload");
}

#[test]
fn a_spike_is_over_when_it_is_over() {
    check("spike");
}

#[test]
fn a_retry_storm_ends() {
    check("retry_storm");
}

#[test]
fn a_flash_sale_serves_what_it_can() {
    check("flash_sale");
}

#[test]
fn what_is_urgent_does_not_wait_behind_what_is_not() {
    check("inversion");
}

#[test]
fn calls_that_hang_take_their_own_places() {
    check("pool_exhaustion");
}

#[test]
fn one_slow_partition_does_not_slow_the_others() {
    check("cascade");
}

#[test]
fn a_node_that_serves_nobody_is_found_out() {
    check("false_capacity");
}

#[test]
fn nothing_vanishes() {
    check("silent_drops");
}

#[test]
fn errors_come_through_a_log_spike() {
    check("log_spike");
}

#[test]
fn a_tenth_is_served_in_time() {
    check("ten_to_one");
}

/// With this seed, the limit once fell to 2 of 64 and stayed below 15: at few calls in progress the
/// latency was measured too low, and while the limit fell nothing told calls that take longer from
/// a queue.
#[test]
fn calls_that_take_longer_are_told_from_a_queue() {
    let text = "
name: latency
duration: 80s
clients:
  - arrivals: [{for: 20s, rate: 4480}, {for: 20s, rate: 64000}, {for: 40s, rate: 4480}]
service: {workers: 64, time: {constant: 10ms}, changes: [{at: 60s, slower: 2}]}
variants: [{name: little, limit: {algorithm: {little: {}}, backlog: 0}}]
";
    let report = &Scenario::from_yaml(text).unwrap().run(3)[0];
    let measures = report.between(Duration::from_secs(62), Duration::from_secs(80));
    assert!((57.6..83.2).contains(&measures.limit), "{}", measures.limit);
    assert!(measures.goodput() > 0.95, "{}", measures.goodput());
}

#[test]
fn every_file_is_in_the_suite() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let source = include_str!("scenarios.rs");
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("check(\"{name}\")")), "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report_byte_for_byte() {
    let all = |seed| {
        let reports = scenario("spike").run(seed);
        let texts = reports.iter().map(|report| report.to_json() + &report.to_svg());
        Report::table(&reports) + &texts.collect::<String>()
    };
    assert_eq!(all(7), all(7));
    assert_ne!(all(7), all(8));
}

fn error(text: &str) -> String {
    Scenario::from_yaml(text).unwrap_err().to_string()
}

const GOOD: &str = "
name: a
duration: 1s
clients: [{arrivals: [{for: 1s, rate: 10}]}]
service: {workers: 1, time: {constant: 1ms}}
variants: [{name: b}]
";

#[test]
fn what_is_wrong_in_a_file_is_said_with_its_place() {
    Scenario::from_yaml(GOOD).unwrap();
    let unknown = error(&GOOD.replace("duration: 1s", "duration: 1s\nspeed: 3"));
    assert!(unknown.contains("speed") && unknown.contains('4'), "{unknown}");
    let nested = error(&GOOD.replace("rate: 10", "rat: 10"));
    assert!(nested.contains("rat") && nested.contains("4:"), "{nested}");
    let unit = error(&GOOD.replace("duration: 1s", "duration: 1 parsec"));
    assert!(unit.contains("3:"), "{unit}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for (from, to, named) in [
        ("duration: 1s", "duration: 0s", "duration"),
        ("rate: 10", "rate: -1", "arrivals"),
        ("rate: 10", "rate: .nan", "arrivals"),
        ("rate: 10", "rate: .inf", "arrivals"),
        ("rate: 10", "rate: 10, burst: 0", "arrivals"),
        ("rate: 10", "trace: [0.5, 0.1]", "arrivals"),
        ("rate: 10}]", "rate: 10}], timeout: 0s", "timeout"),
        ("workers: 1", "workers: 0", "workers"),
        ("constant: 1ms", "constant: 0s", "service.time"),
        ("constant: 1ms", "lognormal: {mean: 1ms, sigma: .nan}", "service.time"),
        ("name: b", "name: b, retry_budget: -1", "retry_budget"),
        ("name: b", "name: b, limit: {algorithm: {fixed: 0}}", "fixed"),
        ("name: b", "name: b, queue: {capacity: 0}", "capacity"),
        ("name: b", "name: b, lanes: {floor: 2}", "floor"),
        ("name: b", "name: b, lanes: {}, queue: {}", "lanes and queue"),
        ("name: b", "name: b, shed: {max_delay: 0s}", "max_delay"),
        ("name: b", "name: b, bulkhead: {max_concurrent: 0}", "max_concurrent"),
        ("[{name: b}]", "[]", "variants"),
    ] {
        let error = error(&GOOD.replace(from, to));
        assert!(error.contains(named), "{to}: {error}");
    }
}
