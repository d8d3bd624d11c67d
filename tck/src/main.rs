//! `rs-tck`: judges recorded traces and explains the rules.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::process::ExitCode;

use reactive_streams_tck::{
    checker::{Expectation, check_publisher},
    checks, trace,
};

const HELP: &str = "\
Judges Reactive Streams by the rules of the specification.

Usage:
  rs-tck check-trace FILE   judge a recorded trace of a publisher
  rs-tck explain RULE       say what a rule asks for, such as `rs-tck explain 3.9`
  rs-tck list               name the checks of publishers
  rs-tck --help             print this text

Exit codes:
  0  no rule was broken
  1  a rule was broken
  2  the command, the rule or the file could not be understood";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["check-trace", file] => check_trace(file),
        ["explain", rule] => explain(rule),
        ["list"] => {
            checks().for_each(|check| println!("{}", check.name));
            Ok(ExitCode::SUCCESS)
        }
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(format!("cannot understand the command\n\n{HELP}")),
    };
    result.unwrap_or_else(|message| {
        eprintln!("rs-tck: {message}");
        ExitCode::from(2)
    })
}

fn check_trace(file: &str) -> Result<ExitCode, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let trace = trace::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    if trace.is_empty() {
        return Err(format!("{file}: the trace is empty, so nothing was judged"));
    }
    let violations = check_publisher(&trace, &Expectation::default());
    for violation in &violations {
        println!("{violation}");
        if let Some(event) = trace.get(violation.at) {
            println!("  {event}");
        }
    }
    println!("{} events, {} violations", trace.len(), violations.len());
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn explain(number: &str) -> Result<ExitCode, String> {
    let rule = reactive_streams::rule(number)
        .ok_or_else(|| format!("there is no rule `{number}`; they go from 1.1 to 4.2"))?;
    println!(
        "{} ({:?}): {}\nEnsured {:?}: {}",
        number, rule.level, rule.statement, rule.ensured, rule.how
    );
    for check in checks().filter(|check| check.rule == number) {
        println!("  check {}", check.name);
    }
    Ok(ExitCode::SUCCESS)
}
