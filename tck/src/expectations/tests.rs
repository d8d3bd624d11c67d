//! Known violations are tolerated, expire, and have to be there.

use std::time::Duration;

use super::*;
use crate::{
    check::Suite,
    checker::Violation,
    verdict::{Outcome, Verdict},
};

const ZERO: &str = "\
[[known]]
subject = 'mine'
check = '3.9_request_zero'
reason = 'no place for it'
expires = '2027-01-31'
";

fn document(broken: &[&'static str]) -> Document {
    static CHECK: Check = Check {
        name: "rule_3_9_request_zero",
        rule: "3.9",
        suite: Suite::Publisher,
        originals: &[],
    };
    let verdict = if broken.is_empty() { Verdict::Passed } else { Verdict::Failed };
    let outcome = Outcome {
        subject: "mine".to_owned(),
        check: &CHECK,
        verdict,
        violations: broken.iter().map(|rule| Violation::new(rule, 0, "wrong")).collect(),
        trace: Vec::new(),
        seed: None,
        runs: 1,
        took: Duration::ZERO,
    };
    Document::of(&outcome, CHECK.name)
}

fn applied(file: &str, broken: &[&'static str], today: &str) -> Document {
    let mut document = document(broken);
    Expectations::parse(file).unwrap().apply(&mut document, today.parse().unwrap());
    document
}

fn refused(file: &str) -> String {
    Expectations::parse(file).unwrap_err()
}

#[test]
fn a_known_violation_is_tolerated_until_it_expires() {
    let known = applied(ZERO, &["3.9"], "2027-01-31");
    let expired = applied(ZERO, &["3.9"], "2027-02-01");

    assert_eq!(known.status, Status::Tolerated);
    assert!(known.message.unwrap().starts_with("Tolerated: no place for it.\n"));
    assert_eq!(expired.status, Status::Failed);
    assert!(expired.message.unwrap().starts_with(
        "The known violation has expired on 2027-01-31 (no place for it): mend it, or set a later"
    ));
}

#[test]
fn a_check_that_passes_unexpectedly_fails() {
    let document = applied(ZERO, &[], "2027-01-01");

    assert_eq!(document.status, Status::Failed);
    assert_eq!(
        document.reason.unwrap(),
        "passed, although a violation is known (no place for it): remove its entry"
    );
}

#[test]
fn a_rule_covers_its_own_violations_only() {
    let file = ZERO.replace("check = '3.9_request_zero'", "rule = '3.9'");

    assert_eq!(applied(&file, &["3.9"], "2027-01-01").status, Status::Tolerated);
    assert_eq!(applied(&file, &["3.9", "1.7"], "2027-01-01").status, Status::Failed);
    assert_eq!(applied(&file, &[], "2027-01-01").status, Status::Ok);
    let unused = Expectations::parse(&file).unwrap().unused(&[document(&[])]);
    assert_eq!(
        unused,
        ["mine: rule 3.9 was not broken, although a violation is known (no place for it): \
          remove its entry"]
    );
}

#[test]
fn a_malformed_file_names_the_line_and_what_was_expected() {
    assert_eq!(
        refused("\n[[known]]\nsubject = 3\n"),
        "line 3: invalid type: integer `3`, expected a string"
    );
    assert_eq!(
        refused("[[known]]\nsubjekt = ''\n"),
        "line 2: unknown field `subjekt`, expected one of `subject`, `check`, `rule`, `reason`, \
         `expires`"
    );
    let either = "[[known]]\nsubject = 'a'\nreason = 'b'\n";
    assert_eq!(refused(either), "line 1: expected either `check` or `rule`");
    assert_eq!(
        refused(&format!("# known\n\n{either}rule = '3.9x'\n")),
        "line 3: there is no rule `3.9x`; near are `3.9`, `3.1`, `3.2`"
    );
    assert_eq!(
        refused(&ZERO.replace("2027-01-31", "soon")),
        "line 1: `expires` has to be a date like `2027-01-31`, got `soon`"
    );
}

#[test]
fn an_entry_that_names_nothing_is_an_error_with_near_names() {
    let subject = Subject::of("mine", crate::Capabilities::new(), |_| Nothing);
    let resolve =
        |file: &str| Expectations::parse(file).unwrap().resolve(std::slice::from_ref(&subject));

    assert_eq!(resolve(ZERO), Ok(()));
    assert_eq!(
        resolve(&ZERO.replace("mine", "mime")).unwrap_err(),
        "known violation of subject `mime`: there is no such subject; near are `mine`"
    );
    let error = resolve(&ZERO.replace("request_zero", "requestzero")).unwrap_err();
    assert!(error.starts_with("known violation of `mine`: it has no check `3.9_requestzero`; near are `rule_3_9_request_zero`"), "{error}");
}

/// A publisher that never does anything.
struct Nothing;

impl reactive_streams::Publisher for Nothing {
    type Item = u64;

    fn subscribe<S: reactive_streams::Subscriber<u64>>(self, subscriber: S) {
        drop(subscriber);
    }
}
