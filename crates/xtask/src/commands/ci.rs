//! `ci`: everything the pipeline runs, in its order, up to the first red stage.

use std::{
    env, fs, process,
    time::{Duration, Instant},
};

use crate::{
    commands::{bench_smoke, check, features, instructions, models, test},
    shell::{Failure, Shell},
};

/// The whole pipeline: fetch, check, test, features, loom, shuttle, bench-smoke,
/// instructions, example.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

struct Stage {
    name: &'static str,
    run: fn(&Shell) -> Result<(), Failure>,
}

/// The cheap stages come first, so that most mistakes show within a minute.
const STAGES: [Stage; 9] = [
    Stage { name: "fetch", run: fetch },
    Stage { name: "check", run: check::run },
    Stage { name: "test", run: |shell| test::run(shell, None) },
    Stage { name: "features", run: features::run },
    Stage { name: "loom", run: |shell| models::run(shell, &models::LOOM, None) },
    Stage { name: "shuttle", run: |shell| models::run(shell, &models::SHUTTLE, None) },
    Stage { name: "bench-smoke", run: bench_smoke::run },
    Stage { name: "instructions", run: |shell| instructions::run(shell, false) },
    Stage { name: "example", run: example },
];

pub(crate) fn run() -> Result<(), Failure> {
    run_stages(&STAGES, &Shell::in_ci())
}

fn run_stages(stages: &[Stage], shell: &Shell) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut failure = None;
    for stage in stages {
        if failure.is_some() {
            rows.push(format!("{:<12} {:>8}  not run", stage.name, "-"));
            continue;
        }
        println!("\n== {}", stage.name);
        let (result, time) = timed(|| (stage.run)(shell));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        rows.push(format!("{:<12} {:>7.1}s  {verdict}", stage.name, time.as_secs_f64()));
        failure = result.err();
    }

    println!("\n{:<12} {:>8}  result", "stage", "time");
    for row in &rows {
        println!("{row}");
    }
    let n_passed = rows.iter().filter(|row| row.ends_with("ok")).count();
    let Some(failure) = failure else {
        println!("stages: {n_passed} passed, 0 failed");
        return Ok(());
    };
    println!("error: {failure}");
    // Nothing may follow this line: it is what a reader of the log looks for.
    println!("stages: {n_passed} passed, 1 failed");
    Err(failure.reported())
}

#[expect(clippy::disallowed_methods, reason = "the time of a stage is what a person waits for")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Everything that needs the network. Later stages do without, so that it can fail only here.
fn fetch(shell: &Shell) -> Result<(), Failure> {
    let attempt = || shell.cargo("fetch --locked").online().run();
    attempt().or_else(|_| attempt()).or_else(|_| attempt())
}

/// The main job on its sample, whose result has to be there afterwards.
fn example(shell: &Shell) -> Result<(), Failure> {
    let out = env::temp_dir().join(format!("millstream-ci-{}.jsonl", process::id()));
    let result = shell
        .cargo("run --release --package millstream-examples --example access_log -- --out")
        .arg(&out.display().to_string())
        .run();
    let n_lines = fs::read_to_string(&out).map_or(0, |text| text.lines().count());
    // It may be missing when the run failed.
    fs::remove_file(&out).ok();
    result?;
    println!("lines written: {n_lines}");
    if n_lines == 0 { Err(Failure::new("access_log wrote no lines")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Stage, run_stages};
    use crate::shell::{Failure, Shell};

    #[test]
    fn a_red_stage_stops_the_pipeline() {
        let stages = [
            Stage { name: "green", run: |_| Ok(()) },
            Stage { name: "red", run: |_| Err(Failure::new("planted")) },
            Stage { name: "later", run: |_| panic!("it must not run") },
        ];

        let result = run_stages(&stages, &Shell::in_ci());

        let failure = result.expect_err("a stage was red");
        assert_eq!(failure.to_string(), "planted");
        assert!(failure.is_reported());
    }
}
