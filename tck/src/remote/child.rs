//! A process that plays subjects, and what belongs to it: its cases, its beats, its end.

use std::{
    collections::HashMap,
    io::BufReader,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, Weak, mpsc},
    time::Duration,
};

use super::{
    message::{Hello, Message, VERSION},
    peer::{Answering, Peer, Side, read_line},
};
use crate::{
    play::clock::{self, Moment},
    sync::lock,
};

/// Without any line for so long, a process is taken for dead: one that works says so every second.
const SILENCE: Duration = Duration::from_secs(30);
/// So much of what it writes on its error stream is kept for messages.
const MAX_ERRORS: usize = 2_000;

/// What the process says of one case.
pub(super) trait Playing: Send + Sync {
    /// Does what is called, and gives the reply.
    fn answer(self: Arc<Self>, call: &Message) -> Message;
    /// Hears what needs no reply.
    fn hear(&self, notice: &Message);
    /// The process is gone, for this reason.
    fn fail(&self, reason: String);
}

/// A process that plays subjects.
pub(super) struct Process {
    pub(super) peer: Arc<Peer>,
    cases: Mutex<HashMap<u64, Weak<dyn Playing>>>,
    child: Mutex<Option<Child>>,
    heard: Mutex<Moment>,
    errors: Mutex<Vec<u8>>,
    next_case: Mutex<u64>,
}

impl Process {
    /// Starts a command, and waits for the first line of the process.
    pub(super) fn start(
        command: &[String],
        patience: Duration,
        mut waiting: impl FnMut(),
    ) -> Result<(Arc<Self>, Hello), String> {
        let [program, arguments @ ..] = command else { return Err("no command".to_owned()) };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{program}` could not be started: {error}"))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(format!("`{program}` has no pipes"));
        };
        let process = Self::over(input, child);
        process.keep_errors(errors);
        let (said, hello) = mpsc::channel();
        let (reading, mut output) = (Arc::clone(&process), BufReader::new(output));
        clock::spawn(move || {
            let first = read_line::<Hello>(&mut output);
            let is_good = matches!(first, Ok(Some(_)));
            if said.send(first).is_ok() && is_good {
                reading
                    .peer
                    .read(&mut Watched { input: output, process: Arc::downgrade(&reading) });
            }
        });
        let first = serde_json::json!({ "hello": VERSION });
        let _gone = process.peer.write(&first);
        let begin = Moment::now();
        let hello = loop {
            match hello.recv_timeout(Duration::from_millis(100)) {
                Ok(Ok(Some(hello))) => break Ok(hello),
                Ok(Ok(None)) => break Err(process.death("before its first line")),
                Ok(Err(reason)) => break Err(reason),
                Err(_) if begin.elapsed() >= patience => {
                    let s = patience.as_secs();
                    break Err(format!("it did not say `hello` within {s} s"));
                }
                Err(_) => waiting(),
            }
        };
        let hello = hello.and_then(|hello| match hello.hello {
            VERSION => Ok(hello),
            other => Err(format!("it speaks version {other} of the protocol, not {VERSION}")),
        });
        match hello {
            Ok(hello) => Ok((process, hello)),
            Err(reason) => {
                process.kill();
                Err(format!("`{}`: {reason}{}", command.join(" "), process.said()))
            }
        }
    }

    fn over(input: ChildStdin, child: Child) -> Arc<Self> {
        let process = Arc::new(Self {
            peer: Peer::new(Side::Parent, input),
            cases: Mutex::default(),
            child: Mutex::new(Some(child)),
            heard: Mutex::new(Moment::now()),
            errors: Mutex::default(),
            next_case: Mutex::new(1),
        });
        process.peer.answer_by(Arc::new(Answers(Arc::downgrade(&process))));
        process
    }

    fn keep_errors(self: &Arc<Self>, mut errors: impl std::io::Read + Send + 'static) {
        let process = Arc::downgrade(self);
        clock::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(n @ 1..) = errors.read(&mut part) {
                let Some(process) = process.upgrade() else { return };
                let mut kept = lock(&process.errors);
                kept.extend_from_slice(&part[..n]);
                let excess = kept.len().saturating_sub(MAX_ERRORS);
                kept.drain(..excess);
            }
        });
    }

    /// What it wrote last on its error stream.
    fn said(&self) -> String {
        let kept = lock(&self.errors);
        let text = String::from_utf8_lossy(&kept).trim().to_owned();
        if text.is_empty() { text } else { format!("; it said last: {text}") }
    }

    /// How it ended.
    fn death(&self, place: &str) -> String {
        // What is closed before the process has ended says nothing of how it does.
        clock::pause(Duration::from_millis(50));
        let status = lock(&self.child).as_mut().and_then(|child| child.try_wait().ok().flatten());
        match status {
            Some(status) => format!("the process ended ({status}) {place}"),
            None => format!("the process closed its output {place}"),
        }
    }

    /// A number for a case.
    pub(super) fn number(&self) -> u64 {
        let mut next = lock(&self.next_case);
        *next += 1;
        *next
    }

    /// Begins a case: what the process says of it is told to this one.
    pub(super) fn enter(&self, id: u64, case: Weak<dyn Playing>) {
        lock(&self.cases).insert(id, case);
    }

    /// A case is over.
    pub(super) fn close(&self, case: u64) {
        lock(&self.cases).remove(&case);
    }

    fn case(&self, message: &Message) -> Option<Arc<dyn Playing>> {
        lock(&self.cases).get(&message.case?)?.upgrade()
    }

    pub(super) fn kill(&self) {
        let child = lock(&self.child).take();
        self.peer.close();
        if let Some(mut child) = child {
            // One that has ended by itself cannot be killed, which is as well.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Ends it when it has said nothing for long.
    pub(super) fn is_silent(&self) -> bool {
        lock(&self.heard).elapsed() >= SILENCE
    }

    fn fail(&self, reason: &str) {
        let cases: Vec<_> = lock(&self.cases).values().filter_map(Weak::upgrade).collect();
        for case in cases {
            case.fail(format!("{reason}{}", self.said()));
        }
    }

    /// Gives up on a process that has said nothing for long.
    pub(super) fn give_up_if_silent(&self) {
        if self.is_silent() {
            let s = SILENCE.as_secs();
            self.fail(&format!("the process gave no sign of life for {s} s, and was killed"));
            self.kill();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads, and notes when something came.
struct Watched<R> {
    input: R,
    process: Weak<Process>,
}

impl<R: std::io::BufRead> std::io::Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.input.read(into)
    }
}

impl<R: std::io::BufRead> std::io::BufRead for Watched<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if let Some(process) = self.process.upgrade() {
            *lock(&process.heard) = Moment::now();
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.input.consume(n);
    }
}

/// Answers what the child calls.
struct Answers(Weak<Process>);

impl Answering for Answers {
    fn answer(&self, call: &Message) -> Message {
        let process = self.0.upgrade();
        // What comes of a case that is over is not judged any more.
        let Some(case) = process.and_then(|process| process.case(call)) else {
            return Message::returned();
        };
        case.answer(call)
    }

    fn hear(&self, notice: &Message) {
        let Some(case) = self.0.upgrade().and_then(|process| process.case(notice)) else { return };
        case.hear(notice);
    }

    fn lose(&self, reason: &str) {
        let Some(process) = self.0.upgrade() else { return };
        let reason = match reason {
            "" => process.death("while a check was played"),
            reason => format!("the process broke the protocol: {reason}"),
        };
        process.fail(&reason);
    }
}
