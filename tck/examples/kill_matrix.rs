//! Every mistake against every check: who catches what, by which rules, and how long it takes.
//!
//! Run it with `cargo run -p reactive-streams-tck --example kill_matrix`; it prints a line for each
//! mistake, and ends with 1 if one was not caught by its rule.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use reactive_streams_tck::{
    Overrides,
    checker::{Expectation, check_publisher},
    selftest::{Culprit, Mistake, publisher::MISTAKES},
    trace,
};

/// How one mistake came out.
struct Row {
    rules: BTreeSet<&'static str>,
    n_caught: usize,
    n_checks: usize,
    took: Duration,
}

fn row(mistake: &Mistake) -> Row {
    let mut row = Row { rules: BTreeSet::new(), n_caught: 0, n_checks: 0, took: Duration::ZERO };
    match mistake.culprit {
        Culprit::Subject(subject) => {
            let subject = subject();
            for check in subject.checks() {
                let outcome = subject.run(check.name, Overrides::default());
                row.n_checks += 1;
                row.n_caught += usize::from(!outcome.violations.is_empty());
                row.rules.extend(outcome.violations.iter().map(|violation| violation.rule));
                row.took += outcome.took;
            }
        }
        Culprit::Trace(text) => {
            let events = trace::parse(text).expect("recorded traces can be read");
            let found = check_publisher(&events, &Expectation::default());
            row.n_checks = 1;
            row.n_caught = usize::from(!found.is_empty());
            row.rules.extend(found.iter().map(|violation| violation.rule));
        }
        _ => {}
    }
    row
}

fn main() -> ExitCode {
    let (mut n_missed, mut took) = (0, Duration::ZERO);
    for mistake in MISTAKES {
        let row = row(mistake);
        let is_caught = mistake.rules.iter().any(|rule| row.rules.contains(rule));
        n_missed += usize::from(!is_caught);
        took += row.took;
        let rules: Vec<&str> = row.rules.into_iter().collect();
        println!(
            "{:<4} {} {:>2} of {:>2} checks {:>6} ms  {} [{}]",
            mistake.id,
            if is_caught { "caught" } else { "MISSED" },
            row.n_caught,
            row.n_checks,
            row.took.as_millis(),
            mistake.what,
            rules.join(" ")
        );
    }
    println!("{} mistakes, {n_missed} missed, {} ms", MISTAKES.len(), took.as_millis());
    ExitCode::from(u8::from(n_missed > 0))
}
