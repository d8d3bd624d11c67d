//! The options of a test executable: libtest's, and our own.

use std::path::PathBuf;

use clap::{
    ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum,
    builder::FalseyValueParser,
};
use libtest_mimic::Arguments;
use reactive_streams::rules::Level;

use crate::{
    advice::{numbers, statement_of},
    check::Check,
    settings::Overrides,
    suggest::near,
};

/// Libtest's options, and our own.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Only trials whose name contains one of these. Libtest's own option, which takes one here.
    #[arg(skip)]
    pub(crate) filters: Vec<String>,
    #[command(flatten)]
    pub(crate) libtest: Arguments,

    /// How long a signal that is due may take, in milliseconds
    #[arg(long, value_name = "MS", env = "RS_TCK_DEADLINE_MS", help_heading = HEADING)]
    deadline_ms: Option<u64>,
    /// How long to listen for signals that must not come, in milliseconds
    #[arg(long, value_name = "MS", env = "RS_TCK_QUIET_MS", help_heading = HEADING)]
    quiet_ms: Option<u64>,
    /// How long a call may take, in milliseconds
    #[arg(long, value_name = "MS", env = "RS_TCK_BUDGET_MS", help_heading = HEADING)]
    budget_ms: Option<u64>,
    /// Where drawn scripts begin
    #[arg(long, value_name = "NUMBER", env = "RS_TCK_SEED", help_heading = HEADING)]
    seed: Option<u64>,
    /// How many scripts are drawn
    #[arg(long, value_name = "NUMBER", env = "RS_TCK_CASES", help_heading = HEADING)]
    cases: Option<u64>,
    /// Only the checks of this rule; several times or with commas for several
    #[arg(long, env = "RS_TCK_RULE", value_delimiter = ',', help_heading = HEADING)]
    pub(crate) rule: Vec<String>,
    /// Only the checks of rules that are so binding
    #[arg(long, value_enum, env = "RS_TCK_LEVEL", value_delimiter = ',', help_heading = HEADING)]
    pub(crate) level: Vec<Binding>,
    /// Run in an order that is drawn from this seed
    #[arg(long, value_name = "SEED", env = "RS_TCK_SHUFFLE", help_heading = HEADING)]
    pub(crate) shuffle: Option<u64>,
    /// Write a document per check into this directory, for `rs-tck report`
    #[arg(long, value_name = "DIR", env = crate::report::DIRECTORY, help_heading = HEADING)]
    pub(crate) report_dir: Option<PathBuf>,
    /// A file of known violations
    #[arg(long, value_name = "FILE", env = crate::expectations::FILE, help_heading = HEADING)]
    pub(crate) expectations: Option<PathBuf>,
    /// Run each check in a process of its own
    #[arg(long, env = crate::harness::isolate::ISOLATE, value_parser = FalseyValueParser::new(),
        help_heading = HEADING)]
    pub(crate) isolate: bool,
}

const ABOUT: &str = "\
Judges implementations by the rules of Reactive Streams.

The first options are those of every Rust test executable. What is given on the command line
counts more than the environment, and that more than what the code declares.";

const HEADING: &str = "Options of the TCK";

const EXIT_CODES: &str = "\
Exit codes:
  0    no rule was broken, apart from known violations
  101  a rule was broken, or a known violation is gone or has expired
  2    the command, the environment or a file could not be understood
  3    nothing was executed, or only the harness failed";

/// Libtest's options bring a help text of their own, so that ours is set after them.
pub(crate) fn dressed(command: Command, about: &'static str) -> Command {
    command
        .about(about)
        .long_about(about)
        .help_template("{about}\n\n{usage-heading} {usage}\n\n{all-args}{after-help}")
        .after_help(EXIT_CODES)
        .mut_arg("filter", |filter| filter.index(1).num_args(0..).action(ArgAction::Append))
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Binding {
    Must,
    Should,
    May,
}

impl Options {
    /// Reads the command line and the environment; ends the process for `--help` and for mistakes.
    pub(crate) fn read() -> Self {
        Self::of(&dressed(Self::command(), ABOUT).get_matches())
    }

    /// What was matched.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let filters = matches.get_many::<String>("filter").into_iter().flatten().cloned().collect();
        let options = Self::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
        let libtest = Arguments { filter: None, ..options.libtest };
        Self { filters, libtest, ..options }
    }

    /// What was given from outside.
    pub(crate) fn overrides(&self) -> Overrides {
        let time = |ms: Option<u64>| ms.map(std::time::Duration::from_millis);
        Overrides {
            deadline: time(self.deadline_ms),
            quiet: time(self.quiet_ms),
            budget: time(self.budget_ms),
            seed: self.seed,
            cases: self.cases,
        }
    }

    /// Sees to it that the rules exist.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let is_known = |rule: &String| numbers().any(|number| number == rule);
        match self.rule.iter().find(|rule| !is_known(rule)) {
            Some(rule) => {
                Err(format!("there is no rule `{rule}`; near are {}", near(rule, numbers())))
            }
            None => Ok(()),
        }
    }

    /// Whether our own options ask for this check.
    pub(crate) fn selects(&self, check: &Check) -> bool {
        let binding = match statement_of(check.rule) {
            Some((Level::Should, _)) => Binding::Should,
            Some((Level::May, _)) => Binding::May,
            _ => Binding::Must,
        };
        (self.rule.is_empty() || self.rule.iter().any(|rule| rule == check.rule))
            && (self.level.is_empty() || self.level.contains(&binding))
    }

    /// Whether a trial of this name is asked for.
    pub(crate) fn names(&self, trial: &str) -> bool {
        let is_it = |filter: &String| match self.libtest.exact {
            true => trial == filter,
            false => trial.contains(filter.as_str()),
        };
        self.filters.is_empty() || self.filters.iter().any(is_it)
    }

    /// Whether libtest's options ask for something else than checks, so that an empty run is right.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let Arguments { ignored, bench, test, .. } = &self.libtest;
        *ignored || (*bench && !*test)
    }

    /// Whether every check of every subject was to run.
    pub(crate) fn is_whole(&self) -> bool {
        self.filters.is_empty()
            && self.libtest.skip.is_empty()
            && !self.is_elsewhere()
            && self.rule.is_empty()
            && self.level.is_empty()
    }
}
