//! What kills its process gets a verdict.

use super::{Body, expect, run, said};

pub(crate) const TRIALS: &[Body] = &[
    ("isolating::a_good_subject_passes", a_good_subject_passes),
    #[cfg(unix)]
    ("isolating::an_abort_is_a_verdict", an_abort_is_a_verdict),
    #[cfg(unix)]
    ("isolating::a_stack_overflow_is_a_verdict", a_stack_overflow_is_a_verdict),
    #[cfg(unix)]
    ("isolating::a_death_outside_of_any_call_breaks_no_rule", a_death_outside_of_any_call),
    ("isolating::an_endless_loop_is_a_verdict", an_endless_loop_is_a_verdict),
    #[cfg(unix)]
    ("isolating::a_process_that_stands_still_is_a_verdict", a_process_that_stands_still),
    ("isolating::a_failure_is_told_as_without_isolation", a_failure_is_told_the_same),
    #[cfg(unix)]
    ("isolating::a_death_does_not_end_the_run", a_death_does_not_end_the_run),
];

fn a_good_subject_passes() {
    expect(&run("good", &["--isolate", "3.9"]), 0, &["rules: ", " passed, 0 warned, 0 failed, "]);
    let output = super::command("good", &["3.9"]).env("RS_TCK_ISOLATE", "1").output();
    expect(&output.expect("the executable runs"), 0, &["rules: ", " passed, 0 warned, 0 failed, "]);
}

#[cfg(unix)]
fn an_abort_is_a_verdict() {
    let output = run("deadly", &["--isolate", "--exact", "aborting::3.9_request_zero"]);
    let text = [
        "happened: the process died in `request`: signal 6 (SIGABRT) (until the end)",
        "│ request 0 …\n",
        "breaks 3.9",
    ];
    expect(&output, 101, &text);
}

#[cfg(unix)]
fn a_stack_overflow_is_a_verdict() {
    let output = run("deadly", &["--isolate", "--exact", "overflowing::3.9_request_zero"]);
    expect(&output, 101, &["happened: the process overflowed its stack in `request`"]);
}

#[cfg(unix)]
fn a_death_outside_of_any_call() {
    let output = run("unborn", &["--isolate", "--exact", "unborn::3.9_request_zero"]);
    let text =
        "harness_error: the process died: signal 6 (SIGABRT), outside of any call, so no rule";
    expect(&output, 3, &[text]);
}

fn an_endless_loop_is_a_verdict() {
    let arguments = ["--isolate", "--deadline-ms", "1000", "--exact", "looping::3.9_request_zero"];
    expect(&run("deadly", &arguments), 101, &["happened: `request` never returned"]);
}

#[cfg(unix)]
fn a_process_that_stands_still() {
    let arguments = ["--isolate", "--deadline-ms", "100", "--exact", "stopping::3.9_request_zero"];
    let text = ["the process had not ended after 5 s in `request`, and was killed"];
    expect(&run("deadly", &arguments), 101, &text);
}

fn a_failure_is_told_the_same() {
    let arguments = ["--exact", "ignoring::3.9_request_zero"];
    let isolated = [&["--isolate"], &arguments[..]].concat();
    // Of each line, as the time that it took stands in one.
    let message = |arguments: &[&str]| {
        let text = said(&run("ignoring", arguments));
        let message = text.lines().skip_while(|line| !line.starts_with("ignoring: "));
        message.filter(|line| !line.contains("finished in")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(message(&isolated), message(&arguments));
    assert!(message(&isolated).len() > 5);
}

#[cfg(unix)]
fn a_death_does_not_end_the_run() {
    let output = run("deadly", &["--isolate", "aborting::3."]);
    let text = ["test aborting::3.7_cancel_after_cancel", "test aborting::3.9_request_zero"];
    expect(&output, 101, &text);
}
