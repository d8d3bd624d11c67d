//! The main job, run as a user runs it.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::unwrap_used, reason = "a test that cannot run has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Once,
};

#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod files;

/// The example's program. It is built here, because not every way to run the tests builds it.
fn program() -> Command {
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
    Command::new(profile.join("examples/access_log"))
}

fn access_log(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
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

/// A line of a log, at a time such as `10:05:59`.
fn line(time: &str, status: u16) -> String {
    format!("h - - [17/May/2015:{time} +0000] \"GET /a?b HTTP/1.1\" {status} 7 \"-\" \"x\"\n")
}

/// The objects of an output, every line of which is complete.
fn objects(output: &[u8]) -> Vec<serde_json::Value> {
    assert!(output.is_empty() || output.ends_with(b"\n"));
    let lines = str::from_utf8(output).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The cells of the table's row that begins with `name`.
fn row(output: &Output, name: &str) -> Vec<String> {
    let table = str::from_utf8(&output.stderr).unwrap();
    let cells = table.lines().find_map(|line| line.strip_prefix(&format!("| {name} ")));
    cells.unwrap().split_whitespace().map(str::to_owned).collect()
}

/// Requests and bytes over all objects.
fn totals(output: &[u8]) -> (u64, u64) {
    objects(output).iter().fold((0, 0), |(requests, bytes), report| {
        let number = |name: &str| report[name].as_u64().unwrap();
        (requests + number("requests"), bytes + number("bytes"))
    })
}

/// The same totals, counted by splitting at blanks.
fn expected(log: &[u8]) -> (u64, u64) {
    let text = String::from_utf8_lossy(log);
    let good = text.lines().filter(|line| line.contains('['));
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
fn malformed_lines_are_kept_with_their_numbers_and_reasons() {
    let rejects = file("rejects.txt", b"");

    let output = access_log(&["--rejects", rejects.to_str().unwrap()]);

    assert_eq!(row(&output, "lines rejected")[..3], ["lines", "-", "2"]);
    let rejects = fs::read_to_string(rejects).unwrap();
    let mut rejects = rejects.lines();
    let first = rejects.next().unwrap();
    assert!(first.starts_with("51: no time in brackets before a request: this line is"), "{first}");
    assert!(rejects.next().unwrap().starts_with("151: no status: 192.0.2.9 - - ["));
    assert_eq!(rejects.next(), None);
}

#[test]
fn malformed_lines_keep_the_order_of_the_log() {
    let good = line("10:05:59", 200);
    let text: String = (0..10_000).map(|n| if n % 3 == 0 { "bad\r\n" } else { &good }).collect();
    let log = file("bad.log", text.trim_end().as_bytes());
    let rejects = file("bad.txt", b"");
    let files = [log.to_str().unwrap(), "--rejects", rejects.to_str().unwrap()];

    access_log(&[&files[..], &["--threads", "4", "--spike", "2"]].concat());

    let numbers = (0..10_000).filter(|n| n % 3 == 0).map(|n| n + 1);
    let reason = "no time in brackets before a request: bad";
    let once: String = numbers.map(|n| format!("{n}: {reason}\n")).collect();
    assert_eq!(fs::read_to_string(rejects).unwrap(), once.repeat(2));
}

#[test]
fn fields_that_are_not_used_may_hold_any_bytes() {
    let log =
        b"h - [\xff] [17/May/2015:10:05:59 +0000] \"GET /\xfe HTTP/1.1\" 200 1 \"-\" \"\xff\"\n";
    let log = file("bytes.log", log);

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    assert_eq!(objects(&output.stdout)[0]["top_paths"][0]["path"], "/\u{fffd}");
}

#[test]
fn an_interim_status_is_a_request_of_no_class() {
    let log = file("interim.log", (line("10:05:59", 101) + &line("10:05:59", 404)).as_bytes());

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    let report = &objects(&output.stdout)[0];
    assert_eq!(report["requests"], 2);
    let status = serde_json::json!({ "2xx": 0, "3xx": 0, "4xx": 1, "5xx": 0 });
    assert_eq!(report["status"], status);
}

#[test]
fn a_line_that_comes_too_late_makes_another_object() {
    // More than is read at a time, so that the first minute is over when its last line comes.
    let log = [line("10:05:00", 200), line("10:07:00", 200).repeat(2000), line("10:05:59", 200)];
    let log = file("late.log", log.concat().as_bytes());
    let log = log.to_str().unwrap();
    let requests = |lateness: &str| {
        let output = access_log(&["--quiet", log, "--lateness", lateness]);
        let requests = |report: &serde_json::Value| report["requests"].as_u64().unwrap();
        objects(&output.stdout).iter().map(requests).collect::<Vec<_>>()
    };

    assert_eq!(requests("60"), [1, 1, 2000]);
    assert_eq!(requests("120"), [2, 2000]);
}

#[test]
fn no_stage_holds_more_than_was_asked_of_it() {
    let lines = (0..24 * 60).map(|n| line(&format!("{:02}:{:02}:00", n / 60, n % 60), 200));
    let log = file("day.log", lines.collect::<String>().as_bytes());
    let options = ["--lateness", "0", "--threads", "2", "--spike", "5", "--sink-delay", "50us"];

    let output = access_log(&[&[log.to_str().unwrap()], &options[..]].concat());

    let most = |name: &str| row(&output, name)[3].parse::<u64>().unwrap();
    assert_eq!(row(&output, "lines read")[..3], ["lines", "-", "7200"]);
    assert_eq!(row(&output, "write")[..3], ["minutes", "unbounded", "7200"]);
    assert_eq!(most("read"), 1);
    assert!((1..=4).contains(&most("parse")), "twice the threads");
    assert!((1..=65).contains(&most("write")), "the queue, and one that is written");
    assert!(most("lines read") >= most("parse"));
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
fn two_outputs_in_one_file_are_refused() {
    let there = file("both.json", b"before");
    let missing = there.with_file_name("both_missing.json");

    for name in [&there, &missing] {
        let name = name.to_str().unwrap();
        let output = access_log(&["--quiet", "--out", name, "--rejects", name]);

        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("name two files"), "{message}");
    }
    assert_eq!(fs::read(there).unwrap(), b"before");
    assert!(!missing.exists());
    let output = access_log(&["--quiet", "--out", "/dev/null", "--rejects", "/dev/null"]);
    assert_eq!(output.status.code(), Some(0), "a device may be named twice");
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
    let cases = [
        (["--sink-delay", "soon"], "such as 2ms"),
        (["--sink-delay", "-1ms"], "a time cannot be negative"),
        (["--lateness", "-1"], "-1 is not in 0.."),
        (["--threads", "0"], "0 is not in 1..=256"),
    ];

    for (arguments, hint) in cases {
        let output = access_log(&arguments);

        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(hint), "{message}");
    }
}

#[test]
fn a_line_without_an_end_is_an_error() {
    let log = file("endless.log", &vec![b'x'; millstream::LINE_LIMIT + 1]);

    let output = access_log(&["--quiet", log.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("a line is longer than 16 MiB"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_replay_takes_no_more_memory() {
    let peak = |spike: &str| {
        let output = access_log(&["--spike", spike]);
        let text = String::from_utf8(output.stderr).unwrap();
        let (_, text) = text.split_once("peak memory ").unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    };

    // Kept in memory, so many samples of 21 kB would be seen.
    assert!(peak("400") < peak("1") + 4096);
}

#[test]
fn a_real_log_has_the_totals_of_its_lines() {
    let Ok(log) = std::env::var("ACCESS_LOG") else {
        return eprintln!("skipped: ACCESS_LOG names no log");
    };

    let output = access_log(&["--quiet", &log]);

    assert_eq!(totals(&output.stdout), expected(&fs::read(&log).unwrap()));
}
