//! `rs-tck list`: the checks, and what became of the originals.

use std::process::ExitCode;

use clap::Args;
use reactive_streams_tck::{
    checks,
    jvm_tests::{Fate, originals},
};

use super::{Answer, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// List the tests of the JVM TCK instead, and what became of each
    #[arg(long)]
    originals: bool,
}

pub(crate) fn run(options: &Options) -> Answer {
    if options.originals {
        list_originals();
    } else {
        let width = checks().map(|check| check.name.len()).max().unwrap_or(0);
        say!("{:<12}{:<6}{:<width$}  TRIAL", "SUITE", "RULE", "CHECK");
        for check in checks() {
            let suite = check.suite.to_string();
            say!("{suite:<12}{:<6}{:<width$}  {}", check.rule, check.name, check.trial());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list_originals() {
    let (mut class, mut n_checked, mut n_dropped, mut n_silent) = ("", 0, 0, 0);
    for original in originals() {
        if original.class != class {
            class = original.class;
            say!("{class}");
        }
        let fate = match original.fate() {
            Fate::Checked(checks) => {
                n_checked += 1;
                let names: Vec<_> = checks.iter().map(|check| check.name).collect();
                names.join(", ")
            }
            Fate::Dropped(reason) => {
                n_dropped += 1;
                format!("dropped: {reason}")
            }
            Fate::NeverTested => {
                n_silent += 1;
                "does nothing there either".to_owned()
            }
            Fate::Open => "no check is named after it".to_owned(),
        };
        say!("  {}\n    {fate}", original.name);
    }
    let n_open = originals().count() - n_checked - n_dropped - n_silent;
    say!(
        "\n{n_checked} checked, {n_dropped} dropped with a reason, \
         {n_silent} that do nothing there either, {n_open} open"
    );
}
