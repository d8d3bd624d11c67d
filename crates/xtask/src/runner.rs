//! Runs test executables, in as many processes at a time as there are processors.
//!
//! A process runs a few tests of one executable, one after the other, so that a large executable is
//! shared out, and so that the time between two of its lines is the time of a test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    runner_lines::{Outcome, outcome_of},
    shell::{Call, Failure, Shell},
};

/// How long a test may take before its process is ended.
const LIMIT: Duration = Duration::from_secs(300);

/// How many of the slowest tests are listed.
const N_SLOWEST: usize = 10;

/// A program with tests.
#[derive(Debug)]
pub(crate) struct Executable {
    /// The package and the target.
    name: String,
    path: PathBuf,
    /// That of the package, where cargo would run it.
    folder: PathBuf,
}

/// How tests are run.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    /// How many of them a process runs.
    pub(crate) n_at_a_time: usize,
    /// Runs only those whose name contains this text.
    pub(crate) filter: Option<&'a str>,
    /// Set in the environment of the tests.
    pub(crate) variables: Vec<(String, String)>,
}

/// Builds what a call of `cargo test` would run.
///
/// # Errors
///
/// If it does not compile.
pub(crate) fn build(call: Call) -> Result<Vec<Executable>, Failure> {
    let messages = call.arg("--no-run").arg("--message-format=json-render-diagnostics").lines()?;
    Ok(messages.lines().filter_map(executable_of).collect())
}

/// The test executable of which one of cargo's messages speaks.
fn executable_of(message: &str) -> Option<Executable> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    // `path+file:///../name#0.1.0`, or `..#name@0.1.0` where the folder has another name.
    let id = message["package_id"].as_str()?;
    let package = match id.rsplit_once('#')?.1.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => folder.file_name()?.to_str()?.to_owned(),
    };
    let target = message["target"]["name"].as_str()?;
    let path = message["executable"].as_str()?.into();
    Some(Executable { name: format!("{package} {target}"), path, folder })
}

/// Runs the tests, and returns how many there were.
///
/// # Errors
///
/// If one fails, or an executable cannot be run. The others are run all the same.
pub(crate) fn run(
    shell: &Shell,
    executables: &[Executable],
    settings: &Settings<'_>,
) -> Result<usize, Failure> {
    let runner = Runner { shell, settings };
    let mut jobs = VecDeque::new();
    let mut n_open = Vec::new();
    for (index, executable) in executables.iter().enumerate() {
        let parts = runner.parts(executable)?;
        n_open.push(parts.len());
        jobs.extend(parts.into_iter().map(|names| Job { index, names }));
    }
    let state = Mutex::new(State { jobs, n_open, reports: Vec::new() });
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        while let Some(job) = { lock().jobs.pop_front() } {
            let report = runner.run(&executables[job.index], &job);
            lock().finish(report, executables);
        }
    };
    thread::scope(|scope| {
        for _ in 1..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
        work();
    });
    let State { reports, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    conclude(&reports, executables)
}

/// Some tests of one executable.
struct Job {
    index: usize,
    /// All of them if there are none.
    names: Vec<String>,
}

struct State {
    jobs: VecDeque<Job>,
    /// The jobs of each executable that have not ended.
    n_open: Vec<usize>,
    reports: Vec<Report>,
}

impl State {
    fn finish(&mut self, report: Report, executables: &[Executable]) {
        let index = report.index;
        self.n_open[index] -= 1;
        self.reports.push(report);
        if self.n_open[index] == 0 {
            let reports = self.reports.iter().filter(|report| report.index == index);
            let (mut n, mut time, mut is_ok) = (0, Duration::ZERO, true);
            for report in reports {
                n += report.count(Outcome::Passed);
                time += report.tests.iter().map(|test| test.time).sum::<Duration>();
                is_ok &= report.failure.is_none();
            }
            let (time, name) = (time.as_secs_f64(), &executables[index].name);
            println!("{time:>7.1}s {n:>6} passed  {name}{}", if is_ok { "" } else { "  FAILED" });
        }
    }
}

/// What one process did.
struct Report {
    index: usize,
    tests: Vec<Test>,
    /// Why it counts as failed, and what it wrote.
    failure: Option<String>,
}

struct Test {
    name: String,
    outcome: Outcome,
    time: Duration,
}

impl Report {
    fn count(&self, outcome: Outcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
    }
}

fn conclude(reports: &[Report], executables: &[Executable]) -> Result<usize, Failure> {
    for report in reports {
        if let Some(failure) = &report.failure {
            println!("\n---- {}: {failure}", executables[report.index].name);
        }
    }
    let mut tests: Vec<(&Test, &str)> = Vec::new();
    for report in reports {
        let name = executables[report.index].name.as_str();
        tests.extend(report.tests.iter().map(|test| (test, name)));
    }
    tests.sort_by_key(|(test, _)| std::cmp::Reverse(test.time));
    println!("\nslowest tests:");
    for (Test { name, time, .. }, executable) in tests.iter().take(N_SLOWEST) {
        println!("{:>7.1}s  {executable}: {name}", time.as_secs_f64());
    }
    let count = |outcome| reports.iter().map(|report| report.count(outcome)).sum::<usize>();
    let (n_passed, n_ignored) = (count(Outcome::Passed), count(Outcome::Ignored));
    // A process that was ended by a signal fails without a failed test.
    let is_silent =
        |report: &&Report| report.failure.is_some() && report.count(Outcome::Failed) == 0;
    let n_failed = count(Outcome::Failed) + reports.iter().filter(is_silent).count();
    println!("tests: {n_passed} passed, {n_failed} failed, {n_ignored} ignored");
    if n_failed > 0 {
        let tests = if n_failed == 1 { "test" } else { "tests" };
        return Err(Failure::new(format!("{n_failed} {tests} failed")));
    }
    Ok(tests.len())
}

struct Runner<'a> {
    shell: &'a Shell,
    settings: &'a Settings<'a>,
}

impl Runner<'_> {
    fn command(&self, executable: &Executable) -> Command {
        let mut command = Command::new(&executable.path);
        self.shell.prepare(&mut command);
        command
            .current_dir(&executable.folder)
            .env("CARGO_MANIFEST_DIR", &executable.folder)
            .envs(self.settings.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    fn read(&self, executable: &Executable, args: &[&str]) -> Result<String, Failure> {
        let output = self.command(executable).args(args).output();
        let output = output.map_err(|cause| {
            Failure::new(format!("{} did not start: {cause}", executable.path.display()))
        })?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The tests of an executable, as many in each part as a process runs.
    fn parts(&self, executable: &Executable) -> Result<Vec<Vec<String>>, Failure> {
        let args: Vec<&str> =
            ["--list", "--format=terse"].into_iter().chain(self.settings.filter).collect();
        let listing = self.read(executable, &args)?;
        let names: Vec<String> = names_in(&listing).map(str::to_owned).collect();
        let n_at_a_time = self.settings.n_at_a_time;
        // Executables with a `main` of their own take one name at most.
        let takes_many = || Ok(self.read(executable, &["--help"])?.contains("[FILTERS...]"));
        if n_at_a_time > 1 && (names.len() <= n_at_a_time || !takes_many()?) {
            let is_empty = names.is_empty();
            return Ok(if is_empty { Vec::new() } else { vec![Vec::new()] });
        }
        Ok(names.chunks(n_at_a_time).map(<[String]>::to_vec).collect())
    }

    fn run(&self, executable: &Executable, job: &Job) -> Report {
        let mut command = self.command(executable);
        command.arg("--test-threads=1").stdout(Stdio::piped()).stderr(Stdio::piped());
        if job.names.is_empty() {
            command.args(self.settings.filter);
        } else {
            command.arg("--exact").args(&job.names);
        }
        let mut report = Report { index: job.index, tests: Vec::new(), failure: None };
        match command.spawn() {
            Ok(child) => report.failure = follow(child, &mut report.tests),
            Err(cause) => report.failure = Some(format!("it did not start: {cause}")),
        }
        report
    }
}

/// Reads the lines of a process until it ends. Returns why it failed, if it did.
#[expect(clippy::disallowed_methods, reason = "the time of a test is what a person waits for")]
fn follow(mut child: Child, tests: &mut Vec<Test>) -> Option<String> {
    let (stdout, stderr) = (child.stdout.take()?, child.stderr.take()?);
    let (sender, lines) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut line = Vec::new();
            let mut stdout = BufReader::new(stdout);
            while stdout.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                if sender.send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
        let errors = scope.spawn(move || {
            let mut text = Vec::new();
            // What was read until an error is shown all the same.
            BufReader::new(stderr).read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        });

        let (mut written, mut start, mut is_hung) = (String::new(), Instant::now(), false);
        loop {
            match lines.recv_timeout(LIMIT) {
                Ok(line) => match outcome_of(&line) {
                    Some((name, outcome)) => {
                        let (name, now) = (name.to_owned(), Instant::now());
                        tests.push(Test { name, outcome, time: now - start });
                        start = now;
                        if outcome == Outcome::Failed {
                            written.push_str(&line);
                        }
                    }
                    None => written.push_str(&line),
                },
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    is_hung = true;
                    // It may have ended just now.
                    child.kill().ok();
                    break;
                }
            }
        }
        drop(lines);
        let status = child.wait();
        let errors = errors.join().unwrap_or_default();
        let end = match status {
            _ if is_hung => format!("no test ended within {} s", LIMIT.as_secs()),
            Ok(status) if status.success() => return None,
            Ok(status) => status.to_string(),
            Err(cause) => cause.to_string(),
        };
        let last = tests.last().map_or("none", |test| &test.name);
        Some(format!("{end}; the last test that ended: {last}\n{}{errors}", written.trim_start()))
    })
}

/// The names in a listing.
fn names_in(listing: &str) -> impl Iterator<Item = &str> {
    listing.lines().filter_map(|line| line.strip_suffix(": test"))
}

#[cfg(test)]
mod tests {
    use super::{executable_of, names_in};

    #[test]
    fn tests_are_read_from_the_listing() {
        let listing = "gate::a_request: test\nserial::a_turn: test\nserial::b: benchmark\n";

        assert_eq!(names_in(listing).collect::<Vec<_>>(), ["gate::a_request", "serial::a_turn"]);
    }

    #[test]
    fn executables_are_read_from_the_messages_of_cargo() {
        let message = |is_test: bool, id: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///a/tck#{id}",
                "manifest_path":"/a/tck/Cargo.toml","target":{{"name":"it"}},
                "profile":{{"test":{is_test}}},"executable":"/a/target/it-1"}}"#
            )
        };

        let named = executable_of(&message(true, "reactive-streams-tck@0.1.0")).unwrap();
        assert_eq!(named.name, "reactive-streams-tck it");
        assert_eq!(named.folder, std::path::Path::new("/a/tck"));
        assert_eq!(executable_of(&message(true, "0.1.0")).unwrap().name, "tck it");
        assert!(executable_of(&message(false, "0.1.0")).is_none());
        assert!(executable_of("{}").is_none());
    }
}
