//! `bench-report`: the book's page on performance, and its charts, from what was measured last.

use crate::shell::{Failure, Shell};

/// Writes the book's page on performance from the last run of the benchmarks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs the benchmarks first, which takes a quarter of an hour on a quiet machine.
    #[arg(long)]
    pub(crate) run: bool,
}

pub(crate) fn run(shell: &Shell, is_run: bool) -> Result<(), Failure> {
    if is_run {
        for bench in ["peers", "latency", "memory"] {
            shell.cargo("bench --package millstream-benches --bench").arg(bench).run()?;
        }
    }
    shell.cargo("run --quiet --package millstream-benches --bin bench-report").run()
}
