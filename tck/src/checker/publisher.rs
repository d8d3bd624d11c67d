//! Judges traces of a publisher: no clocks, no threads, no input or output.
//!
//! [`check_publisher`] goes through a trace once per subscription and reports every rule that the
//! publisher broke, with the event that shows it. Rules about what must happen in the end are
//! judged only if [`Expectation::settled`] says that nothing more can come.

use super::{Level, Violation};
use crate::trace::{Answer, Call, Event, Phase};

/// What the trace's publisher should have done, beyond what every publisher must.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// How many items the publisher has, if it is known.
    pub length: Option<u64>,
    /// Whether it completes after the last item.
    pub completes: bool,
    /// Whether it fails in place of sending items.
    pub fails: bool,
    /// How deep `on_next` may be nested in itself (rule 3.3).
    pub depth: usize,
    /// Whether the trace ends when nothing more can come.
    pub settled: bool,
}

impl Default for Expectation {
    fn default() -> Self {
        Self { length: None, completes: false, fails: false, depth: 1, settled: false }
    }
}

/// Every rule that the publisher broke in this trace, in the order in which it did.
#[must_use]
pub fn check_publisher(trace: &[Event], expectation: &Expectation) -> Vec<Violation> {
    let mut ids: Vec<u32> = trace.iter().map(|event| event.subscription).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found: Vec<Violation> = ids
        .into_iter()
        .flat_map(|id| {
            let mut line = Line::default();
            for (at, event) in trace.iter().enumerate().filter(|(_, e)| e.subscription == id) {
                line.step(at, event, expectation);
            }
            if expectation.settled {
                line.settle(trace.len(), expectation);
            }
            line.found
        })
        .collect();
    found.sort_by_key(|violation| violation.at);
    found
}

/// What is known about one subscription so far.
#[derive(Default)]
struct Line {
    found: Vec<Violation>,
    subscribed: bool,
    subscribe_made: bool,
    requested: u64,
    requests: u64,
    largest_request: u64,
    nested_request: bool,
    request_after_cancel: bool,
    delivered: u64,
    skipped: u64,
    terminal: Option<Terminal>,
    illegal: bool,
    cancels_made: u32,
    cancels_returned: u32,
    finished: bool,
    subscriber_panicked: bool,
    dropped: bool,
    /// Calls that have not returned: thread and call.
    open: Vec<(u32, Call)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Terminal {
    Completed,
    Failed { illegal: bool },
}

const fn is_signal(call: Call) -> bool {
    matches!(call, Call::OnSubscribe | Call::OnNext(_) | Call::OnError(_) | Call::OnComplete)
}

impl Line {
    fn report(&mut self, rule: &'static str, at: usize, message: impl Into<String>) {
        self.found.push(Violation::new(rule, at, message));
    }

    fn step(&mut self, at: usize, event: &Event, expectation: &Expectation) {
        match event.phase {
            Phase::Made => {
                if is_signal(event.call) {
                    self.signal(at, event, expectation);
                } else {
                    self.upstream(event.call);
                }
                if event.call != Call::Drop {
                    self.open.push((event.thread, event.call));
                }
            }
            Phase::Returned | Phase::Late => {
                self.close(event);
                if event.phase == Phase::Late {
                    self.late(at, event.call);
                }
                match event.call {
                    Call::OnNext(Answer::Skipped) => {
                        self.delivered = self.delivered.saturating_sub(1);
                        self.skipped += 1;
                    }
                    Call::OnNext(Answer::Finished) => self.finished = true,
                    Call::Cancel => self.cancels_returned += 1,
                    _ => {}
                }
            }
            Phase::Panicked => {
                self.close(event);
                match event.call {
                    Call::Subscribe => self.report("1.9", at, "`subscribe` panicked"),
                    Call::Request(0) => self.report("3.9", at, "`request(0)` panicked"),
                    Call::Request(_) => self.report("3.16", at, "`request` panicked"),
                    Call::Cancel if self.cancels_made > 1 => {
                        self.report("3.7", at, "a repeated `cancel` panicked");
                    }
                    Call::Cancel => self.report("3.15", at, "`cancel` panicked"),
                    _ => self.subscriber_panicked = true,
                }
            }
        }
    }

    fn late(&mut self, at: usize, call: Call) {
        match call {
            Call::Request(_) => self.report("3.4", at, "`request` took long"),
            Call::Cancel => self.report("3.5", at, "`cancel` took long"),
            _ => {}
        }
    }

    fn close(&mut self, event: &Event) {
        let same = |(thread, call): &(u32, Call)| {
            *thread == event.thread
                && std::mem::discriminant(call) == std::mem::discriminant(&event.call)
        };
        if let Some(index) = self.open.iter().rposition(same) {
            self.open.remove(index);
        }
    }

    fn upstream(&mut self, call: Call) {
        match call {
            Call::Subscribe => self.subscribe_made = true,
            Call::Cancel => self.cancels_made += 1,
            Call::Drop => self.dropped = true,
            Call::Request(_) if self.cancels_made > 0 => self.request_after_cancel = true,
            Call::Request(0) if self.terminal.is_none() => self.illegal = true,
            Call::Request(n) if self.terminal.is_none() => {
                self.requests += 1;
                self.largest_request = self.largest_request.max(n);
                self.requested = self.requested.saturating_add(n);
                self.nested_request |= self.open.iter().any(|(_, call)| is_signal(*call));
            }
            _ => {}
        }
    }

    fn signal(&mut self, at: usize, event: &Event, expectation: &Expectation) {
        if self.open.iter().any(|(thread, call)| is_signal(*call) && *thread != event.thread) {
            self.report("1.3", at, "a signal began while another thread was inside one");
        }
        match self.terminal {
            Some(Terminal::Failed { illegal: true }) if event.call != Call::OnSubscribe => {
                self.report("3.9", at, "a signal came after the error that answers `request(0)`");
            }
            Some(_) => self.report("1.7", at, "a signal came after the terminal signal"),
            None => {}
        }
        if self.finished {
            self.report("R.8", at, "a signal came after the subscriber answered `Finished`");
        }
        // Telling the subscriber of its own panic is a way to report it, and ends the stream.
        if self.subscriber_panicked && !matches!(event.call, Call::OnError(_)) {
            self.report("2.13", at, "a signal came after the subscriber had panicked");
        }
        if !self.subscribed && event.call != Call::OnSubscribe {
            self.report("1.9", at, "a signal came before `on_subscribe`");
        }
        let in_cancel = self.open.contains(&(event.thread, Call::Cancel));
        if in_cancel && self.cancels_returned > 0 {
            self.report("3.7", at, "a repeated `cancel` led to a signal");
        } else if in_cancel {
            self.report("1.8", at, "`cancel` led to a signal");
        }
        match event.call {
            Call::OnSubscribe if self.subscribed => {
                self.report("1.9", at, "`on_subscribe` came twice");
            }
            Call::OnSubscribe => self.subscribed = true,
            Call::OnNext(_) => self.item(at, event.thread, expectation),
            Call::OnError(illegal) => {
                self.terminal = self.terminal.or(Some(Terminal::Failed { illegal }));
            }
            _ => self.terminal = self.terminal.or(Some(Terminal::Completed)),
        }
    }

    fn item(&mut self, at: usize, thread: u32, expectation: &Expectation) {
        self.delivered += 1;
        let (delivered, requested) = (self.delivered, self.requested);
        if requested != u64::MAX && delivered > requested {
            let rule = if self.request_after_cancel { "3.6" } else { "1.1" };
            self.report(rule, at, format!("item {delivered} came, but {requested} are requested"));
        }
        if expectation.length.is_some_and(|length| delivered + self.skipped > length) {
            self.report("1.5", at, format!("item {delivered} came from a shorter publisher"));
        }
        let open = self.open.iter();
        let depth = 1 + open.filter(|o| o.0 == thread && matches!(o.1, Call::OnNext(_))).count();
        if depth > expectation.depth {
            let most = expectation.depth;
            self.report("3.3", at, format!("`on_next` is nested {depth} deep, {most} is allowed"));
        }
    }

    fn settle(&mut self, end: usize, expectation: &Expectation) {
        let ended = self.terminal.is_some();
        let stopped = self.cancels_made > 0 || self.finished || self.subscriber_panicked;
        if self.subscribe_made && !self.subscribed {
            self.report("1.9", end, "`on_subscribe` never came");
            return;
        }
        // What has nothing to send may end before it answers the request.
        let excused = ended && (expectation.fails || expectation.length == Some(0));
        let answered = self.terminal == Some(Terminal::Failed { illegal: true });
        if self.illegal && !answered && !excused {
            self.report("3.9", end, "`request(0)` did not lead to an `IllegalRequest` error");
        } else if !self.illegal && !stopped {
            if expectation.fails {
                self.settle_failed(end);
            } else if let Some(length) = expectation.length {
                self.settle_finite(end, length, expectation.completes);
            }
        }
        if (stopped || ended) && self.subscribed && !self.dropped {
            let rule = if self.finished { "R.8" } else { "3.13" };
            self.report(rule, end, "the subscriber was kept after the stream was over");
        }
        if !self.open.is_empty() {
            self.never_returned(end, self.open[0].1);
        }
    }

    fn never_returned(&mut self, end: usize, call: Call) {
        let rule = match call {
            Call::Subscribe => "1.9",
            Call::Cancel => "3.5",
            _ => "3.4",
        };
        // The rule recommends to return soon; not to return at all is no matter of taste.
        let message = format!("`{}` never returned", call.name());
        let violation = Violation { level: Level::Must, ..Violation::new(rule, end, message) };
        self.found.push(violation);
    }

    fn settle_failed(&mut self, end: usize) {
        if !matches!(self.terminal, Some(Terminal::Failed { .. })) {
            self.report("1.4", end, "a publisher that failed did not signal `on_error`");
        }
    }

    fn settle_finite(&mut self, end: usize, length: u64, completes: bool) {
        let (came, demand) = (self.delivered + self.skipped, self.requested);
        let ended = self.terminal.is_some();
        let starved = came < length && self.delivered < demand;
        if matches!(self.terminal, Some(Terminal::Failed { .. })) {
            let rule = if demand > i64::MAX as u64 { "3.17" } else { "1.5" };
            self.report(rule, end, "an error came where completion was due");
        } else if ended && came < length {
            self.report("1.5", end, format!("completed after {came} of {length} items"));
        } else if starved {
            let rule = match () {
                () if self.skipped > 0 => "R.9",
                () if demand > u64::from(u32::MAX) || self.requests > 10_000 => "3.17",
                () if self.nested_request && came < self.largest_request => "3.2",
                () => "3.8",
            };
            self.report(
                rule,
                end,
                format!("{came} of {length} items came for a demand of {demand}"),
            );
        } else if completes && !ended && came == length && demand > self.delivered {
            self.report("1.5", end, "`on_complete` never came");
        }
    }
}
