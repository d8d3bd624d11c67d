//! A test executable made with `reactive_streams_tck::main`, and trials that run it in every way.
//!
//! Cargo runs the trials. Each of them starts this executable again, with the name of a list of
//! subjects in the environment, and looks at the exit code and at what is said.

mod expecting;
mod isolating;
mod reporting;
mod running;
mod subjects;

use std::{
    path::PathBuf,
    process::{Command, ExitCode, Output},
};

use libtest_mimic::{Arguments, Trial};

/// Names the list of subjects, or after a `!` the check that is asserted on each.
const SUBJECTS: &str = "SUBJECTS_OF_THE_TEST";

fn main() -> ExitCode {
    if let Ok(list) = std::env::var(SUBJECTS) {
        if let Some((list, check)) = list.split_once('!') {
            // What a test of `publisher_tests!` does.
            subjects::list(list).iter().for_each(|subject| subject.assert(check));
            return ExitCode::SUCCESS;
        }
        return reactive_streams_tck::main(subjects::list(&list));
    }
    let mut trials = Vec::new();
    for (name, body) in
        [running::TRIALS, expecting::TRIALS, isolating::TRIALS, reporting::TRIALS].concat()
    {
        trials.push(Trial::test(name, move || {
            body();
            Ok(())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A name and a body that panics if it fails.
type Body = (&'static str, fn());

/// This executable, with these subjects and nothing from our own environment.
fn command(list: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the executable is there"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RS_TCK_")) {
        command.env_remove(name);
    }
    command.env(SUBJECTS, list).args(arguments);
    command
}

fn run(list: &str, arguments: &[&str]) -> Output {
    command(list, arguments).output().expect("the executable runs")
}

fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn expect(output: &Output, code: i32, parts: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
}

/// A file of this text.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("harness-{name}"));
    std::fs::write(&path, text).expect("the file can be written");
    path
}

/// An empty directory.
fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("harness-{name}"));
    // It may be there from a run before.
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir_all(&path).expect("the directory can be made");
    path
}
