//! Judges what another process hosts: the same trials, options and exit codes as in process.

#![expect(clippy::print_stderr, reason = "it is a program for the terminal")]

use std::{ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use super::{
    main::run,
    options::{Options, dressed},
};
use crate::remote::{Declared, Remote, Role};

/// The options of `judge` besides those of every test executable.
#[derive(Debug, Parser)]
#[command(name = "rs-tck judge")]
struct Judging {
    /// Only subjects of this role
    #[arg(long, value_enum, help_heading = HEADING)]
    role: Option<Role>,
    /// A file in TOML of what the subjects declare; flags count more
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    capabilities: Option<PathBuf>,
    /// How long the process may take to start, in seconds
    #[arg(long, value_name = "S", default_value_t = 60, help_heading = HEADING)]
    start_s: u64,
    #[command(flatten, next_help_heading = DECLARED)]
    declared: Declared,
    #[command(flatten)]
    options: Options,
}

const HEADING: &str = "Options of the process";
const DECLARED: &str = "What the subjects declare";

const ABOUT: &str = "\
Judges the subjects that another process hosts, in any language.

`rs-tck adapters` lists what hosts them: an adapter speaks the protocol on its standard input and output.
What is given on the command line counts more than a file, and that more than what the process declares.";

/// Judges what a command hosts, as these arguments say: options and filters, `--`, the command.
///
/// With `--isolate` each check has a process of its own.
/// The exit codes are those of [`main`](crate::main).
#[must_use]
pub fn judge(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = std::iter::once(OsString::from("rs-tck judge")).chain(arguments);
    let ours: Vec<OsString> = arguments.by_ref().take_while(|argument| argument != "--").collect();
    let command: Vec<String> =
        arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    let usage = "rs-tck judge [OPTIONS] [FILTER]... -- COMMAND [ARGUMENT]...";
    let matches = dressed(Judging::command(), ABOUT).override_usage(usage).get_matches_from(ours);
    let judging = Judging::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut options = Options::of(&matches);
    if command.is_empty() {
        eprintln!("rs-tck: which process? Put its command after `--`: {usage}");
        return ExitCode::from(2);
    }
    let mut remote = Remote::new(command);
    remote.role = judging.role;
    remote.patience = Duration::from_secs(judging.start_s);
    // The process is what is isolated, and not this one.
    remote.isolates = std::mem::take(&mut options.isolate);
    let subjects = judging
        .capabilities
        .map_or_else(|| Ok(Declared::default()), |file| Declared::read(&file))
        .and_then(|file| {
            remote.declared = judging.declared.or(&file);
            remote.subjects()
        });
    subjects.and_then(|subjects| run(&options, subjects)).unwrap_or_else(|message| {
        eprintln!("rs-tck: {message}");
        ExitCode::from(2)
    })
}
