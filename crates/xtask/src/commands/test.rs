//! `test`: every test but the models and the benchmarks, then the doctests.

use crate::{
    runner::{self, Settings},
    shell::{Call, Failure, Shell},
};

/// All tests and doctests, several executables at a time, with the slowest tests listed.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Runs only the tests whose name contains this text.
    filter: Option<String>,
    /// Only the tests of these packages.
    #[arg(short, long = "package", value_name = "NAME", value_delimiter = ',')]
    packages: Vec<String>,
}

/// Benchmarks have a command of their own.
const TARGETS: &str = "--all-features --tests --examples";

/// How many tests a process runs: starting one takes as long as a few of them.
const N_AT_A_TIME: usize = 100;

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let filter = args.filter.as_deref();
    let of_packages = |call: Call| match args.packages.as_slice() {
        [] => call.arg("--workspace"),
        packages => packages.iter().fold(call, |call, name| call.arg("--package").arg(name)),
    };
    let executables = runner::build(of_packages(shell.cargo(&format!("test {TARGETS}"))))?;
    let settings = Settings { n_at_a_time: N_AT_A_TIME, filter, variables: Vec::new() };
    runner::run(shell, &executables, &settings)?;
    let doctests = of_packages(shell.cargo("test --all-features --doc"));
    filter.into_iter().fold(doctests, |call, filter| call.arg("--").arg(filter)).run()
}
