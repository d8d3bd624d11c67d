//! `bench-report`: the book's pages on performance, and their charts, from what was measured last.

use super::{bench_peers, book, build_cost};
use crate::shell::{Failure, Shell};

/// Writes the book's pages on performance from the last run of the benchmarks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs the benchmarks, other languages beside them, and `build-cost` first, which takes about
    /// 40 minutes on a quiet machine.
    #[arg(long)]
    run: bool,
    /// Gives criterion's benchmarks less than a second each, and turns fewer rounds, for numbers
    /// that are good for large ratios alone, and leaves `build-cost` out.
    #[arg(long, requires = "run")]
    quick: bool,
    /// Runs the operators beside other languages alone.
    #[arg(long, requires = "run", conflicts_with = "quick")]
    peers: bool,
    /// Runs them alone and once, with few runs of each, in about three minutes. Numbers of the JVM
    /// are those before its compilers are done.
    #[arg(long, requires = "run", conflicts_with = "quick")]
    short: bool,
}

/// Has `bench-report` leave the page of what was not measured as it is.
const PEERS_ALONE: &str = "--peers-alone";

/// What criterion takes for `--quick`.
const QUICK: &str = "--warm-up-time 0.2 --measurement-time 0.6 --sample-size 10";

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let report = shell.cargo("run --quiet --package millstream-benches --bin bench-report --");
    if !args.run {
        report.run()?;
        return book::fill(shell);
    }
    let is_of_peers_alone = args.peers || args.short;
    if !is_of_peers_alone {
        measure_rust(shell, args.quick)?;
    }
    bench_peers::run(shell, args.short || args.quick)?;
    let flags = [(args.quick, " --quick"), (args.peers, " --peers"), (args.short, " --short")];
    let flags: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect();
    let report = report.arg(&format!("cargo xtask bench-report --run{flags}"));
    if is_of_peers_alone { report.arg(PEERS_ALONE) } else { report }.run()?;
    // The README takes its numbers from the pages.
    book::fill(shell)
}

/// What runs in Rust alone.
fn measure_rust(shell: &Shell, is_quick: bool) -> Result<(), Failure> {
    let settings = if is_quick { QUICK } else { "" };
    let bench = "bench --package millstream-benches --bench";
    shell.cargo(&format!("{bench} peers -- {settings}")).run()?;
    let turns = if is_quick { "turns -- --quick" } else { "turns" };
    for name in [turns, "latency", "memory"] {
        shell.cargo(&format!("{bench} {name}")).run()?;
    }
    if is_quick { Ok(()) } else { build_cost::run(shell) }
}
