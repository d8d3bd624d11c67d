//! `test`: every test but the loom models and the benchmarks, then the doctests.

use crate::shell::{Failure, Shell};

/// All tests and doctests, with cargo-nextest where it is installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only the tests whose name contains this text.
    pub(crate) filter: Option<String>,
}

/// The targets of both runners: benchmarks have a command of their own.
const TARGETS: &str = "--workspace --all-features --tests --examples";

pub(crate) fn run(shell: &Shell, filter: Option<&str>) -> Result<(), Failure> {
    let tests = if shell.has_nextest() {
        println!("runner: cargo-nextest");
        let profile = if shell.is_ci() { "ci" } else { "default" };
        shell.cargo(&format!("nextest run --profile {profile} {TARGETS}"))
    } else {
        println!("runner: cargo test, since cargo-nextest is not installed");
        shell.cargo(&format!("test {TARGETS}"))
    };
    let doctests = shell.cargo("test --workspace --all-features --doc");

    let Some(filter) = filter else {
        tests.run()?;
        return doctests.run();
    };
    // The text may match a doctest alone, which nextest would take for a mistake.
    let tests = if shell.has_nextest() { tests.arg("--no-tests=warn") } else { tests };
    tests.arg(filter).run()?;
    doctests.arg(filter).run()
}
