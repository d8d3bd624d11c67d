//! Known violations, through the command line.

use super::{Body, command, expect, file, run};

pub(crate) const TRIALS: &[Body] = &[
    ("expecting::a_known_violation_is_tolerated", a_known_violation_is_tolerated),
    ("expecting::a_test_of_the_macro_tolerates_as_well", a_test_of_the_macro_tolerates_as_well),
    ("expecting::an_expired_violation_fails", an_expired_violation_fails),
    ("expecting::a_violation_that_is_gone_fails", a_violation_that_is_gone_fails),
    ("expecting::a_file_that_cannot_be_understood_exits_with_2", a_bad_file_exits_with_2),
];

fn known(name: &str, subject: &str, rest: &str) -> String {
    let text = format!("[[known]]\nsubject = '{subject}'\nreason = 'no place for it'\n{rest}\n");
    file(name, &text).display().to_string()
}

fn a_known_violation_is_tolerated() {
    let file = known("known.toml", "ignoring", "rule = '3.9'");
    let text = ["known violation: no place for it", " 0 failed, "];
    expect(&run("ignoring", &["--expectations", &file]), 0, &text);
}

fn a_test_of_the_macro_tolerates_as_well() {
    let file = known("macro.toml", "ignoring", "rule = '3.9'");
    let assert = |file: Option<&str>| {
        let mut command = command("ignoring!rule_3_9_request_zero", &[]);
        file.map(|file| command.env("RS_TCK_EXPECTATIONS", file));
        command.output().expect("the executable runs")
    };
    expect(&assert(Some(&file)), 0, &[]);
    let text = ["run it alone with: cargo test -- ignoring::rule_3_9_request_zero"];
    expect(&assert(None), 101, &text);
}

fn an_expired_violation_fails() {
    let file = known("expired.toml", "ignoring", "rule = '3.9'\nexpires = '2020-02-29'");
    let text = ["The known violation has expired on 2020-02-29 (no place for it)"];
    expect(&run("ignoring", &["--expectations", &file]), 101, &text);
}

fn a_violation_that_is_gone_fails() {
    let check = known("gone_check.toml", "good", "check = '3.9_request_zero'");
    let text = ["passed, although a violation is known (no place for it): remove its entry"];
    expect(&run("good", &["--expectations", &check]), 101, &text);
    let rule = known("gone_rule.toml", "good", "rule = '3.9'");
    let text = ["good: rule 3.9 was not broken, although a violation is known (no place for it)"];
    expect(&run("good", &["--expectations", &rule]), 101, &text);
    // A part of the checks cannot tell.
    expect(&run("good", &["--expectations", &rule, "3.8"]), 0, &[]);
}

fn a_bad_file_exits_with_2() {
    let subject = known("nobody.toml", "god", "rule = '3.9'");
    let text = ["of subject `god`: there is no such subject; near are `good`"];
    expect(&run("good", &["--expectations", &subject]), 2, &text);
    let malformed = file("malformed.toml", "[[known]]\nsubject = 3\n").display().to_string();
    let text = ["malformed.toml: line 2: invalid type: integer `3`, expected a string"];
    expect(&run("good", &["--expectations", &malformed]), 2, &text);
    expect(&run("good", &["--expectations", "no_such_file"]), 2, &["no_such_file: "]);
}
