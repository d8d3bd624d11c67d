//! The matrix of limiters: every algorithm in every case.

use std::time::Duration;

use millstream_pressure::{
    Aimd, Algorithm, Criticality, Gradient, Gradient2, LimitConfig, Little, Reno, Target, Vegas,
};

use crate::{Change, Clients, Law, Phase, Report, Scenario, Service, Variant};

const SECOND: Duration = Duration::from_secs(1);

/// What an algorithm came to in a phase of a case.
#[derive(Clone, Debug)]
pub struct Row {
    /// The algorithm.
    pub algorithm: String,
    /// The case.
    pub case: String,
    /// The phase.
    pub phase: &'static str,
    /// Answers as a share of the capacity.
    pub goodput: f64,
    /// The mean limit as a multiple of the best one.
    pub limit: f64,
    /// Refusals at seven tenths of the capacity, as a share of attempts.
    pub refused: f64,
}

/// A service under changing load.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How service times are distributed.
    pub law: Law,
    /// Its workers, which is the best limit.
    pub workers: u32,
    /// The load of the first phase, as a multiple of the capacity.
    pub load: f64,
    /// How many times as long calls take in the second phase.
    pub slower: f64,
    /// The seed.
    pub seed: u64,
}

/// The algorithms that are compared, with the best limit for the fixed one.
fn candidates(workers: u32, service: Duration) -> Vec<(String, Algorithm)> {
    let window = Duration::from_millis(100);
    let vegas = |window| Algorithm::Vegas(Vegas { window, ..Vegas::default() });
    let gradient2 = |min, window| {
        Algorithm::Gradient2(Gradient2 { min, window, max: 1_000, ..Gradient2::default() })
    };
    let target = Target { latency: service.mul_f64(2.5), ..Target::default() };
    let aimd = Aimd { min: 1, max: 1_000, ..Aimd::default() };
    let all = [
        ("fixed at the best", Algorithm::Fixed(u64::from(workers))),
        ("target 2.5 x service", Algorithm::Target(target)),
        ("little", Algorithm::Little(Little::default())),
        ("gradient (Envoy)", Algorithm::Gradient(Gradient::default())),
        ("gradient2, 1 s", gradient2(20, SECOND)),
        ("gradient2, 100 ms, min 1", gradient2(1, window)),
        ("vegas, each call", vegas(Duration::ZERO)),
        ("vegas, 100 ms", vegas(window)),
        ("vegas, 1 s", vegas(SECOND)),
        ("aimd, time-out 5 s", Algorithm::Aimd(aimd)),
        ("reno", Algorithm::Reno(Reno::default())),
    ];
    all.map(|(name, algorithm)| (name.to_owned(), algorithm)).into()
}

fn scenario(case: &Case, phases: Vec<Phase>, changes: Vec<Change>, only: &[&str]) -> Scenario {
    let duration = phases.iter().map(|phase| phase.lasts).sum();
    let variant = |(name, algorithm): (String, Algorithm)| Variant {
        name,
        limit: Some(LimitConfig { algorithm, backlog: 0, ..LimitConfig::default() }),
        ..Variant::default()
    };
    let candidates = candidates(case.workers, case.law.mean()).into_iter();
    Scenario {
        name: case.name(),
        about: String::new(),
        duration,
        nodes: 1,
        clients: vec![Clients {
            name: String::new(),
            criticality: Criticality::Default,
            lane: 0,
            time: None,
            partition: None,
            arrivals: phases,
            timeout: None,
            retries: 0,
            backoff: crate::Backoff::default(),
        }],
        service: Service { workers: case.workers, time: case.law, changes },
        variants: candidates
            .filter(|(name, _)| only.is_empty() || only.iter().any(|start| name.starts_with(start)))
            .map(variant)
            .collect(),
    }
}

fn at(second: u32, workers: u32, slower: f64) -> Change {
    Change {
        at: second * SECOND,
        workers: Some(workers),
        slower: Some(slower),
        node: None,
        clients: None,
    }
}

impl Case {
    fn name(&self) -> String {
        let law = match self.law {
            Law::Constant(_) => "constant".to_owned(),
            Law::Exponential(_) => "exponential".to_owned(),
            Law::Lognormal { sigma, .. } => format!("lognormal {sigma}"),
            Law::Bimodal { .. } => "bimodal".to_owned(),
        };
        let ms = self.law.mean().as_secs_f64() * 1e3;
        format!("{law}, {} workers, {ms} ms, seed {}", self.workers, self.seed)
    }

    fn phase(&self, seconds: u32, load: f64) -> Phase {
        let capacity = f64::from(self.workers) / self.law.mean().as_secs_f64();
        Phase { lasts: seconds * SECOND, rate: load * capacity, ..Phase::default() }
    }

    /// Plays the case: each phase of overload comes after one of seven tenths of the capacity.
    /// Calls take longer, and workers are gone, at three times the load: at 1.4 times, which is
    /// what the step alone makes of seven tenths, even the best limit serves 91 % of the capacity.
    fn run(&self, only: &[&str]) -> Vec<Row> {
        let normal = || self.phase(20, 0.7);
        let overload = || self.phase(20, 3.0);
        let phases =
            vec![normal(), self.phase(20, self.load), normal(), overload(), normal(), overload()];
        let half = (self.workers / 2).max(1);
        let changes =
            vec![at(60, self.workers, self.slower), at(80, self.workers, 1.0), at(100, half, 1.0)];
        let scenario = scenario(self, phases, changes, only);
        let row = |report: &Report, phase, from: u32, best: u32| {
            let measures = report.between(from * SECOND, (from + 15) * SECOND);
            Row {
                algorithm: report.variant.clone(),
                case: self.name(),
                phase,
                goodput: measures.goodput(),
                limit: measures.limit / f64::from(best),
                refused: report.between(10 * SECOND, 20 * SECOND).refused_share(),
            }
        };
        scenario
            .run(self.seed)
            .iter()
            .flat_map(|report| {
                [
                    row(report, "load", 25, self.workers),
                    row(report, "latency", 65, self.workers),
                    row(report, "capacity", 105, half),
                ]
            })
            .collect()
    }
}

/// The main cases: three laws, 16 and 64 workers of 10 ms; ten times the load, twice the latency,
/// half the capacity. `only` are the beginnings of algorithms' names; all if there are none.
#[must_use]
pub fn main_cases(laws: &[Law], workers: &[u32], seed: u64, only: &[&str]) -> Vec<Row> {
    let mut rows = Vec::new();
    for &law in laws {
        for &workers in workers {
            rows.extend(Case { law, workers, load: 10.0, slower: 2.0, seed }.run(only));
        }
    }
    rows
}

/// Cases that nothing was chosen by: other sizes, times and laws.
#[must_use]
pub fn hold_out(seeds: &[u64], only: &[&str]) -> Vec<Row> {
    let ms = Duration::from_millis;
    let mut rows = Vec::new();
    for &seed in seeds {
        for (workers, mean, load) in [(4, ms(5), 2.0), (40, ms(100), 3.0), (200, ms(2), 1.2)] {
            for law in [Law::Exponential(mean), Law::Lognormal { mean, sigma: 1.5 }] {
                rows.extend(Case { law, workers, load, slower: 3.0, seed }.run(only));
            }
        }
    }
    rows
}

/// The last part of a long overload of one and a half times the capacity.
#[must_use]
pub fn drift(minutes: u32, seed: u64, only: &[&str]) -> Vec<Row> {
    let law = Law::Exponential(Duration::from_millis(10));
    let case = Case { law, workers: 16, load: 1.5, slower: 1.0, seed };
    let seconds = minutes * 60;
    let phases = vec![case.phase(seconds, case.load)];
    let reports = scenario(&case, phases, Vec::new(), only).run(seed);
    reports
        .iter()
        .map(|report| {
            let measures = report.between((seconds * 5 / 6) * SECOND, seconds * SECOND);
            Row {
                algorithm: report.variant.clone(),
                case: case.name(),
                phase: "drift",
                goodput: measures.goodput(),
                limit: measures.limit / 16.0,
                refused: measures.refused_share(),
            }
        })
        .collect()
}

/// How many calls' times an algorithm needs to settle after calls take twice as long, at three
/// times the load: until the limit stays from 0.75 to 1.4 of the best one.
///
/// By its median over a second, or over three where service times vary and a probe takes longer, so
/// that a probe of less than half of that does not count. What happens in the first half is not
/// seen, and is added.
#[must_use]
pub fn settling(law: Law, workers: u32, seed: u64, only: &[&str]) -> Vec<(String, f64)> {
    let case = Case { law, workers, load: 3.0, slower: 2.0, seed };
    let step = 30;
    let phases = vec![case.phase(70, 3.0)];
    let changes = vec![at(step, workers, 2.0)];
    let best = f64::from(workers);
    // In tenths of a second.
    let length = if matches!(law, Law::Constant(_)) { 10 } else { 30 };
    let reports = scenario(&case, phases, changes, only).run(seed);
    reports
        .iter()
        .map(|report| {
            let limits = report.limits();
            let after = &limits[step as usize * 10..];
            let is_off = |window: &[f64]| {
                let mut window = window.to_vec();
                let middle = window.len() / 2;
                let (_, median, _) = window.select_nth_unstable_by(middle, f64::total_cmp);
                !(0.75 * best..=1.4 * best).contains(&*median)
            };
            let last = after.windows(length).rposition(is_off).map_or(0, |index| index + 1);
            let settled = (last + length / 2) as f64 * 0.1;
            (report.variant.clone(), settled / (2.0 * law.mean().as_secs_f64()))
        })
        .collect()
}
