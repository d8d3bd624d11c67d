//! `ci`: everything the pipeline runs, in its order, up to the first red stage.

use std::{
    env, fs, process,
    time::{Duration, Instant},
};

use clap::builder::PossibleValuesParser;

use crate::{
    commands::{
        bench_smoke, book, check, features, instructions, judge, models, mutants, package, page,
        pressure_report, rsocket, servers, test,
    },
    shell::{Failure, Shell},
    tools::{self, TOOLS, ThisMachine},
};

/// The whole pipeline. It installs what it needs where it may, and otherwise says what to install.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Runs these stages alone.
    #[arg(long, value_name = "STAGE", value_delimiter = ',', value_parser = stage_names())]
    only: Vec<String>,
    /// Runs this stage and those after it.
    #[arg(long, value_name = "STAGE", conflicts_with = "only", value_parser = stage_names())]
    from: Option<String>,
    /// Skips the stages that need these tools, and says so.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = tool_names())]
    without: Vec<String>,
}

/// A step of the pipeline.
struct Stage {
    name: &'static str,
    /// The names of [`TOOLS`] besides the C compiler, without which nothing is built.
    needs: &'static [&'static str],
    run: fn(&Shell) -> Result<(), Failure>,
}

/// One entry for each stage. The cheap ones come first, so that most mistakes show within minutes.
const STAGES: &[Stage] = &[
    Stage { name: "fetch", needs: &[], run: fetch },
    Stage { name: "check", needs: &["rustfmt", "clippy"], run: check::run },
    Stage { name: "test", needs: &[], run: |shell| test::run(shell, &test::Args::default()) },
    Stage { name: "servers", needs: &servers::NEEDS, run: servers::test },
    Stage { name: "book", needs: &["mdbook"], run: book::build },
    Stage { name: "features", needs: &[], run: features::run },
    Stage { name: "package", needs: &[], run: package::run },
    Stage { name: "loom", needs: &[], run: |shell| models::run(shell, &models::LOOM, None) },
    Stage { name: "shuttle", needs: &[], run: |shell| models::run(shell, &models::SHUTTLE, None) },
    Stage { name: "mutants", needs: &[], run: |shell| mutants::run(shell, &mutants::SAMPLE) },
    Stage { name: "bench-smoke", needs: &[], run: bench_smoke::run },
    Stage {
        name: "instructions",
        needs: &["valgrind"],
        run: |shell| instructions::run(shell, false),
    },
    Stage { name: "pressure", needs: &[], run: pressure_report::short },
    Stage { name: "example", needs: &[], run: example },
    Stage { name: "page", needs: &["node", "npm", "chromium", "promtool"], run: page::run },
    Stage { name: "judge", needs: &["node", "python3", "pip"], run: judge::run_in_ci },
    Stage {
        name: "rsocket",
        needs: &["node", "npm", "python3", "pip", "javac", "mvn"],
        run: rsocket::run_in_ci,
    },
];

fn stage_names() -> PossibleValuesParser {
    STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>().into()
}

fn tool_names() -> PossibleValuesParser {
    TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>().into()
}

/// What becomes of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plan {
    Run,
    /// It was not chosen.
    Leave,
    /// It needs this tool, which is not there.
    Skip(&'static str),
}

impl Args {
    /// What becomes of each stage.
    fn plans(&self, stages: &[Stage]) -> Vec<Plan> {
        let from = self.from.as_deref();
        let first = stages.iter().position(|stage| Some(stage.name) == from).unwrap_or(0);
        let is_chosen = |(index, stage): (usize, &Stage)| {
            index >= first
                && (self.only.is_empty() || self.only.iter().any(|name| name == stage.name))
        };
        let lacks = |name: &&&'static str| self.without.iter().any(|lacking| lacking == **name);
        let plan = |(index, stage): (usize, &Stage)| match stage.needs.iter().find(lacks) {
            _ if !is_chosen((index, stage)) => Plan::Leave,
            _ if self.without.iter().any(|name| name == "cc") => Plan::Skip("cc"),
            Some(name) => Plan::Skip(name),
            None => Plan::Run,
        };
        stages.iter().enumerate().map(plan).collect()
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let plans = args.plans(STAGES);
    let setup = || {
        let runs = STAGES.iter().zip(&plans).filter(|(_, plan)| **plan == Plan::Run);
        let mut needs: Vec<&str> = runs.flat_map(|(stage, _)| stage.needs).copied().collect();
        // The Kafka client's library, which every stage that compiles the workspace needs.
        needs.extend(["cc", "make", "c++"]);
        tools::provide(&needs, &mut ThisMachine::default())
    };
    run_stages(STAGES, &plans, setup, &Shell::in_ci())
}

fn run_stages(
    stages: &[Stage],
    plans: &[Plan],
    setup: impl FnOnce() -> Result<(), Failure>,
    shell: &Shell,
) -> Result<(), Failure> {
    println!("== setup");
    let (result, time) = timed(setup);
    let mut rows = vec![row("setup", Some(time), if result.is_ok() { "ok" } else { "FAILED" })];
    let mut failure = result.err();
    let (mut n_passed, mut total) = (0, time);
    for (stage, plan) in stages.iter().zip(plans) {
        match plan {
            Plan::Leave => continue,
            Plan::Skip(tool) => {
                println!("\n== {}: SKIPPED, because of `--without {tool}`", stage.name);
                rows.push(row(stage.name, None, &format!("SKIPPED: without {tool}")));
            }
            Plan::Run if failure.is_some() => rows.push(row(stage.name, None, "not run")),
            Plan::Run => {
                println!("\n== {}", stage.name);
                let (result, time) = timed(|| (stage.run)(shell));
                let verdict = if result.is_ok() { "ok" } else { "FAILED" };
                rows.push(row(stage.name, Some(time), verdict));
                n_passed += usize::from(result.is_ok());
                failure = result.err();
                total += time;
            }
        }
    }

    println!("\n{:<12} {:>8}  result", "stage", "time");
    rows.push(row("all", Some(total), ""));
    for row in &rows {
        println!("{row}");
    }
    if failure.is_none() && n_passed == 0 {
        failure = Some(Failure::new("no stage was run"));
    }
    let Some(failure) = failure else {
        println!("stages: {n_passed} passed, 0 failed");
        return Ok(());
    };
    println!("error: {failure}");
    // Nothing may follow this line: it is what a reader of the log looks for.
    println!("stages: {n_passed} passed, 1 failed");
    Err(failure.reported())
}

/// A row of the table at the end.
fn row(name: &str, time: Option<Duration>, verdict: &str) -> String {
    let time = time.map_or("-".to_owned(), |time| format!("{:.1}s", time.as_secs_f64()));
    format!("{name:<12} {time:>8}  {verdict}").trim_end().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the time of a stage is what a person waits for")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The crates: cargo is offline in all later stages. What other languages need is fetched where it
/// is built.
fn fetch(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("fetch --locked").online().run_thrice()
}

/// The main job on its sample, whose result has to be there afterwards, and a spill through little
/// memory.
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
    if n_lines == 0 {
        return Err(Failure::new("access_log wrote no lines"));
    }
    // The short form of the spill's bound on memory.
    let through_disk = "run --release --package millstream-spill --example through_disk --";
    shell.cargo(through_disk).arg("--gib").arg("0.25").arg("--at-most-mib").arg("64").run()
}

#[cfg(test)]
mod tests {
    use super::{Args, Plan, STAGES, Stage, run_stages};
    use crate::{
        shell::{Failure, Shell},
        tools::TOOLS,
    };

    const GREEN: Stage = Stage { name: "green", needs: &[], run: |_| Ok(()) };
    const RED: Stage =
        Stage { name: "red", needs: &["tool"], run: |_| Err(Failure::new("planted")) };
    const LATER: Stage = Stage { name: "later", needs: &[], run: |_| panic!("it must not run") };

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn run(stages: &[Stage], args: &Args) -> Result<(), String> {
        let result = run_stages(stages, &args.plans(stages), || Ok(()), &Shell::in_ci());
        result.map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_red_stage_stops_the_pipeline() {
        assert_eq!(run(&[GREEN, RED, LATER], &Args::default()), Err("planted".to_owned()));
    }

    #[test]
    fn a_setup_that_fails_stops_it_before_the_first_stage() {
        let setup = || Err(Failure::new("missing"));
        let plans = Args::default().plans(&[LATER]);

        let failure = run_stages(&[LATER], &plans, setup, &Shell::in_ci()).unwrap_err();

        assert_eq!(failure.to_string(), "missing");
        assert!(failure.is_reported());
    }

    #[test]
    fn stages_are_chosen_by_name_and_skipped_for_want_of_a_tool() {
        let stages = [GREEN, RED, LATER];
        let only = Args { only: names(&["green"]), ..Args::default() };
        let from = Args { from: Some("red".to_owned()), ..Args::default() };
        let without = Args { without: names(&["tool"]), ..Args::default() };
        let nothing = Args { without: names(&["cc"]), ..Args::default() };

        assert_eq!(only.plans(&stages), [Plan::Run, Plan::Leave, Plan::Leave]);
        assert_eq!(from.plans(&stages), [Plan::Leave, Plan::Run, Plan::Run]);
        assert_eq!(without.plans(&stages), [Plan::Run, Plan::Skip("tool"), Plan::Run]);
        assert_eq!(run(&stages, &only), Ok(()));
        assert_eq!(run(&[GREEN, RED], &without), Ok(()));
        assert_eq!(run(&stages, &nothing), Err("no stage was run".to_owned()));
    }

    #[test]
    fn every_need_is_a_tool() {
        for need in STAGES.iter().flat_map(|stage| stage.needs) {
            assert!(TOOLS.iter().any(|tool| tool.name == *need), "{need}");
        }
    }
}
