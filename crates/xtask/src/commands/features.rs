//! `features`: `millstream` compiles with none of its features and with all of them.

use crate::shell::{Failure, Shell};

/// Checks `millstream` without its default features and with all features.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    for features in ["--no-default-features", "--all-features"] {
        shell.cargo("check --package millstream").arg(features).run()?;
    }
    Ok(())
}
