//! `bench-report`: the book's page on performance, and its charts, from what was measured last.

use super::{book, build_cost};
use crate::shell::{Failure, Shell};

/// Writes the book's page on performance from the last run of the benchmarks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs the benchmarks and `build-cost` first, which takes about a quarter of an hour on a
    /// quiet machine.
    #[arg(long)]
    run: bool,
    /// Gives criterion's benchmarks less than a second each, and turns fewer rounds, for numbers
    /// that are good for large ratios alone, and leaves `build-cost` out.
    #[arg(long, requires = "run")]
    quick: bool,
}

/// What criterion takes for `--quick`.
const QUICK: &str = "--warm-up-time 0.2 --measurement-time 0.6 --sample-size 10";

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let report = shell.cargo("run --quiet --package millstream-benches --bin bench-report --");
    if !args.run {
        report.run()?;
        return book::fill(shell);
    }
    let settings = if args.quick { QUICK } else { "" };
    let bench = "bench --package millstream-benches --bench";
    shell.cargo(&format!("{bench} peers -- {settings}")).run()?;
    let turns = if args.quick { "turns -- --quick" } else { "turns" };
    for name in [turns, "latency", "memory"] {
        shell.cargo(&format!("{bench} {name}")).run()?;
    }
    if !args.quick {
        build_cost::run(shell)?;
    }
    let quick = if args.quick { " --quick" } else { "" };
    report.arg(&format!("cargo xtask bench-report --run{quick}")).run()?;
    // The README takes its numbers from the page.
    book::fill(shell)
}
