//! `test`: every test but the models and the benchmarks, then the doctests.

use crate::{
    runner::{self, Settings},
    shell::{Failure, Shell},
};

/// All tests and doctests, several executables at a time, with the slowest tests listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only the tests whose name contains this text.
    pub(crate) filter: Option<String>,
}

/// Benchmarks have a command of their own.
const TARGETS: &str = "--workspace --all-features --tests --examples";

/// How many tests a process runs: starting one takes as long as a few of them.
const N_AT_A_TIME: usize = 100;

pub(crate) fn run(shell: &Shell, filter: Option<&str>) -> Result<(), Failure> {
    let executables = runner::build(shell.cargo(&format!("test {TARGETS}")))?;
    let settings = Settings { n_at_a_time: N_AT_A_TIME, filter, variables: Vec::new() };
    runner::run(shell, &executables, &settings)?;
    let doctests = shell.cargo("test --workspace --all-features --doc");
    filter.into_iter().fold(doctests, |call, filter| call.arg(filter)).run()
}
