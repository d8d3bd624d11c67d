//! `bench-smoke`: every benchmark once, so that they keep compiling and keep their assertions, and
//! those of other languages compiled.

use super::bench_peers;
use crate::shell::{Failure, Shell};

/// Runs each benchmark once, without measuring, and compiles those of other languages.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    // In the profile of the tests, whose dependencies are compiled already: link-time optimization
    // of six programs would take minutes, and nothing is measured.
    shell.cargo("test --package millstream-benches --benches").run()?;
    bench_peers::compile(shell)
}
