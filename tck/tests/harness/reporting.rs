//! Documents that a run leaves behind, and what `rs-tck report` makes of them.

use std::process::Command;

use super::{Body, command, directory, expect, run};

pub(crate) const TRIALS: &[Body] = &[
    ("reporting::each_check_leaves_a_document", each_check_leaves_a_document),
    ("reporting::documents_become_every_form", documents_become_every_form),
    ("reporting::an_empty_directory_exits_with_3", an_empty_directory_exits_with_3),
];

fn report(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rs-tck"));
    command.arg("report").args(arguments).output().expect("the program runs")
}

fn each_check_leaves_a_document() {
    let directory = directory("documents");
    let text = directory.display().to_string();

    // One process per test, as nextest does it.
    run("two", &["--report-dir", &text, "--exact", "one::3.9_request_zero"]);
    run("two", &["--report-dir", &text, "--exact", "two::3.9_request_zero"]);
    let again = ["--isolate", "--report-dir", &text, "--exact", "two::3.9_request_zero"];
    run("two", &again);

    // A test of the macro has the environment only.
    let mut command = command("two!rule_3_8_requests_add_up", &[]);
    let output = command.env("RS_TCK_REPORT_DIR", &directory).output();
    expect(&output.expect("the executable runs"), 0, &[]);

    let files = std::fs::read_dir(&directory).expect("the directory is there").count();
    assert_eq!(files, 4);
    expect(&report(&[&text]), 0, &["\n4 passed, 0 warned, 0 failed, 0 tolerated, 0 without a"]);
}

fn documents_become_every_form() {
    let directory = directory("forms");
    let text = directory.join("documents").display().to_string();
    run("ignoring", &["--report-dir", &text]);
    let path = |name: &str| directory.join(name).display().to_string();
    let (junit, json) = (path("tck.xml"), path("tck.json"));
    let (html, markdown) = (path("deeper/tck.html"), path("tck.md"));

    let forms = ["--junit", &junit, "--json", &json, "--html", &html, "--markdown", &markdown];
    let output = report(&[&[text.as_str()], &forms[..]].concat());

    expect(&output, 1, &["failed: ignoring rule_3_9_request_zero\n  rule 3.9: "]);
    let contains = |path: &str, part: &str| {
        let text = std::fs::read_to_string(path).expect("the file was written");
        assert!(text.contains(part), "`{part}` is missing in {path}");
    };
    contains(&junit, r#"<testcase name="rule_3_9_request_zero" classname="ignoring""#);
    contains(&json, r#""kind": "report""#);
    contains(&html, "<h2>What did not pass</h2>");
    contains(&markdown, "**Not conforming**");
}

fn an_empty_directory_exits_with_3() {
    let text = directory("empty").display().to_string();
    expect(&report(&[&text]), 3, &["no check was executed; was RS_TCK_REPORT_DIR set to"]);
    expect(&report(&["no_such_directory"]), 2, &["no_such_directory: "]);
}
