//! The program's output and exit codes.

use std::process::{Command, Output};

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
    assert_eq!(judge("empty", "").status.code(), Some(2));
    assert_eq!(rs_tck(&["explain", "5.1"]).status.code(), Some(2));
    assert_eq!(rs_tck(&["fly"]).status.code(), Some(2));
}

#[test]
fn a_rule_is_explained_with_its_checks() {
    let output = rs_tck(&["explain", "3.9"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("check rule_3_9_request_zero\n"));
}
