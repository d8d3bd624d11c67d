//! The program's output and exit codes.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn rs_tck(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rs-tck")).args(arguments).output().expect("the program runs")
}

fn judge(name: &str, text: &str) -> Output {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).expect("the file can be written");
    rs_tck(&["check-trace", file.to_str().expect("the path is text")])
}

#[test]
fn a_good_trace_exits_with_0() {
    let output = judge("good", "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_complete\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3 events, 0 violations\n");
}

#[test]
fn a_broken_rule_exits_with_1() {
    let output = judge("broken", "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > on_next\n");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("rule 1.1: item 1 came, but 0 are requested (event 2)"), "{text}");
}

#[test]
fn what_cannot_be_understood_exits_with_2() {
    assert_eq!(judge("malformed", "1 0 > fly\n").status.code(), Some(2));
    assert_eq!(rs_tck(&["explain", "5.1"]).status.code(), Some(2));
    assert_eq!(rs_tck(&["fly"]).status.code(), Some(2));
}

#[test]
fn an_empty_trace_exits_with_3() {
    let output = judge("empty", "");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the trace is empty"));
}

#[test]
fn a_trace_may_come_from_the_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rs-tck"))
        .args(["check-trace", "-", "--suite", "publisher"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = child.stdin.take().expect("the input is a pipe");
    input.write_all(b"1 0 > on_complete\n").expect("the input can be written");
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("rule 1.9: "));
}

#[test]
fn a_near_rule_is_named() {
    let output = rs_tck(&["explain", "3.9x"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "rs-tck: there is no rule `3.9x`; near are `3.9`, `3.1`, `3.2`, \
         and `rs-tck explain` lists them all\n"
    );
}

#[test]
fn all_rules_are_listed_with_their_class() {
    let text = rs_tck(&["explain"]).stdout;
    let text = String::from_utf8_lossy(&text);
    let line = |rule: &str| text.lines().find(|line| line.starts_with(rule)).unwrap().to_owned();
    assert_eq!(
        line("3.9 "),
        "3.9  must    tested    A request for less than one item is answered with an error."
    );
    assert!(line("1.10 ").starts_with("1.10 must    by types  "));
    assert!(line("3.10 ").starts_with("3.10 may     n.a.      "));
    assert!(line("R.8 ").starts_with("R.8  must    tested    "));
    assert_eq!(text.lines().filter(|line| line.contains('.')).count(), 43 + 11);
}

#[test]
fn checks_and_originals_are_listed() {
    let text = rs_tck(&["list"]).stdout;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.contains("rule_3_9_request_zero ")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words, ["publisher", "3.9", "rule_3_9_request_zero", "3.9_request_zero"]);

    let text = rs_tck(&["list", "--originals"]).stdout;
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("\n  required_spec309_requestZeroMustSignalIllegalArgumentException\n"));
    assert_eq!(text.lines().filter(|line| line.starts_with("    ")).count(), 94);
}

#[test]
fn help_and_version_exit_with_0() {
    for (word, part) in [("--help", "Exit codes:"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let output = rs_tck(&[word]);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains(part));
    }
}

#[test]
fn a_rule_is_explained_with_its_checks() {
    let output = rs_tck(&["explain", "3.9"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "3.9 (must): A request for less than one item is answered with an error.\n",
        "\nEnsured: tested. `u64` leaves only zero, which must lead to `on_error`",
        "\nExpected: `on_error` of kind `IllegalRequest` as the last signal.\n",
        "\nWhat usually breaks it:\n- `request(0)` is ignored.\n",
        "\n- rule_3_9_request_zero (publisher)\n",
        "\n- PublisherVerification.required_spec309_requestZeroMustSignalIllegalArgumentException\n",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[test]
fn the_self_test_prints_the_matrix() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix.md");
    let output = rs_tck(&["selftest", "1.7", "--markdown", file.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("mistake "), "{text}");
    assert!(
        text.contains("13 were caught by their rule, 0 by a wrong rule only, and 0 were missed; "),
        "{text}"
    );
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.starts_with("# What the checks catch\n"));
    assert_eq!(rs_tck(&["selftest", "M00"]).status.code(), Some(3));
}

/// `rs-tck list | head -1`
#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rs-tck"))
        .args(["list", "--originals"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
