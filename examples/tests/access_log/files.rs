//! What the program does to files that are there before it, and to input that is no log.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{access_log, ends, file, line, objects, program, sample, totals};

/// A second name of the same file.
fn hard_link(path: &Path, name: &str) -> PathBuf {
    let link = path.with_file_name(name);
    fs::remove_file(&link).ok();
    fs::hard_link(path, &link).unwrap();
    link
}

/// What an unfinished run leaves beside the output.
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// A log that begins well and ends in the middle of its compressed data.
fn broken_archive(name: &str, n_minutes: usize) -> PathBuf {
    let lines = (0..n_minutes).map(|n| line(&format!("{:02}:{:02}:00", n / 60, n % 60), 200));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(lines.collect::<String>().as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    file(name, &whole[..whole.len() - 20])
}

#[test]
fn an_output_that_is_the_log_by_another_name_is_refused() {
    let content = fs::read(sample()).unwrap();
    let log = file("linked.log", &content);
    let link = hard_link(&log, "linked_too.log");

    for option in ["--out", "--rejects"] {
        let output =
            access_log(&["--quiet", log.to_str().unwrap(), option, link.to_str().unwrap()]);

        assert_eq!(output.status.code(), Some(1), "{option}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("is the log and would be overwritten"), "{message}");
        assert_eq!(fs::read(&log).unwrap(), content);
    }
}

#[test]
fn an_output_that_is_standard_input_is_refused() {
    let content = fs::read(sample()).unwrap();
    let log = file("input.log", &content);

    for option in ["--out", "--rejects"] {
        let mut program = program();
        program.args(["--quiet", "-", option]).arg(&log).stdin(File::open(&log).unwrap());
        let output = program.output().unwrap();

        assert_eq!(output.status.code(), Some(1), "{option}");
        assert_eq!(fs::read(&log).unwrap(), content);
    }
}

#[test]
fn a_log_that_standard_output_is_appended_to_is_refused() {
    let content = fs::read(sample()).unwrap();
    let log = file("appended.log", &content);
    let appended = File::options().append(true).open(&log).unwrap();

    let output = program().arg("--quiet").arg(&log).stdout(appended).output().unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(&log).unwrap(), content);
}

#[test]
fn outputs_that_are_one_file_by_two_names_are_refused() {
    let one = file("one.json", b"before");
    let other = hard_link(&one, "other.json");
    let names = ["--out", one.to_str().unwrap(), "--rejects", other.to_str().unwrap()];

    let output = access_log(&[&["--quiet"], &names[..]].concat());

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(&one).unwrap(), b"before");
}

#[test]
fn a_run_that_fails_at_once_leaves_the_former_outputs() {
    let out = file("former.json", b"before");
    let rejects = file("former.txt", b"before");
    let log = file("former.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    let names = ["--out", out.to_str().unwrap(), "--rejects", rejects.to_str().unwrap()];

    let output = access_log(&[&["--quiet", log.to_str().unwrap()], &names[..]].concat());

    assert_eq!(output.status.code(), Some(1));
    for path in [out, rejects] {
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert!(!partial(&path).exists(), "nothing was written");
    }
}

#[test]
fn a_run_that_fails_later_keeps_what_it_has_written_beside() {
    let out = file("later.json", b"before");
    let log = broken_archive("later.gz", 24 * 60);
    let arguments = ["--quiet", log.to_str().unwrap(), "--lateness", "0", "--out"];

    let output = access_log(&[&arguments[..], &[out.to_str().unwrap()]].concat());

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(&out).unwrap(), b"before");
    assert!(!objects(&fs::read(partial(&out)).unwrap()).is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("later.json.partial"), "{message}");
}

#[test]
fn an_interrupted_run_keeps_what_it_has_written_beside() {
    let out = file("stopped.json", b"before");
    let mut child = ends::start(&["-", "--lateness", "0", "--out", out.to_str().unwrap()]);
    // More than the pipe holds, so that the program is running when all of it was taken.
    let lines = (0..24 * 60).map(|n| line(&format!("{:02}:{:02}:00", n / 60, n % 60), 200));
    let input = child.stdin.as_mut().unwrap();
    input.write_all(lines.collect::<String>().repeat(10).as_bytes()).unwrap();

    ends::signal(&child, "-INT");

    let (message, status) = ends::end(child);
    assert_eq!(status.code(), Some(130), "{message}");
    assert_eq!(fs::read(&out).unwrap(), b"before");
    assert!(!objects(&fs::read(partial(&out)).unwrap()).is_empty());
}

#[test]
fn an_output_keeps_its_place_and_its_permissions() {
    let target = file("target.json", b"before");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let link = target.with_file_name("link.json");
    fs::remove_file(&link).ok();
    symlink(&target, &link).unwrap();
    let new = target.with_file_name("new.json");
    fs::remove_file(&new).ok();

    for path in [&link, &new] {
        let output = access_log(&["--quiet", "--out", path.to_str().unwrap()]);

        assert!(output.status.success());
        assert_eq!(fs::read(path).unwrap(), access_log(&["--quiet"]).stdout);
    }

    assert!(link.is_symlink());
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    let ordinary = fs::metadata(file("ordinary.json", b"")).unwrap().permissions().mode();
    assert_eq!(fs::metadata(&new).unwrap().permissions().mode(), ordinary);
}

#[test]
fn a_log_of_garbage_alone_has_an_exit_code_of_its_own() {
    let log = file("garbage.log", b"no\nlog\nat all\n");
    let out = file("garbage.json", b"before");
    let rejects = file("garbage.txt", b"");
    let names = ["--out", out.to_str().unwrap(), "--rejects", rejects.to_str().unwrap()];

    let output = access_log(&[&["--quiet", log.to_str().unwrap()], &names[..]].concat());

    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("access_log: none of the 3 lines "), "{message}");
    assert_eq!(fs::read(out).unwrap(), b"before");
    assert_eq!(fs::read_to_string(rejects).unwrap().lines().count(), 3);
}

#[test]
fn one_line_from_the_future_splits_no_minutes() {
    let stray = line("10:05:00", 200).replace("/2015", "/2035");
    // More lines than are read at a time, so that the minutes are reported while lines come.
    let minutes: Vec<String> =
        (0..60).map(|n| line(&format!("10:{n:02}:00",), 200).repeat(100)).collect();
    for at in [0, 3] {
        let mut lines = minutes.clone();
        lines.insert(at, stray.clone());
        let log = file(&format!("future_{at}.log"), lines.concat().as_bytes());

        let output = access_log(&["--quiet", log.to_str().unwrap(), "--lateness", "60"]);

        let objects = objects(&output.stdout);
        assert_eq!(objects.len(), 61, "an object for each minute, stray at {at}");
        assert!(objects[..60].iter().all(|report| report["requests"] == 100));
        assert_eq!(totals(&output.stdout).0, 6001);
    }
}

#[test]
fn a_gap_in_the_log_does_not_hold_minutes_back() {
    let mut child = ends::start(&["--quiet", "-"]);
    let mut input = child.stdin.take().unwrap();
    let log = line("01:00:00", 200) + &line("23:00:00", 200).repeat(8);

    input.write_all(log.as_bytes()).unwrap();

    let mut first = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_until(b'\n', &mut first).unwrap();
    assert_eq!(objects(&first)[0]["minute"], "2015-05-17T01:00:00Z");
    drop(input);
    assert!(ends::end(child).1.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_output_is_an_error() {
    let shell = |redirection: &str| {
        let script = format!("exec \"$0\" --quiet {redirection}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).arg(program().get_program()).output().unwrap()
    };
    let out = file("closed.json", b"");
    let out = out.to_str().unwrap();

    let output = shell(">&-");

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("access_log: standard output is closed"), "{message}");
    for redirection in ["> /dev/null", &format!("--out {out} >&-")] {
        assert_eq!(shell(redirection).status.code(), Some(0), "{redirection}");
    }
    assert!(!fs::read(out).unwrap().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_cannot_be_started_are_an_error() {
    let out = file("threads.json", b"before");
    // The stacks of the threads do not fit into the memory that the shell allows, in KiB.
    let script = "ulimit -v 262144; exec \"$0\" --quiet --threads 256 --out \"$1\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).arg(program().get_program()).arg(&out).stdout(Stdio::null());

    let output = shell.output().unwrap();

    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("access_log: cannot start thread "), "{message}");
    assert_eq!(fs::read(out).unwrap(), b"before");
}

#[test]
fn a_termination_ends_it_as_an_interrupt_does() {
    let mut child = ends::start(&["--spike", "1000", "--sink-delay", "10ms"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut written = Vec::new();
    output.read_until(b'\n', &mut written).unwrap();

    ends::signal(&child, "-TERM");

    output.read_to_end(&mut written).unwrap();
    let (message, status) = ends::end(child);
    assert_eq!(status.code(), Some(143), "{message}");
    let n_written = objects(&written).len();
    let message = message.lines().last().unwrap();
    assert_eq!(message, format!("access_log: interrupted after {n_written} objects"));
}
