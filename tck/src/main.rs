//! `rs-tck`: judges recorded traces, explains the rules, gathers reports, and tests the TCK itself.

#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

mod program;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use program::{adapters, check_trace, explain, list, report, selftest};
use reactive_streams_tck::judge;

/// Judges Reactive Streams by the rules of the specification.
#[derive(Debug, Parser)]
#[command(name = "rs-tck", version, after_help = EXIT_CODES)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing is wrong
  1  a rule was broken, or a mistake survived the self-test
  2  the command, a name or a file could not be understood
  3  there was nothing to judge";

#[derive(Debug, Subcommand)]
enum Command {
    /// List what hosts subjects of other languages, and how each is used
    Adapters(adapters::Options),
    /// Judge a recorded trace
    CheckTrace(check_trace::Options),
    /// Judge the subjects that another process hosts, in any language
    Judge {
        /// Options, filters, and after `--` the command that starts the process; see `judge --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Say what a rule asks for, how it is checked and what usually breaks it
    Explain(explain::Options),
    /// Name the checks, or what became of the JVM TCK's tests
    List(list::Options),
    /// Gather the documents of a run: console, JUnit, JSON, HTML, Markdown
    Report(report::Options),
    /// Show that the checks find every deliberate mistake, and flag nothing that is allowed
    Selftest(selftest::Options),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // The `--` before its command is its own.
    if arguments.next().is_some_and(|first| first == "judge") {
        return judge(arguments);
    }
    // Mistakes in the command end with 2, and `--help` and `--version` with 0.
    let result = match Program::parse().command {
        Command::Adapters(options) => adapters::run(&options),
        Command::CheckTrace(options) => check_trace::run(&options),
        Command::Judge { arguments } => Ok(judge(arguments)),
        Command::Explain(options) => explain::run(&options),
        Command::List(options) => list::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Selftest(options) => selftest::run(&options),
    };
    result.unwrap_or_else(|message| {
        eprintln!("rs-tck: {message}");
        ExitCode::from(2)
    })
}
