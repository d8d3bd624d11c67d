//! `pressure-report`: what the policies come to in simulation, and the book's page about it.

use crate::shell::{Call, Failure, Shell};

/// Measures the goals of the policies in simulation: a short form, of which nothing may be lost.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs every case for every algorithm, which takes some minutes, and writes the book's page.
    #[arg(long)]
    run: bool,
}

/// The goals that hold in the short form, by their numbers.
const HELD: &str = "G01,G02,G03,G05,G06,G08,G09,G10,G11,G12,G18,G21,G22,G23,F";

const PAGE: &str = "docs/book/src/pressure-figures.md";

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    if !args.run {
        return short(shell);
    }
    report(shell).arg("--page").arg(PAGE).run()
}

/// The stage of the pipeline: fails when a goal that held no longer does.
pub(crate) fn short(shell: &Shell) -> Result<(), Failure> {
    report(shell).arg("--held").arg(HELD).run()
}

fn report(shell: &Shell) -> Call {
    shell.cargo("run --quiet --release --package millstream-sim --example pressure_report --")
}
