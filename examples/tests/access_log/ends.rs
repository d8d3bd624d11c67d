//! How the program ends when its input or its output does.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{access_log, file, line, objects, program, sample, totals};

/// Starts the program with a pipe at each end.
pub(crate) fn start(arguments: &[&str]) -> Child {
    let mut program = program();
    program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program.spawn().unwrap()
}

/// Sends a signal, such as `-INT`.
pub(crate) fn signal(child: &Child, name: &str) {
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args([name, &child.id().to_string()]).status().unwrap().success());
}

/// The message of a program that has ended, and how it ended.
pub(crate) fn end(mut child: Child) -> (String, ExitStatus) {
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    (message, child.wait().unwrap())
}

#[test]
fn a_reader_that_has_seen_enough_ends_it() {
    let mut child = start(&["--spike", "1000"]);

    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();

    let (message, status) = end(child);
    assert_eq!(objects(first.as_bytes()).len(), 1);
    assert_eq!(status.code(), Some(0));
    let message = message.lines().last().unwrap();
    assert!(message.starts_with("access_log: the output was closed by its reader after "));
}

#[test]
fn an_interrupt_leaves_whole_lines() {
    let mut child = start(&["--spike", "1000", "--sink-delay", "10ms"]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut written = Vec::new();
    output.read_until(b'\n', &mut written).unwrap();

    signal(&child, "-INT");

    output.read_to_end(&mut written).unwrap();
    let (message, status) = end(child);
    assert_eq!(status.code(), Some(130));
    let n_written = objects(&written).len();
    let message = message.lines().last().unwrap();
    assert_eq!(message, format!("access_log: interrupted after {n_written} objects"));
}

#[test]
fn an_interrupt_ends_a_long_delay_of_the_sink() {
    let out = file("delayed.json", b"");
    let mut child = start(&["-", "--sink-delay", "1h", "--out", out.to_str().unwrap()]);
    // When this much was taken, the signal is handled: a pipe holds less.
    let line = line("10:05:59", 200);
    child.stdin.as_mut().unwrap().write_all(line.repeat(20_000).as_bytes()).unwrap();

    signal(&child, "-INT");

    let (message, status) = end(child);
    assert_eq!(status.code(), Some(130), "{message}");
    assert_eq!(fs::read(out).unwrap(), b"");
}

#[test]
fn a_second_interrupt_ends_a_write_that_blocks() {
    // Nobody reads the output, so that after a while no input is taken either.
    let mut child = start(&["--quiet", "-", "--lateness", "0"]);
    let mut input = child.stdin.take().unwrap();
    let day: String =
        (0..24 * 60).map(|n| line(&format!("{:02}:{:02}:00", n / 60, n % 60), 200)).collect();
    let (sender, taken) = mpsc::channel();

    let status =
        thread::scope(|scope| {
            scope.spawn(move || {
                while input.write_all(day.as_bytes()).is_ok() && sender.send(()).is_ok() {}
            });
            while taken.recv_timeout(Duration::from_millis(500)).is_ok() {}
            let is_ended = (0..1000).any(|_| {
                signal(&child, "-INT");
                child.try_wait().unwrap().is_some()
            });
            if !is_ended {
                child.kill().unwrap();
            }
            child.wait().unwrap()
        });

    assert_eq!(status.code(), Some(130));
}

#[test]
fn standard_input_is_read() {
    let mut child = start(&["--quiet", "-"]);
    let log = fs::read(sample()).unwrap();

    child.stdin.take().unwrap().write_all(&log).unwrap();

    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    assert_eq!(output, access_log(&["--quiet"]).stdout);
    assert!(totals(&output).0 > 0 && end(child).1.success());
}

#[test]
fn lines_that_are_there_do_not_wait_for_more() {
    let mut child = start(&["--quiet", "-", "--lateness", "0"]);
    let mut input = child.stdin.take().unwrap();

    input.write_all((line("10:05:59", 200) + &line("10:06:00", 200)).as_bytes()).unwrap();

    let mut first = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_until(b'\n', &mut first).unwrap();
    assert_eq!(objects(&first)[0]["minute"], "2015-05-17T10:05:00Z");
    drop(input);
    assert!(end(child).1.success());
}

#[test]
fn an_input_that_is_closed_has_no_minutes() {
    let shell = |redirection: &str| {
        let script = format!("exec \"$0\" --quiet - {redirection}");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).arg(program().get_program()).output().unwrap()
    };

    for redirection in ["<&-", "</dev/null"] {
        let output = shell(redirection);

        assert!(output.status.success() && output.stdout.is_empty(), "{redirection}");
    }
}

#[test]
fn an_input_that_cannot_be_read_again_is_not_replayed() {
    let output = access_log(&["--quiet", "-", "--spike", "2"]);

    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("access_log: - cannot be replayed: "), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let to_output = program().arg("--quiet").stdout(full).output().unwrap();
    let to_file = access_log(&["--quiet", "--out", "/dev/full"]);
    let rejects = access_log(&["--quiet", "--rejects", "/dev/full"]);

    for (output, name) in [(to_output, "output"), (to_file, "output"), (rejects, "rejects")] {
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        let expected = format!("access_log: cannot write the {name}: No space");
        assert!(message.starts_with(&expected), "{message}");
    }
}
