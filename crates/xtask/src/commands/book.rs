//! `book`: fills the book's tables of operators from their documentation, and its page of keys
//! from the schema of pipelines.

use crate::shell::{Failure, Shell};

/// Fills the book's tables of operators, and its page of a pipeline's keys, from the sources.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("test --quiet --package xtask --test tidy -- --ignored fill_the_book").run()?;
    let keys = "test --quiet --package millstream-pipeline --all-features --test it -- --ignored";
    shell.cargo(keys).arg("fill_the_page").run()
}
