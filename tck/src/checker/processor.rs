//! Judges traces of a processor: no clocks, no threads, no input or output.
//!
//! The subscriptions of a processor's subscriber end are numbered from 1, those of its publisher
//! end from [`DOWNSTREAM`]. Both are judged as what they are, and then for what goes through: a
//! processor sends what it receives, unchanged.

use std::collections::HashMap;

use reactive_streams::ErrorKind;

use super::{
    Expectation, Findings, Level, SubscriberExpectation, Violation, check_publisher,
    check_subscriber,
    downstream::{Arrival, Downstream},
};
use crate::{
    capabilities::Sharing,
    trace::{Call, Event, Phase},
};

/// The number of the first subscription of a publisher end.
pub const DOWNSTREAM: u32 = 100;

/// What the trace's processor should have done, beyond what every processor must.
#[derive(Clone, Copy, Debug)]
pub struct ProcessorExpectation {
    /// How many items it may hold; `None` if it requests more than it can pass on and hold.
    pub buffer: Option<u64>,
    /// What several subscribers get, if it is known.
    pub sharing: Option<Sharing>,
    /// Whether subscribers wait for each other.
    pub coordinated: bool,
    /// Whether it recovers from a failure of its upstream.
    pub recovers: bool,
    /// Whether a failure waits for the items before it.
    pub delays_errors: bool,
    /// Whether a cancel need not reach the upstream.
    pub keeps_upstream: bool,
    /// Whether it may act on a signal after that has returned.
    pub asynchronous: bool,
    /// How deep `on_next` may be nested in itself (rule 3.3).
    pub depth: usize,
    /// Whether the trace ends when nothing more can come.
    pub settled: bool,
    /// Whether the trace tells when a subscriber is dropped (rule 3.13).
    pub retention: bool,
}

impl Default for ProcessorExpectation {
    fn default() -> Self {
        Self {
            buffer: None,
            sharing: None,
            coordinated: false,
            recovers: true,
            delays_errors: true,
            keeps_upstream: true,
            asynchronous: true,
            depth: 1,
            settled: false,
            retention: true,
        }
    }
}

/// Every rule that the processor broke in this trace, in the order in which it did.
#[must_use]
pub fn check_processor(trace: &[Event], expectation: &ProcessorExpectation) -> Vec<Violation> {
    let ProcessorExpectation { asynchronous, depth, settled, retention, .. } = *expectation;
    let upstream =
        SubscriberExpectation { asynchronous, settled, ..SubscriberExpectation::default() };
    let downstream = Expectation { depth, settled, retention, ..Expectation::default() };
    let is_upstream = |event: &Event| event.subscription < DOWNSTREAM;
    let mut found = judged(trace, is_upstream, |part: &[Event]| check_subscriber(part, &upstream));
    found.extend(judged(
        trace,
        |event| !is_upstream(event),
        |part: &[Event]| check_publisher(part, &downstream),
    ));
    // What comes out says how far the processor has come: before that, a call may cross the end.
    let is_out = |event: &Event| {
        !is_upstream(event) && matches!(event.call, Call::OnError(_) | Call::OnComplete)
    };
    found.retain(|violation| {
        let is_unsure = violation.rule == "2.4" && violation.level == Level::Should;
        !is_unsure || trace.iter().take(violation.at).any(is_out)
    });
    let mut judge = Judge::new(expectation);
    found.into_iter().for_each(|violation| judge.found.push(violation));
    for (at, event) in trace.iter().enumerate() {
        judge.step(at, event);
    }
    if settled {
        judge.settle(trace.len());
    }
    let mut found = judge.found.list;
    found.sort_by_key(|violation| violation.at);
    found
}

/// Judges a part of the trace, and says where in the whole it found something.
fn judged(
    trace: &[Event],
    keep: impl Fn(&Event) -> bool,
    judge: impl FnOnce(&[Event]) -> Vec<Violation>,
) -> Vec<Violation> {
    let (places, part): (Vec<usize>, Vec<Event>) =
        trace.iter().copied().enumerate().filter(|(_, event)| keep(event)).unzip();
    let mut found = judge(&part);
    for violation in &mut found {
        violation.at = places.get(violation.at).copied().unwrap_or(trace.len());
    }
    found
}

/// How the upstream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Completed,
    Failed(Option<u64>),
}

struct Judge<'a> {
    expectation: &'a ProcessorExpectation,
    found: Findings,
    sent: Vec<Option<u64>>,
    /// How often each item was sent.
    n_sent: HashMap<Option<u64>, usize>,
    requested: u64,
    end: Option<End>,
    is_connected: bool,
    is_canceled: bool,
    /// Whether the upstream dropped its subscriber, with or without a terminal signal.
    is_let_go: bool,
    /// Whether the processor panicked in a signal, so that nothing more can be expected.
    has_panicked: bool,
    exceeds_buffer: bool,
    lines: Vec<Downstream>,
}

impl<'a> Judge<'a> {
    fn new(expectation: &'a ProcessorExpectation) -> Self {
        Self {
            expectation,
            found: Findings::default(),
            sent: Vec::new(),
            n_sent: HashMap::new(),
            requested: 0,
            end: None,
            is_connected: false,
            is_canceled: false,
            is_let_go: false,
            has_panicked: false,
            exceeds_buffer: false,
            lines: Vec::new(),
        }
    }

    fn report(&mut self, rule: &'static str, at: usize, message: impl Into<String>) {
        self.found.push(Violation::new(rule, at, message));
    }

    fn step(&mut self, at: usize, event: &Event) {
        match (event.phase, event.subscription) {
            (Phase::Made, 1) => self.upstream(at, event),
            (Phase::Panicked, 1) => self.has_panicked = true,
            (Phase::Made, id) if id >= DOWNSTREAM => self.downstream(at, event),
            (Phase::Returned | Phase::Late, id) if id >= DOWNSTREAM => {
                let index = self.line(id);
                self.lines[index].returned(event.call);
            }
            _ => {}
        }
    }

    fn upstream(&mut self, at: usize, event: &Event) {
        match event.call {
            Call::OnSubscribe => self.is_connected = true,
            Call::OnNext(_) => {
                self.sent.push(event.item);
                *self.n_sent.entry(event.item).or_default() += 1;
            }
            Call::OnComplete => self.end = self.end.or(Some(End::Completed)),
            Call::OnError(_) => self.end = self.end.or(Some(End::Failed(event.item))),
            Call::Cancel => self.is_canceled = true,
            Call::Drop => self.is_let_go = true,
            Call::Request(n) => {
                self.requested = self.requested.saturating_add(n);
                self.bounded(at);
            }
            _ => {}
        }
    }

    /// Judges whether everything that was requested can be passed on or held.
    fn bounded(&mut self, at: usize) {
        let Some(buffer) = self.expectation.buffer else { return };
        let demand = self.lines.iter().fold(0, |sum: u64, line| sum.saturating_add(line.requested));
        let (requested, most) = (self.requested, demand.saturating_add(buffer));
        if requested > most && !self.exceeds_buffer {
            self.exceeds_buffer = true;
            let message = format!(
                "{requested} items were requested, where {demand} are requested from it and it \
                 holds {buffer}"
            );
            self.report("R.10", at, message);
        }
    }

    fn line(&mut self, id: u32) -> usize {
        self.lines.iter().position(|line| line.id == id).unwrap_or_else(|| {
            // One that comes late may have missed what was sent before.
            let knows_first =
                self.sent.is_empty() || self.expectation.sharing == Some(Sharing::Each);
            self.lines.push(Downstream::new(id, knows_first, self.sent.len()));
            self.lines.len() - 1
        })
    }

    fn downstream(&mut self, at: usize, event: &Event) {
        let index = self.line(event.subscription);
        match event.call {
            Call::OnNext(_) => self.item(index, at, event.item),
            Call::OnError(kind) => self.failed(at, kind, event.item),
            Call::OnComplete => self.completed(index, at),
            _ => {}
        }
        self.lines[index].made(event.call);
    }

    /// Whether each subscriber gets the items in the order in which they were sent.
    fn has_order(&self) -> bool {
        self.expectation.sharing.is_some_and(|sharing| sharing != Sharing::Split)
    }

    fn item(&mut self, index: usize, at: usize, item: Option<u64>) {
        let number = item.map_or_else(String::new, |item| format!(" {item}"));
        if !self.has_order() {
            let of_all = self.expectation.sharing == Some(Sharing::Split);
            let came: usize = match of_all {
                true => self.lines.iter().map(|line| line.n_got(item)).sum(),
                false => self.lines[index].n_got(item),
            };
            if came >= self.n_sent.get(&item).copied().unwrap_or(0) {
                self.report("R.3", at, format!("item{number} came more often than it was sent"));
            }
            return self.lines[index].take(item);
        }
        let arrival = self.lines[index].arrive(item, &self.sent);
        match arrival {
            Arrival::InTurn => {}
            Arrival::Skipping(n) => {
                self.report("R.3", at, format!("item{number} came, and {n} before it did not"));
            }
            Arrival::OutOfTurn => {
                self.report("R.3", at, format!("item{number} came again, too late, or unsent"));
            }
        }
    }

    fn failed(&mut self, at: usize, kind: ErrorKind, item: Option<u64>) {
        match self.end {
            _ if kind == ErrorKind::IllegalRequest => {}
            Some(End::Failed(sent)) if sent == item => {}
            Some(End::Failed(_)) => self.report("4.2", at, "another error came than was sent"),
            Some(End::Completed) => self.report("4.1", at, "an error came in place of the end"),
            // That the upstream went away without a word may be told to the downstream.
            None if self.is_let_go => {}
            None => self.report("4.1", at, "an error came that the upstream did not send"),
        }
    }

    fn completed(&mut self, index: usize, at: usize) {
        let lost = self.lines[index].n_due(&self.sent);
        match self.end {
            None if !self.is_canceled => {
                self.report("4.1", at, "the end came before that of the upstream");
            }
            Some(End::Failed(_)) if !self.expectation.recovers => {
                self.report("4.2", at, "the end came in place of an error");
            }
            Some(End::Completed) if lost > 0 && self.has_order() => {
                self.report("R.3", at, format!("the end came, and {lost} items before it did not"));
            }
            _ => {}
        }
    }

    fn settle(&mut self, end: usize) {
        if self.has_panicked {
            return;
        }
        let lines = std::mem::take(&mut self.lines);
        let is_waiting = |line: &Downstream| line.is_live() && line.has_demand();
        let are_waiting = lines.iter().filter(|line| line.is_live()).all(is_waiting);
        for line in lines.iter().filter(|line| line.is_live()) {
            let due = line.n_due(&self.sent);
            let waits = is_waiting(line) && (are_waiting || !self.expectation.coordinated);
            self.settle_line(end, due, waits);
        }
        let is_deserted = lines.iter().any(|line| line.is_canceled)
            && !lines.iter().any(Downstream::is_live)
            && self.expectation.sharing == Some(Sharing::Single);
        let is_in_use = self.is_connected && self.end.is_none() && !self.is_canceled;
        if is_deserted && is_in_use && !self.expectation.keeps_upstream {
            self.report("2.6", end, "the cancel did not reach the upstream");
        }
    }

    /// Judges a subscriber that is there at the end: what is due to it, and whether it `waits`.
    fn settle_line(&mut self, end: usize, due: usize, waits: bool) {
        let ProcessorExpectation { recovers, delays_errors, .. } = *self.expectation;
        let holds_back = due > 0 && self.has_order();
        match self.end {
            Some(End::Failed(_)) if recovers => {}
            Some(End::Failed(_)) if delays_errors && holds_back && !waits => {}
            Some(End::Failed(_)) => self.report("4.2", end, "the error was not passed on"),
            Some(End::Completed) if holds_back && !waits => {}
            Some(End::Completed) => self.report("1.5", end, "the end was not passed on"),
            None if waits && holds_back => {
                self.report("R.3", end, format!("{due} items that are requested did not come"));
            }
            None => {
                let has_asked = self.requested > self.sent.len() as u64;
                if waits && !has_asked && self.is_connected && !self.is_canceled {
                    self.report("2.1", end, "items are requested from it, and it requests none");
                }
            }
        }
    }
}
