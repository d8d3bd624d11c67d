//! `check`: what can be said without running the code.

use crate::shell::{Failure, Shell};

/// Format, clippy, rustdoc and tidy, each without a warning.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("fmt --all -- --check").run()?;
    shell.cargo("clippy --workspace --all-targets --all-features -- -D warnings").run()?;
    shell
        .cargo("doc --workspace --all-features --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    shell.cargo("test --quiet --package xtask --test tidy").run()
}
