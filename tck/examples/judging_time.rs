//! How long it takes to judge a correct publisher by all checks.
//!
//! Run it with `cargo run --release -p reactive-streams-tck --example judging_time`.
//! The time for the synchronous publisher and that for the one on the TCK's scheduler have to be
//! below 100 ms.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::Duration;

use reactive_streams_tck::{
    Capabilities, Overrides, Subject,
    reference::{items, iterate, on_thread, on_turns, range},
};

/// The checks that were run, the slowest of them, and how long all took.
fn judge(subject: &Subject) -> (usize, Duration, &'static str, Duration) {
    let (mut n_checks, mut took) = (0, Duration::ZERO);
    let (mut longest, mut name) = (Duration::ZERO, "");
    for check in subject.checks() {
        let outcome = subject.run(check.name, Overrides::default());
        assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
        n_checks += 1;
        took += outcome.took;
        if outcome.took > longest {
            (longest, name) = (outcome.took, check.name);
        }
    }
    (n_checks, longest, name, took)
}

fn main() {
    let all = Capabilities::new();
    let subjects = [
        Subject::cloneable("synchronous", all, range),
        Subject::cloneable("counted items", all, |n| iterate(items(n))),
        Subject::on_turns("on turns", all, |n, turns| on_turns(range(n), turns)),
        Subject::of("on a thread", all.asynchronous(), |n| on_thread(range(n))),
    ];
    for subject in subjects {
        // Once to warm up.
        let _first = judge(&subject);
        let (n_checks, longest, name, took) = judge(&subject);
        println!(
            "{:<14} {n_checks} checks in {:.1} ms; the longest: {name}, {:.1} ms",
            subject.name(),
            took.as_secs_f64() * 1e3,
            longest.as_secs_f64() * 1e3
        );
    }
}
