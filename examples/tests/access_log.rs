//! The main job, run as a user runs it.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::unwrap_used, reason = "a test that cannot run has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Once,
};

/// Runs the example's program. It is built here, because not every way to run the tests builds it.
fn access_log(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "millstream-examples"]);
        cargo.args(["--example", "access_log", "--target-dir"]).arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the example does not compile");
    });
    Command::new(profile.join("examples/access_log")).args(arguments).output().unwrap()
}

fn sample() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/access_log/sample.log").to_owned()
}

/// A file of this test's own.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Requests and bytes over all objects.
fn totals(output: &[u8]) -> (u64, u64) {
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let reports = lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap());
    reports.fold((0, 0), |(requests, bytes), report| {
        let number = |name: &str| report[name].as_u64().unwrap();
        (requests + number("requests"), bytes + number("bytes"))
    })
}

/// The same totals, counted by splitting at blanks.
fn expected(log: &[u8]) -> (u64, u64) {
    let text = String::from_utf8_lossy(log);
    let good = text.lines().filter(|line| line.contains('[') && !line.contains('\u{fffd}'));
    good.fold((0, 0), |(requests, bytes), line| {
        let after = line.split("\" ").nth(1).unwrap();
        let mut fields = after.split(' ');
        if fields.next().unwrap().parse::<u16>().is_err() {
            return (requests, bytes);
        }
        (requests + 1, bytes + fields.next().unwrap().parse::<u64>().unwrap_or(0))
    })
}

#[test]
fn the_sample_has_the_totals_of_its_lines() {
    let output = access_log(&["--quiet"]);

    assert!(output.status.success());
    assert_eq!(totals(&output.stdout), expected(&fs::read(sample()).unwrap()));
}

#[test]
fn a_replay_has_as_many_times_the_totals() {
    let (requests, bytes) = expected(&fs::read(sample()).unwrap());

    let output = access_log(&["--quiet", "--spike", "3"]);

    assert_eq!(totals(&output.stdout), (3 * requests, 3 * bytes));
}

#[test]
fn malformed_lines_are_kept_with_their_reasons() {
    let rejects = file("rejects.txt", b"");

    let output = access_log(&["--rejects", rejects.to_str().unwrap()]);

    let table = String::from_utf8(output.stderr).unwrap();
    let row = table.lines().find(|line| line.contains("malformed lines")).unwrap();
    assert!(row.contains(" 3 "), "{row}");
    let rejects = fs::read(rejects).unwrap();
    assert_eq!(rejects.iter().filter(|byte| **byte == b'\n').count(), 3);
    assert!(rejects.starts_with(b"no time in brackets: this line is not"));
}

#[test]
fn a_compressed_log_gives_the_same_output() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &fs::read(sample()).unwrap()).unwrap();
    let log = file("sample.log.gz", &encoder.finish().unwrap());

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    assert_eq!(output.stdout, access_log(&["--quiet"]).stdout);
}

#[test]
fn an_empty_log_has_no_minutes() {
    let log = file("empty.log", b"");

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    assert!(output.status.success() && output.stdout.is_empty());
}

#[test]
fn a_missing_log_is_named() {
    let output = access_log(&["--quiet", "no/such.log"]);

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("access_log: cannot open no/such.log: "), "{message}");
}

#[test]
fn a_log_that_is_named_as_an_output_is_kept() {
    let content = fs::read(sample()).unwrap();
    let log = file("kept.log", &content);
    let name = log.to_str().unwrap();

    for option in ["--out", "--rejects"] {
        let output = access_log(&["--quiet", name, option, name]);

        assert_eq!(output.status.code(), Some(1));
        assert_eq!(fs::read(&log).unwrap(), content);
    }
}

#[test]
fn an_output_is_kept_when_the_log_is_missing() {
    let out = file("kept.json", b"before");

    let output = access_log(&["--quiet", "no/such.log", "--out", out.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(out).unwrap(), b"before");
}

#[test]
fn a_truncated_archive_is_an_error() {
    let log = file("truncated.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn wrong_arguments_say_what_is_right() {
    let output = access_log(&["--sink-delay", "soon"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("such as 2ms"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let output = access_log(&["--quiet", "--out", "/dev/full"]);

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("access_log: cannot write the output: No space"), "{message}");
}

#[test]
fn a_real_log_has_the_totals_of_its_lines() {
    let Ok(log) = std::env::var("ACCESS_LOG") else {
        return eprintln!("skipped: ACCESS_LOG names no log");
    };

    let output = access_log(&["--quiet", &log]);

    assert_eq!(totals(&output.stdout), expected(&fs::read(&log).unwrap()));
}
