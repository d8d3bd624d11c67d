//! `features`: `millstream` compiles with none of its features and with all of them, and what is behind
//! a feature does what its tests say.

use crate::shell::{Failure, Shell};

/// Checks `millstream` without its default features and with all features, and tests what needs one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    for features in ["--no-default-features", "--all-features"] {
        shell.cargo("check --package millstream").arg(features).run()?;
    }
    let behind_a_feature = "-- traced peek::log peek::instrument";
    shell
        .cargo(&format!("test --package millstream --all-features --tests {behind_a_feature}"))
        .run()
}
