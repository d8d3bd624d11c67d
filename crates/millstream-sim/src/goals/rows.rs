//! Goals that need a simulated service, one row each.

use std::time::Duration;

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Algorithm, ConcurrencyLimit, LimitConfig, Permit, Policy as _, Random, Share,
};

use super::{Row, checks, drift, hold_out, main_cases, settling};
use crate::{Law, Report, Scenario};

const TEN: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What takes a minute, on a few cases and for the algorithms that hold a goal.
    Short,
    /// Every case, for every algorithm.
    Full,
}

/// A goal, and what came of it.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Its number.
    pub number: &'static str,
    /// What is to hold.
    pub claim: &'static str,
    /// What was measured.
    pub measured: String,
    /// Whether it holds.
    pub is_held: bool,
    /// The seeds.
    pub seeds: &'static str,
}

/// What was measured, for the page.
#[derive(Debug)]
pub struct Findings {
    /// The goals.
    pub goals: Vec<Goal>,
    pub(super) main: Vec<Row>,
    pub(super) hold_out: Vec<Row>,
    pub(super) drift: Vec<Row>,
    pub(super) settling: Vec<(String, String, f64)>,
    pub(super) scenarios: Vec<(Scenario, Vec<Report>)>,
}

/// The scenario files that the page shows, by their text.
const SCENARIOS: [&str; 13] = [
    include_str!("../../scenarios/normal.yaml"),
    include_str!("../../scenarios/burst.yaml"),
    include_str!("../../scenarios/sustained_overload.yaml"),
    include_str!("../../scenarios/spike.yaml"),
    include_str!("../../scenarios/retry_storm.yaml"),
    include_str!("../../scenarios/flash_sale.yaml"),
    include_str!("../../scenarios/inversion.yaml"),
    include_str!("../../scenarios/pool_exhaustion.yaml"),
    include_str!("../../scenarios/cascade.yaml"),
    include_str!("../../scenarios/false_capacity.yaml"),
    include_str!("../../scenarios/silent_drops.yaml"),
    include_str!("../../scenarios/log_spike.yaml"),
    include_str!("../../scenarios/ten_to_one.yaml"),
];

/// The algorithm that goals are about.
const OURS: &str = "little";

/// Measures everything.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "what is read is part of this crate")]
pub fn goals(depth: Depth) -> Findings {
    let is_short = depth == Depth::Short;
    let only: &[&str] = if is_short { &[OURS] } else { &[] };
    let exponential = Law::Exponential(TEN);
    let laws = [exponential, Law::Constant(TEN), Law::Lognormal { mean: TEN, sigma: 1.0 }];
    let (laws, workers): (&[Law], &[u32]) =
        if is_short { (&laws[..1], &[16]) } else { (&laws, &[16, 64]) };
    let main = main_cases(laws, workers, 1, only);
    let drift = drift(if is_short { 5 } else { 30 }, 1, only);
    let hold_out = if is_short { Vec::new() } else { hold_out(&[1, 777], only) };
    let mut settled = Vec::new();
    for &workers in workers {
        for &law in laws {
            let name = match law {
                Law::Constant(_) => "CV 0",
                Law::Exponential(_) => "CV 1",
                _ => "CV 1.3",
            };
            let case = format!("{name}, {workers} workers");
            let rows = settling(law, workers, 1, only).into_iter();
            settled.extend(rows.map(|(algorithm, n)| (algorithm, case.clone(), n)));
        }
    }
    let scenarios: Vec<(Scenario, Vec<Report>)> = SCENARIOS
        .into_iter()
        .map(|text| {
            let scenario = Scenario::from_yaml(text).expect("a test reads each of them");
            let reports = scenario.run(1);
            (scenario, reports)
        })
        .collect();
    let mut goals = vec![matrix_goal(&main), drift_goal(&drift), settling_goal(&settled)];
    if !is_short {
        goals.push(hold_out_goal(&hold_out));
    }
    goals.push(delay_goal());
    goals.push(storm_goal());
    let n_steps = if is_short { 50_000 } else { 1_000_000 };
    goals.push(checks::accounting(n_steps));
    goals.push(checks::credits(n_steps / 10));
    goals.push(checks::rate(n_steps / 10));
    goals.push(checks::breaker(n_steps / 1_000));
    goals.push(partition_goal());
    goals.push(lanes_goal());
    goals.push(checks::jitter());
    goals.push(checks::prediction());
    goals.push(checks::hierarchy());
    goals.push(suite_goal(&scenarios));
    Findings { goals, main, hold_out, drift, settling: settled, scenarios }
}

fn ours(rows: &[Row]) -> Vec<&Row> {
    rows.iter().filter(|row| row.algorithm == OURS).collect()
}

pub(super) fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

pub(super) fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn matrix_goal(rows: &[Row]) -> Goal {
    let ours = ours(rows);
    let goodput = least(ours.iter().map(|row| row.goodput));
    let low = least(ours.iter().map(|row| row.limit));
    let high = most(ours.iter().map(|row| row.limit));
    let refused = most(ours.iter().map(|row| row.refused));
    Goal {
        number: "G01",
        claim: "Main cases: limit 0.9 to 1.3 of the best, goodput at least 95 % of the capacity in \
                each, refusals at most 0.1 % at 0.7 load",
        measured: format!(
            "limit {low:.2} to {high:.2}, goodput at least {:.1} %, refusals at most {:.2} %",
            100.0 * goodput,
            100.0 * refused
        ),
        is_held: low >= 0.9 && high <= 1.3 && goodput >= 0.95 && refused <= 0.001,
        seeds: "1",
    }
}

fn drift_goal(rows: &[Row]) -> Goal {
    let ours = ours(rows);
    let goodput = least(ours.iter().map(|row| row.goodput));
    let limit = most(ours.iter().map(|row| row.limit));
    Goal {
        number: "G02",
        claim: "At 1.5 times the capacity for 30 minutes: limit at most 1.5 of the best, goodput at \
                least 95 %",
        measured: format!("limit {limit:.2}, goodput {:.1} %", 100.0 * goodput),
        is_held: limit <= 1.5 && goodput >= 0.95,
        seeds: "1",
    }
}

fn settling_goal(rows: &[(String, String, f64)]) -> Goal {
    let of = |start: &str| {
        let ours = rows.iter().filter(|row| row.0 == OURS && row.1.starts_with(start));
        most(ours.map(|row| row.2))
    };
    let (constant, varying) = (of("CV 0"), of("CV 1"));
    Goal {
        number: "G03",
        claim: "Settled after calls take twice as long: within 50 of them at CV 0, within 350 at CV \
                1 and more",
        measured: format!("{constant:.0} at CV 0, {varying:.0} at CV 1 and more"),
        is_held: constant <= 50.0 && varying <= 350.0,
        seeds: "1",
    }
}

fn hold_out_goal(rows: &[Row]) -> Goal {
    let ours = ours(rows);
    let goodput = least(ours.iter().map(|row| row.goodput));
    let middle = median(ours.iter().map(|row| row.goodput));
    Goal {
        number: "G04",
        claim: "Hold-out cases: median goodput at least 90 %, none below 60 %",
        measured: format!("median {:.1} %, least {:.1} %", 100.0 * middle, 100.0 * goodput),
        is_held: middle >= 0.9 && goodput >= 0.6,
        seeds: "1, 777",
    }
}

/// One service of 16 workers and 10 ms behind a queue with controlled delay.
fn delay_goal() -> Goal {
    let mut worst = (1.0_f64, 0.0_f64, 0.0_f64);
    for load in [1.2, 2.0, 10.0] {
        let rate = 1_600.0 * load;
        let text = format!(
            "name: load\nduration: 30s\nclients: [{{arrivals: [{{for: 30s, rate: {rate}}}], timeout: \
             100ms}}]\nservice: {{workers: 16, time: {{exponential: 10ms}}}}\nvariants: [{{name: \
             delay, queue: {{capacity: 1000, when_full: reject, discipline: {{controlled_delay: \
             {{target: 5ms, interval: 100ms}}}}}}}}]\n"
        );
        let scenario = Scenario::from_yaml(&text).expect("it is written here");
        let measures = scenario.run(1)[0].between(5 * SECOND, 30 * SECOND);
        worst.0 = worst.0.min(measures.goodput());
        worst.1 = worst.1.max(measures.late_share());
        worst.2 = worst.2.max(measures.quantile(0.99) / TEN.as_secs_f64());
    }
    let (goodput, late, p99) = worst;
    Goal {
        number: "G05",
        claim: "Controlled delay at 1.2, 2 and 10 times the capacity, deadline 10 service times: \
                goodput at least 99 %, late at most 0.1 %, p99 at most 7 service times",
        measured: format!(
            "goodput at least {:.1} %, late at most {:.2} %, p99 at most {p99:.1}",
            100.0 * goodput,
            100.0 * late
        ),
        is_held: goodput >= 0.99 && late <= 0.001 && p99 <= 7.0,
        seeds: "1",
    }
}

/// Seconds until the goodput stays at nine tenths, after the capacity has come back at 15 s.
fn recovery(report: &Report) -> Option<usize> {
    let seconds = report.seconds();
    let last = seconds.iter().rposition(|second| second.measures.goodput() < 0.9);
    match last {
        Some(last) if last + 1 == seconds.len() => None,
        Some(last) => Some((last + 1).saturating_sub(15)),
        None => Some(0),
    }
}

fn storm_goal() -> Goal {
    let scenario = Scenario::from_yaml(SCENARIOS[4]).expect("a test reads it");
    let reports = scenario.run(1);
    let after = |report: &Report| report.between(31 * SECOND, 60 * SECOND).amplification();
    let recoveries: Vec<Option<usize>> = reports.iter().map(recovery).collect();
    let said = |recovery: Option<usize>| recovery.map_or("never".to_owned(), |n| format!("{n} s"));
    let within = |recovery: Option<usize>, most: usize| recovery.is_some_and(|n| n <= most);
    let attempts = most(reports[1..].iter().map(after));
    Goal {
        number: "G06",
        claim: "70 % of the capacity lost for 5 s, 3 retries: recovery within 1 s with controlled \
                delay, within 15 s with a budget alone, attempts at most 1.05 of the requests after",
        measured: format!(
            "without: {}; budget: {}; controlled delay: {}; both: {}; attempts {attempts:.2}",
            said(recoveries[0]),
            said(recoveries[1]),
            said(recoveries[2]),
            said(recoveries[3])
        ),
        is_held: recoveries[0].is_none()
            && within(recoveries[1], 15)
            && within(recoveries[2], 1)
            && within(recoveries[3], 1)
            && attempts <= 1.05,
        seeds: "1",
    }
}

/// A partition that needs less than its share, beside one that offers ten times the limit.
fn partition_goal() -> Goal {
    let time = VirtualTime::new();
    let partitions = vec![Share::new("live", 0.3), Share::new("batch", 0.5)];
    let algorithm = Algorithm::Fixed(20);
    let config = LimitConfig { algorithm, partitions, ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("limit", config, &time).expect("it is valid");
    let live = limit.partition("live").expect("it is configured");
    let batch = limit.partition("batch").expect("it is configured");
    let mut random = Random::seeded(1);
    let mut calls: Vec<(u64, Permit)> = Vec::new();
    let (mut asked, mut granted, mut highest) = (0_u32, 0_u32, 0);
    for step in 0..60_000_u64 {
        time.advance(Duration::from_millis(1));
        calls.retain(|&(ends, _)| ends > step);
        for _ in 0..20 {
            calls.extend(batch.try_acquire().map(|permit| (step + 1 + random.below(20), permit)));
        }
        if random.below(10) < 3 {
            // Beyond its share it gets what others leave, if anything.
            let is_due = limit.snapshot().partitions[0].in_flight < 6;
            asked += u32::from(is_due);
            if let Ok(permit) = live.try_acquire() {
                calls.push((step + 1 + random.below(20), permit));
                granted += u32::from(is_due);
            }
        }
        highest = highest.max(limit.snapshot().in_flight);
    }
    let share = f64::from(granted) / f64::from(asked);
    Goal {
        number: "G12",
        claim: "Each partition gets at least 0.98 of the smaller of its demand and its share while \
                another offers ten times the limit; never more than the limit in progress",
        measured: format!("{share:.3} of the demand; at most {highest} of 20 in progress"),
        is_held: share >= 0.98 && highest <= 20,
        seeds: "1",
    }
}

/// Interactive calls alone, and beside batch work of ten times the capacity.
fn lanes_goal() -> Goal {
    let scenario = Scenario::from_yaml(SCENARIOS[6]).expect("a test reads it");
    let mut alone = scenario.clone();
    alone.clients[1].arrivals.iter_mut().for_each(|phase| phase.rate = 0.0);
    let measure = |scenario: &Scenario, clients: &str| {
        let reports = scenario.run(1);
        reports[1].between_of(clients, 5 * SECOND, 20 * SECOND).expect("there are such clients")
    };
    let unloaded = measure(&alone, "interactive").quantile(0.99);
    let loaded = measure(&scenario, "interactive").quantile(0.99);
    let batch = measure(&scenario, "batch");
    let share = batch.good as f64 / batch.capacity;
    Goal {
        number: "G18",
        claim: "Lanes: the p99 of interactive calls at most twice that without load while batch work \
                offers ten times the capacity, and batch work keeps its floor of 5 %",
        measured: format!(
            "p99 {:.1} ms without load, {:.1} ms with; batch gets {:.0} % of the capacity",
            1e3 * unloaded,
            1e3 * loaded,
            100.0 * share
        ),
        is_held: loaded <= 2.0 * unloaded && share >= 0.05,
        seeds: "1",
    }
}

fn suite_goal(scenarios: &[(Scenario, Vec<Report>)]) -> Goal {
    let all = || scenarios.iter().flat_map(|(_, reports)| reports);
    let n_unmet: usize = all().map(|report| report.unmet().len()).sum();
    let n_broken = all().filter(|report| !report.is_whole).count();
    Goal {
        number: "F",
        claim: "Each scenario shows the failure without the policy and the result with it, and every \
                attempt is accounted for",
        measured: format!("{n_unmet} expectations not met, {n_broken} ledgers not whole"),
        is_held: n_unmet == 0 && n_broken == 0,
        seeds: "1",
    }
}
