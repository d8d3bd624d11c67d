//! `book`: fills the tables of the book's page of operators from their documentation.

use crate::shell::{Failure, Shell};

/// Fills the book's tables of operators from the sources.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("test --quiet --package xtask --test tidy -- --ignored fill_the_book").run()
}
