//! rsocket-java: a process that measures itself, as it is told by lines.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::{Case, Peer};

pub(crate) struct Java {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Java {
    pub(crate) fn start(folder: PathBuf) -> Self {
        let classes = folder.join("classes").display().to_string();
        let libraries = folder.join("dependency/*").display().to_string();
        let mut child = Command::new("java")
            .args(["-cp", &format!("{classes}:{libraries}"), "Measure"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("java");
        let commands = child.stdin.take().expect("its input");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, commands, answers }
    }

    /// Numbers of nanoseconds.
    fn ask(&mut self, line: &str) -> Vec<Duration> {
        writeln!(self.commands, "{line}").expect("it runs");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it runs");
        let numbers = answer.split_whitespace().filter_map(|number| number.parse().ok());
        numbers.map(Duration::from_nanos).collect()
    }
}

impl Peer for Java {
    fn name(&self) -> &'static str {
        "rsocket-java"
    }

    async fn stream(&mut self, case: Case) -> Duration {
        let Case { demand, size, n_items } = case;
        let times = self.ask(&format!("stream {demand} {size} {n_items}"));
        *times.first().expect("a time")
    }

    async fn respond(&mut self, n: u32, per_second: u32) -> Vec<Duration> {
        self.ask(&format!("respond {n} {per_second}"))
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
