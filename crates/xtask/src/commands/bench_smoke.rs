//! `bench-smoke`: every benchmark once, so that they keep compiling and keep their assertions.

use crate::shell::{Failure, Shell};

/// Runs each benchmark once, without measuring.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("bench --package millstream-benches -- --test").run()
}
