//! `features`: `millstream` compiles with none of its features, with each alone, and with all of
//! them.

use crate::shell::{Failure, Shell};

/// Checks `millstream` without its default features, with each optional one alone, and with all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    for features in [
        "--no-default-features",
        "--no-default-features --features codec",
        "--no-default-features --features crossbeam",
        "--no-default-features --features tower",
        "--no-default-features --features tracing",
        "--all-features",
    ] {
        shell.cargo(&format!("check --package millstream {features}")).run()?;
    }
    Ok(())
}
