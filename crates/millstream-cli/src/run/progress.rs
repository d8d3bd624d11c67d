//! What a run prints about itself, on standard error.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use millstream_pipeline::{Spec, Status};
use serde_json::Value;

use crate::log;

/// What a run prints about itself: a line that is written over on a terminal, or a line now and
/// then.
pub(super) struct Progress {
    name: String,
    is_quiet: bool,
    is_terminal: bool,
    last: Instant,
    before: (Duration, u64),
    /// A line stands on the terminal that is to be written over.
    has_line: bool,
}

impl Progress {
    pub(super) fn new(spec: &Spec, is_quiet: bool, now: Instant) -> Self {
        Self {
            name: spec.name.clone(),
            is_quiet,
            is_terminal: io::stderr().is_terminal() && !log::is_json(),
            last: now,
            before: (Duration::ZERO, 0),
            has_line: false,
        }
    }

    /// How it goes. Where there is no terminal, a line is written each `interval`.
    pub(super) fn show(&mut self, status: &Status, interval: Duration, now: Instant) {
        if self.is_quiet {
            return;
        }
        if !self.is_terminal && now.duration_since(self.last) < interval {
            return;
        }
        self.last = now;
        let line = self.line(status);
        if self.is_terminal {
            let mut out = io::stderr().lock();
            // A terminal that is gone is no reason to stop.
            write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()).ok();
            self.has_line = true;
        } else {
            log::write("info", &line, &numbers(status));
        }
    }

    fn line(&mut self, status: &Status) -> String {
        let (elapsed, arrived) = (status.elapsed, status.arrived);
        let seconds = elapsed.saturating_sub(self.before.0).as_secs_f64();
        let rate = if seconds > 0.0 { (arrived - self.before.1) as f64 / seconds } else { 0.0 };
        self.before = (elapsed, arrived);
        format!(
            "{}: {arrived} arrived ({rate:.0}/s), {} wait, {} lost, p99 {:.1?}",
            self.name,
            status.waiting,
            status.lost(),
            status.latency.p99,
        )
    }

    /// Something has happened that was wanted.
    pub(super) fn note(&mut self, line: &str) {
        if !self.is_quiet {
            self.say("info", line, &[]);
        }
    }

    /// Something has happened that somebody should look at.
    pub(super) fn warn(&mut self, line: &str) {
        self.say("warn", line, &[]);
    }

    fn say(&mut self, level: &str, line: &str, numbers: &[(&str, Value)]) {
        if self.has_line {
            log::write(level, "", &[]);
            self.has_line = false;
        }
        log::write(level, line, numbers);
    }

    /// How it went.
    pub(super) fn summary(&mut self, status: &Status) {
        if self.is_quiet {
            return;
        }
        let seconds = status.elapsed.as_secs_f64();
        let line = format!(
            "{}: {} taken, {} arrived in {seconds:.2} s ({:.0}/s), {}",
            self.name,
            status.taken,
            status.arrived,
            status.arrived as f64 / seconds.max(1e-9),
            status.latency,
        );
        self.say("info", &line, &numbers(status));
        let losses = [
            (status.dropped, "dropped by queues"),
            (status.skipped, "skipped, because a stage could do nothing with them"),
            (status.late, "too late for their window"),
            (status.lost_at_source, "not asked for in time"),
        ];
        for (n, why) in losses.into_iter().filter(|(n, _)| *n > 0) {
            self.say("warn", &format!("  {n} {why}"), &[]);
        }
        if let Some(first) = &status.first_fault {
            self.say("warn", &format!("  the first was {first}"), &[]);
        }
    }
}

/// What a line of JSON has besides its text.
fn numbers(status: &Status) -> [(&'static str, Value); 9] {
    let ms = |time: Duration| Value::from(time.as_secs_f64() * 1e3);
    [
        ("taken", status.taken.into()),
        ("arrived", status.arrived.into()),
        ("bytes", status.bytes.into()),
        ("waiting", status.waiting.into()),
        ("lost", status.lost().into()),
        ("failed_reloads", status.failed_reloads.into()),
        ("p50_ms", ms(status.latency.p50)),
        ("p99_ms", ms(status.latency.p99)),
        ("max_ms", ms(status.latency.max)),
    ]
}
