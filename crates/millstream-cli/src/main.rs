//! The program `millstream`.
//!
//! It is thin: what it does is the libraries'. A command writes to standard output, and what is
//! wrong to standard error. It ends with 0; with 1 if what was looked at is not as it should be;
//! with 2 if it could not do what it was told.

mod advise;
mod audit;
mod check;
mod demo;
mod docs;
mod file;
mod log;
mod page;
mod run;
mod simulate;
mod spill;
mod top;

use std::{
    error::Error,
    io::{self, BufWriter, ErrorKind, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Items are made on one thread and dropped on another, which this one is fast at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Backpressure from the command line: runs pipelines from a file, simulates services under load,
/// looks after durable queues, and advises on bounds.
#[derive(Debug, Parser)]
#[command(name = "millstream", version, arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Run(run::Args),
    Check(check::Args),
    Schema(check::SchemaArgs),
    Audit(audit::AuditArgs),
    Doctor(audit::DoctorArgs),
    /// Plays a scenario of load and failure, and says what came of it.
    Simulate(simulate::Args),
    Top(top::Args),
    /// Looks after the files of a durable queue.
    #[command(subcommand)]
    Spill(spill::Command),
    /// Says what theory knows before there is anything to measure.
    #[command(subcommand)]
    Advise(advise::Command),
    Completions(docs::Completions),
    Man(docs::Man),
}

/// What a command found, or why it could not look.
type Outcome = Result<Found, Box<dyn Error>>;

/// What a command found.
enum Found {
    /// All is as it should be.
    Good,
    /// It is not, for these reasons.
    Bad(Vec<String>),
}

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    // Not locked: a pipeline writes there as well.
    let mut out = BufWriter::new(io::stdout());
    let found = match command {
        Command::Demo(args) => args.run(&mut out),
        Command::Run(args) => args.run(&mut out),
        Command::Check(args) => args.run(&mut out),
        Command::Schema(args) => args.run(&mut out),
        Command::Audit(args) => args.run(&mut out),
        Command::Doctor(args) => args.run(&mut out),
        Command::Simulate(args) => args.run(&mut out),
        Command::Top(args) => args.run(&mut out),
        Command::Spill(command) => command.run(&mut out),
        Command::Advise(command) => command.run(&mut out),
        Command::Completions(args) => args.run(&mut out),
        Command::Man(args) => args.run(&mut out),
    };
    let found = found.and_then(|found| out.flush().map(|()| found).map_err(Into::into));
    match found {
        Ok(Found::Good) => ExitCode::SUCCESS,
        Ok(Found::Bad(why)) => {
            why.iter().for_each(|why| complain(why));
            ExitCode::from(1)
        }
        // Whoever read has had enough, such as `head`.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Says what is wrong.
fn complain(line: &str) {
    log::write("error", line, &[]);
}
