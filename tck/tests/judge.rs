//! Processes that misbehave: each yields a verdict or a clear error, and never a pass.
//!
//! The processes are lines of shell, so that they can say what no adapter would.
#![cfg(unix)]

use std::process::{Command, Output};

/// Says what a process says that hosts one publisher.
const HELLO: &str =
    r#"read -r line; echo '{"hello":1,"subjects":[{"name":"mine","role":"publisher"}]}'"#;
/// Replies to the next call.
const REPLY: &str = r#"read -r line; echo '{"thread":0,"reply":true}'"#;

/// Replies to every call.
const REPLIES: &str = r#"while read -r line; do echo '{"thread":0,"reply":true}'; done"#;

/// Judges one check on a process that runs this script.
fn judge(script: &str) -> (Option<i32>, String) {
    judge_with(&[], script)
}

fn judge_with(options: &[&str], script: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_rs-tck"))
        .arg("judge")
        .args(["--exact", "mine::1.9_on_subscribe_first_and_once"])
        .args(options)
        .args(["--", "sh", "-c", script])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), text)
}

/// The run failed, and said this.
fn assert_fails(outcome: &(Option<i32>, String), code: i32, what: &str) {
    let (status, text) = outcome;
    assert_eq!(*status, Some(code), "{text}");
    assert!(text.contains(what), "`{what}` is not in\n{text}");
}

#[test]
fn what_cannot_be_started_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_rs-tck"))
        .args(["judge", "--", "no-such-program-of-anyone"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be started"));
}

#[test]
fn one_that_says_nothing_is_an_error() {
    let outcome = judge_with(&["--start-s", "1"], "exec sleep 60");
    assert_fails(&outcome, 2, "did not say `hello` within 1 s");
}

#[test]
fn one_that_ends_at_once_is_an_error_with_its_last_words() {
    let outcome = judge("echo 'no class of this name' >&2; exit 3");
    assert_fails(&outcome, 2, "no class of this name");
    assert_fails(&outcome, 2, "before its first line");
}

#[test]
fn one_of_another_version_is_an_error() {
    let outcome = judge(r#"read -r line; echo '{"hello":9,"subjects":[]}'; sleep 9"#);
    assert_fails(&outcome, 2, "it speaks version 9 of the protocol, not 1");
}

#[test]
fn one_that_starts_late_is_waited_for() {
    let outcome = judge(&format!("sleep 2; {HELLO}; {REPLIES}"));
    // It was played: nothing is signaled, which breaks the rule.
    assert_fails(&outcome, 101, "`on_subscribe` never came");
}

#[test]
fn one_that_prints_by_itself_has_broken_the_protocol() {
    let outcome = judge(&format!("{HELLO}; {REPLY}; echo 'debug: here'; sleep 9"));
    assert_fails(&outcome, 3, "it wrote `debug: here`, which is no message of the protocol");
}

#[test]
fn one_that_prints_half_a_line_has_broken_the_protocol() {
    let outcome = judge(&format!(r#"{HELLO}; {REPLY}; printf '{{"thread":0,"rep'"#));
    assert_fails(&outcome, 3, "it ended within a line");
}

#[test]
fn one_that_does_not_listen_is_an_error() {
    let beats = r#"while echo '{"notice":"beat"}'; do sleep 1; done"#;
    // Deaf before it replies, so that the next line finds no reader whatever the machine does.
    let deaf = REPLY.replace(';', "; exec <&-;");
    let outcome = judge(&format!("{HELLO}; {deaf}; {beats}"));
    assert_fails(&outcome, 3, "it does not read what it is told");
}

#[test]
fn one_that_exits_in_a_call_is_an_error_with_its_status() {
    let outcome = judge(&format!("{HELLO}; {REPLY}; read -r line; exit 7"));
    assert_fails(&outcome, 3, "the process ended (exit status: 7) while a check was played");
}

#[test]
fn one_that_floods_is_not_listened_to() {
    let call = r#"{"thread":1,"call":"on_next","case":2,"subscriber":1,"item":0}"#;
    let outcome = judge(&format!("{HELLO}; {REPLY}; while echo '{call}'; do :; done"));
    assert_fails(&outcome, 3, "it spoke on thread 1 out of turn");
}

#[test]
fn one_that_writes_a_line_without_end_is_not_listened_to() {
    let outcome = judge(&format!("{HELLO}; {REPLY}; while printf 'xxxxxxxxxxxxxxxx'; do :; done"));
    assert_fails(&outcome, 3, "a line of more than 65536 bytes");
}

#[test]
fn one_that_replies_to_nothing_lies() {
    let outcome = judge(&format!(
        r#"{HELLO}; {REPLY}; {REPLY}; echo '{{"thread":0,"reply":true}}'; sleep 9"#
    ));
    assert_fails(&outcome, 3, "out of turn");
    let outcome =
        judge(&format!(r#"{HELLO}; {REPLY}; echo '{{"thread":1,"reply":true}}'; sleep 9"#));
    assert_fails(&outcome, 3, "it replied on thread 1, where nothing was called");
}

#[test]
fn one_that_hangs_in_a_call_breaks_its_rule() {
    let outcome = judge_with(
        &["--deadline-ms", "300"],
        &format!("{HELLO}; {REPLY}; while echo '{{\"notice\":\"beat\"}}'; do sleep 1; done"),
    );
    assert_fails(&outcome, 101, "`subscribe` never returned");
}

#[test]
fn each_check_may_have_a_process_of_its_own() {
    let outcome = judge_with(&["--isolate"], &format!("{HELLO}; {REPLIES}"));
    assert_fails(&outcome, 101, "`on_subscribe` never came");
}
