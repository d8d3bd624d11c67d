//! The self-test's subjects get the same verdicts through a child process as in this one.

use std::collections::{BTreeMap, BTreeSet};

use reactive_streams_tck::{Outcome, Overrides, Subject, Verdict, remote::Remote, selftest};

/// What differs, by a part of the name of the check, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("items_are_dropped_once", "items are counted in the process that makes them"),
    ("_races_", "threads of the TCK race, and which one is first is up to the machine"),
    ("from_many_threads", "the same"),
];

/// The subject that declares threads and is driven nevertheless, which only its own process knows.
const DRIVEN: &str = "oddity-40";

/// Those that take 5 or 15 ms for each item: so much time tells nothing about the wire.
const SLOW: [&str; 4] = ["oddity-15", "oddity-16", "oddity-42", "oddity-43"];

/// What an outcome comes to: whether it fails, the verdict's name, and the rules that were broken.
///
/// Recommendations about time are left out: a call that takes messages is given more of it.
fn come_to(outcome: &Outcome) -> (String, BTreeSet<&'static str>) {
    let is_time = |rule: &&str| matches!(*rule, "3.4" | "3.5");
    let rules = outcome.violations.iter().map(|violation| violation.rule);
    let rules: BTreeSet<_> = rules.filter(|rule| !is_time(rule)).collect();
    let verdict = match outcome.verdict {
        Verdict::Warned if rules.is_empty() => Verdict::Passed.name(),
        ref verdict => verdict.name(),
    };
    (verdict.to_owned(), rules)
}

fn remote_subjects() -> BTreeMap<String, Subject> {
    let command = vec![env!("CARGO_BIN_EXE_rs-tck-adapter").to_owned()];
    let subjects = Remote::new(command).subjects().expect("the adapter starts");
    subjects.into_iter().map(|subject| (subject.name().to_owned(), subject)).collect()
}

/// Judges each subject by each check, here and in the child.
fn compare(is_wanted: impl Fn(usize) -> bool) {
    let remote = remote_subjects();
    let mut differences = Vec::new();
    let (mut n_checks, mut n_slow) = (0, 0);
    for (_, own) in selftest::subjects().enumerate().filter(|(index, _)| is_wanted(*index)) {
        if own.name() == DRIVEN || SLOW.contains(&own.name()) {
            continue;
        }
        let other = &remote[own.name()];
        for check in own.checks() {
            if DIFFERENCES.iter().any(|(name, _)| check.name.contains(name)) {
                continue;
            }
            n_checks += 1;
            let here = own.run(check.name, Overrides::default());
            let there = other.run(check.name, Overrides::default());
            let is_slow = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Inconclusive(_));
            if is_slow(&here) || is_slow(&there) {
                n_slow += 1;
                continue;
            }
            let (here, there) = (come_to(&here), come_to(&there));
            // Another process may show more of a mistake, and never less.
            if here.0 != there.0 || !here.1.is_subset(&there.1) {
                let name = own.name();
                differences.push(format!("{name} {}: {here:?}, but {there:?}", check.name));
            }
        }
    }
    assert!(n_slow * 20 <= n_checks, "{n_slow} of {n_checks} checks were inconclusive");
    assert!(n_checks > 0);
    assert!(differences.is_empty(), "{n_checks} checks\n{}", differences.join("\n"));
}

#[test]
fn a_sample_gets_the_same_verdicts() {
    compare(|index| index % 31 == 0);
}

#[test]
#[ignore = "takes minutes: cargo test -p rs-tck-adapter --release -- --ignored"]
fn all_get_the_same_verdicts() {
    compare(|_| true);
}
