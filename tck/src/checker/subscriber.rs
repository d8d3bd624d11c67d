//! Judges traces of a subscriber: no clocks, no threads, no input or output.
//!
//! All subscriptions of a trace are those of one subscriber: the one that is handed over first is
//! its own, and one that comes while it is in use is a second one (rule 2.5). Rules about what must
//! happen in the end are judged only if [`SubscriberExpectation::settled`] says that nothing more
//! can come.

use reactive_streams::ErrorKind;

use super::{
    Findings, Level, Violation,
    subscription::{Line, Terminal, is_signal},
};
use crate::trace::{Call, Event, Phase, Processed};

/// The number of the subscription of another subscriber of the same kind, to compare with.
pub const BESIDE: u32 = 50;

/// What the trace's subscriber should have done, beyond what every subscriber must.
#[derive(Clone, Copy, Debug)]
pub struct SubscriberExpectation {
    /// How many items it was told to request in all.
    pub wanted: u64,
    /// Whether it was told to cancel.
    pub canceled: bool,
    /// After how many items it has enough.
    pub takes: Option<u64>,
    /// Whether it reports what it processes.
    pub reports: bool,
    /// Whether it need not report a failure: a processor may recover from it, or hold it back.
    pub hides_errors: bool,
    /// Whether it may act on a signal after that has returned.
    pub asynchronous: bool,
    /// Whether the trace ends when nothing more can come.
    pub settled: bool,
}

impl Default for SubscriberExpectation {
    fn default() -> Self {
        Self {
            wanted: 0,
            canceled: false,
            takes: None,
            reports: false,
            hides_errors: false,
            asynchronous: true,
            settled: false,
        }
    }
}

/// Every rule that the subscriber broke in this trace, in the order in which it did.
#[must_use]
pub fn check_subscriber(trace: &[Event], expectation: &SubscriberExpectation) -> Vec<Violation> {
    let mut judge = Judge { expectation, lines: Vec::new(), found: Findings::default() };
    for (at, event) in trace.iter().enumerate().filter(|(_, event)| event.subscription != BESIDE) {
        judge.step(at, event);
    }
    if expectation.settled {
        judge.compare(trace);
        judge.settle(trace.len());
    }
    let mut found = judge.found.list;
    found.sort_by_key(|violation| violation.at);
    found
}

struct Judge<'a> {
    expectation: &'a SubscriberExpectation,
    /// In the order in which they were handed over.
    lines: Vec<Line>,
    found: Findings,
}

impl Judge<'_> {
    fn report(&mut self, rule: &'static str, at: usize, message: impl Into<String>) {
        self.found.push(Violation::new(rule, at, message));
    }

    /// What is legal, or may be, but is better done without.
    fn warn(&mut self, rule: &'static str, at: usize, message: impl Into<String>) {
        let violation = Violation::new(rule, at, message);
        self.found.push(Violation { level: Level::Should, ..violation });
    }

    fn step(&mut self, at: usize, event: &Event) {
        let known = self.lines.iter().position(|line| line.id == event.subscription);
        let index = known.unwrap_or_else(|| {
            let is_second = self.lines.iter().any(Line::is_in_use);
            self.lines.push(Line::new(event, is_second));
            self.lines.len() - 1
        });
        match event.phase {
            Phase::Made => {
                match event.call {
                    Call::Request(n) => self.request(index, at, event, n),
                    Call::Cancel => self.cancel(index, at, event),
                    Call::Report(signal) => self.reported(index, at, event, signal),
                    _ => {}
                }
                self.lines[index].made(at, event);
            }
            Phase::Returned | Phase::Late => {
                if event.phase == Phase::Late && is_signal(event.call) {
                    self.report("2.2", at, format!("`{}` took long", event.call.name()));
                }
                self.lines[index].returned(event);
            }
            Phase::Panicked => {
                self.panicked(index, at, event.call);
                self.lines[index].panicked(event);
            }
        }
    }

    fn panicked(&mut self, index: usize, at: usize, call: Call) {
        let line = &self.lines[index];
        let message = format!("`{}` panicked", call.name());
        let special = match call {
            Call::OnSubscribe if line.is_second => Some("2.5"),
            Call::OnNext(_) if line.cancels > 0 => Some("2.8"),
            Call::OnComplete => Some("2.9"),
            Call::OnError(_) => Some("2.10"),
            _ => None,
        };
        if let Some(rule) = special {
            self.report(rule, at, message.clone());
        }
        if is_signal(call) || call == Call::Drop {
            self.report("2.13", at, message);
        }
    }

    fn request(&mut self, index: usize, at: usize, event: &Event, n: u64) {
        let line = &self.lines[index];
        if n == 0 {
            self.report("3.9", at, "zero items were requested");
        } else if line.is_second && line.cancels == 0 {
            self.report("2.5", at, "items of the second subscription were requested");
        } else if line.has_canceled_itself(event.thread) {
            self.warn("3.6", at, "items were requested after the subscriber's own cancel");
        }
        self.after_the_end(index, at, event);
        self.overlapping(index, at, event);
    }

    fn cancel(&mut self, index: usize, at: usize, event: &Event) {
        let line = &self.lines[index];
        // An item that came since may have been the last one that the subscriber wanted.
        let since = line.last_item.or(line.begin.map(|(at, _)| at));
        let is_later = |other: &Line| other.is_second && other.begin.map(|(at, _)| at) > since;
        let disturbed = self.lines.iter().any(is_later);
        if !line.is_second && line.cancels == 0 && disturbed && !self.expectation.canceled {
            self.report("2.5", at, "the second subscription made it cancel its own as well");
        }
        self.after_the_end(index, at, event);
        self.overlapping(index, at, event);
    }

    /// A call on a subscription that a terminal signal has ended, or is ending.
    fn after_the_end(&mut self, index: usize, at: usize, event: &Event) {
        let line = &self.lines[index];
        let Some(Terminal { call, reported, .. }) = line.terminal else { return };
        let (name, signal) = (event.call.name(), call.name());
        if line.is_open(event.thread, call) {
            return self.report("2.3", at, format!("`{name}` was called from within `{signal}`"));
        }
        let message = format!("`{name}` was called after `{signal}`");
        if !self.expectation.asynchronous || reported == Some(event.thread) {
            self.report("2.4", at, message);
        } else if reported.is_some() {
            // Another thread may have been about to make the call when the signal came.
            self.warn("2.4", at, message);
        } else if !line.has_reports {
            // Nothing says whether the subscriber had come to the signal already.
            self.warn("2.4", at, message);
        }
    }

    /// Two threads that use a subscription at the same time; one from outside is a puppet's.
    fn overlapping(&mut self, index: usize, at: usize, event: &Event) {
        let line = &self.lines[index];
        let other = line.open.iter().any(|(thread, call)| {
            *thread != event.thread && is_upstream(*call) && line.is_own_call(*thread)
        });
        if other && line.is_own_call(event.thread) {
            let name = event.call.name();
            self.warn("2.7", at, format!("`{name}` was called during a call of another thread"));
        }
    }

    fn reported(&mut self, index: usize, at: usize, event: &Event, signal: Processed) {
        if signal == Processed::OnNext {
            if !self.lines[index].process(event.item) {
                let item = event.item.map_or_else(String::new, |item| format!(" {item}"));
                self.report("R.3", at, format!("item{item} was processed out of turn"));
            }
            return;
        }
        let line = &self.lines[index];
        let terminal = line.terminal.map(|terminal| (terminal.call, terminal.item));
        match (signal, terminal) {
            (Processed::OnSubscribe, _) if line.reported => {
                self.report("2.5", at, "a second subscription was kept");
            }
            (Processed::OnError, Some((Call::OnError(_), item))) if item == event.item => {}
            // That the publisher went away without a word may be taken for a failure.
            (Processed::OnError, None) if line.dropped => {}
            (Processed::OnError, _) => {
                self.report("2.10", at, "an error was processed that was not sent");
            }
            (Processed::OnComplete, Some((Call::OnComplete, _))) => {}
            (Processed::OnComplete, Some((Call::OnError(_), _)))
                if self.expectation.hides_errors => {}
            (Processed::OnComplete, _) => {
                self.report("2.9", at, "an end was processed that was not sent");
            }
            _ => {}
        }
    }

    /// Another subscriber of the same kind says how much is requested without `initial_request`.
    fn compare(&mut self, trace: &[Event]) {
        let initial = self.lines.first().filter(|line| line.initial.is_some_and(|n| n > 0));
        let Some(requested) = initial.map(|line| line.requested) else { return };
        let made = |event: &&Event| event.subscription == BESIDE && event.phase == Phase::Made;
        let mut beside = trace.iter().filter(made).peekable();
        if beside.peek().is_none() {
            return;
        }
        let due = beside.fold(0_u64, |sum, event| match event.call {
            Call::Request(n) => sum.saturating_add(n),
            _ => sum,
        });
        if requested != due {
            let message = format!(
                "{requested} items were requested, by `initial_request` and after it, where {due} \
                 are requested without it"
            );
            self.report("R.11", trace.len(), message);
        }
    }

    fn settle(&mut self, end: usize) {
        for line in std::mem::take(&mut self.lines) {
            for (_, call) in line.open.iter().filter(|(_, call)| is_signal(*call)) {
                self.report("2.13", end, format!("`{}` never returned", call.name()));
            }
            if line.is_second && line.cancels == 0 {
                self.report("2.5", end, "the second subscription was not canceled");
            } else if !line.is_second && !line.has_panicked && line.open.is_empty() {
                self.settle_own(end, &line);
            }
        }
    }

    fn settle_own(&mut self, end: usize, line: &Line) {
        let SubscriberExpectation { wanted, canceled, takes, reports, .. } = *self.expectation;
        let has_left = line.cancels > 0 || line.finished;
        let asked_for_zero =
            line.terminal.is_some_and(|t| t.call == Call::OnError(ErrorKind::IllegalRequest));
        let (requested, taken) = (line.requested, line.taken);
        if canceled && !has_left {
            self.report("2.6", end, "it was told to cancel, and `cancel` never came");
        }
        if requested < wanted && !has_left && !asked_for_zero {
            let message = format!("{requested} items were requested where {wanted} were due");
            self.report("2.1", end, message);
        }
        if line.terminal.is_none() && !has_left {
            if takes.is_some_and(|takes| taken >= takes) {
                self.report("2.6", end, format!("it had enough with {taken} items, and went on"));
            } else if line.is_deserted() {
                let message = "it let go of its subscription, and can neither request nor cancel";
                self.report("2.6", end, message);
            }
        }
        if reports && !has_left {
            self.settle_reports(end, line);
        }
    }

    fn settle_reports(&mut self, end: usize, line: &Line) {
        let failed = match line.terminal {
            Some(Terminal { call: Call::OnComplete, reported: None, .. }) => {
                self.report("2.9", end, "`on_complete` was not processed");
                false
            }
            Some(Terminal { call: Call::OnError(kind), reported, .. }) => {
                let illegal = kind == ErrorKind::IllegalRequest;
                if reported.is_none() && !illegal && !self.expectation.hides_errors {
                    self.report("2.10", end, "`on_error` was not processed");
                }
                true
            }
            _ => false,
        };
        // A failure may overtake items that wait.
        let lost = line.sent.iter().filter(|sent| !sent.excused).count();
        if !failed && lost > 0 {
            self.report("R.3", end, format!("{lost} items were not processed"));
        }
    }
}

fn is_upstream(call: Call) -> bool {
    matches!(call, Call::Request(_) | Call::Cancel)
}
