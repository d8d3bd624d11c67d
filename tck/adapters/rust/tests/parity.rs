//! The self-test's subjects get the same verdicts through a child process as in this one.

use std::collections::{BTreeMap, BTreeSet};

use reactive_streams_tck::{Outcome, Overrides, Subject, Verdict, remote::Remote, selftest};

/// What differs, by check, and why.
const DIFFERENCES: &[(&str, &str)] =
    &[("rule_r_3_items_are_dropped_once", "items are counted in the process that makes them")];

/// What an outcome comes to: the verdict's name, and the rules that were broken.
fn come_to(outcome: &Outcome) -> (String, BTreeSet<&'static str>) {
    let rules = outcome.violations.iter().map(|violation| violation.rule).collect();
    (outcome.verdict.name().to_owned(), rules)
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
    let mut n_checks = 0;
    for (_, own) in selftest::subjects().enumerate().filter(|(index, _)| is_wanted(*index)) {
        let other = &remote[own.name()];
        for check in own.checks() {
            if DIFFERENCES.iter().any(|(name, _)| check.name.ends_with(name)) {
                continue;
            }
            n_checks += 1;
            let outcome = own.run(check.name, Overrides::default());
            let (here, there) =
                (come_to(&outcome), come_to(&other.run(check.name, Overrides::default())));
            if here != there && !matches!(outcome.verdict, Verdict::Inconclusive(_)) {
                let name = own.name();
                differences.push(format!("{name} {}: {here:?}, but {there:?}", check.name));
            }
        }
    }
    assert!(n_checks > 0);
    println!("{n_checks} checks");
    assert!(differences.is_empty(), "{n_checks} checks\n{}", differences.join("\n"));
}

#[test]
fn a_sample_gets_the_same_verdicts() {
    compare(|index| index % 9 == 0);
}

#[test]
#[ignore = "takes minutes: cargo test -p rs-tck-adapter --release -- --ignored"]
fn all_get_the_same_verdicts() {
    compare(|_| true);
}
