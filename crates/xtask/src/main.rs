//! `cargo xtask`: the project's own commands, the same at the desk and in the pipeline.
//!
//! Each command is one file under `commands` and prints what it runs before it runs it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool speaks through standard output")]

mod commands;
mod runner;
mod runner_lines;
mod shell;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{
    bench_report, bench_smoke, book, build_cost, check, ci, features, instructions, judge, kill9,
    models, mutants, package, page, pressure_report, rsocket, sanitize, servers, test,
};

use crate::shell::Shell;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Test(test::Args),
    /// The loom models of the kernel, each in its own process.
    Loom(models::Args),
    /// Whole pipelines under shuttle's random schedules, each test in its own process.
    Shuttle(models::Args),
    Mutants(mutants::Args),
    Sanitize(sanitize::Args),
    Features(features::Args),
    Package(package::Args),
    Page(page::Args),
    BenchSmoke(bench_smoke::Args),
    BenchReport(bench_report::Args),
    Instructions(instructions::Args),
    Judge(judge::Args),
    Kill9(kill9::Args),
    Servers(servers::Args),
    PressureReport(pressure_report::Args),
    BuildCost(build_cost::Args),
    Rsocket(rsocket::Args),
    Book(book::Args),
    Ci(ci::Args),
}

fn main() -> ExitCode {
    let shell = Shell::at_the_desk();
    let result = match Cli::parse().command {
        Command::Check(_) => check::run(&shell),
        Command::Test(args) => test::run(&shell, &args),
        Command::Loom(args) => models::run(&shell, &models::LOOM, args.filter.as_deref()),
        Command::Shuttle(args) => models::run(&shell, &models::SHUTTLE, args.filter.as_deref()),
        Command::Mutants(args) => mutants::run(&shell, &args),
        Command::Sanitize(args) => sanitize::run(&shell, &args),
        Command::Features(_) => features::run(&shell),
        Command::Package(_) => package::run(&shell),
        Command::Page(_) => page::run(&shell),
        Command::BenchSmoke(_) => bench_smoke::run(&shell),
        Command::BenchReport(args) => bench_report::run(&shell, &args),
        Command::Instructions(args) => instructions::run(&shell, args.bless),
        Command::Judge(args) => judge::run(&shell, &args),
        Command::Kill9(args) => kill9::run(&shell, &args),
        Command::Servers(args) => servers::run(&shell, &args),
        Command::PressureReport(args) => pressure_report::run(&shell, &args),
        Command::BuildCost(_) => build_cost::run(&shell),
        Command::Rsocket(args) => rsocket::run(&shell, &args),
        Command::Book(args) => book::run(&shell, &args),
        Command::Ci(args) => ci::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The pipeline prints its failure above its closing line.
            if !failure.is_reported() {
                println!("error: {failure}");
            }
            ExitCode::FAILURE
        }
    }
}
