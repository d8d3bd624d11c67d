//! One subscription of a trace, event by event.

use reactive_streams::ErrorKind;

use super::Expectation;
use crate::{
    capabilities::{AfterCancel, Numbering},
    checker::{Findings, Violation},
    trace::{Answer, Call, Event, Phase},
};

/// Items that may still come after a cancel where demand sets no limit: more is a publisher that
/// does not stop.
const STRAGGLERS: u64 = 4_096;

/// What is known about one subscription so far.
#[derive(Default)]
pub(super) struct Line {
    pub(super) found: Findings,
    pub(super) subscribed: bool,
    pub(super) subscribe_made: bool,
    pub(super) subscribe_panicked: bool,
    pub(super) requested: u64,
    /// What was taken ahead of the subscription.
    pub(super) initial: Option<u64>,
    /// The largest request.
    pub(super) largest: u64,
    /// Demand that another thread added while an item was being sent.
    pub(super) requested_meanwhile: u64,
    pub(super) requests: u64,
    /// Demand from within `on_subscribe`.
    pub(super) requested_at_first: u64,
    /// Demand from within items.
    pub(super) requested_in_items: u64,
    /// Whether two threads requested at the same time.
    pub(super) requests_overlap: bool,
    request_after_cancel: bool,
    pub(super) delivered: u64,
    pub(super) skipped: u64,
    stragglers: u64,
    /// The number of the next item, where items are numbered.
    due_item: Option<u64>,
    pub(super) terminal: Option<Terminal>,
    pub(super) illegal: bool,
    /// Whether all items were requested before zero, so that the end may have been on its way.
    pub(super) illegal_at_end: bool,
    pub(super) cancels_made: u32,
    cancels_ended: u32,
    /// The threads inside of a cancel that began after another one had returned.
    repeating: Vec<u32>,
    /// Whether a cancel returned while no other thread was inside of anything.
    canceled_alone: bool,
    pub(super) finished: bool,
    pub(super) released: bool,
    pub(super) subscriber_panicked: bool,
    pub(super) dropped: bool,
    /// The threads on which a panic of the subscriber is on its way out.
    raising: Vec<u32>,
    /// Calls that have not returned: thread and call.
    pub(super) open: Vec<(u32, Call)>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Terminal {
    Completed,
    Failed { illegal: bool },
}

const fn is_signal(call: Call) -> bool {
    matches!(call, Call::OnSubscribe | Call::OnNext(_) | Call::OnError(_) | Call::OnComplete)
}

impl Line {
    pub(super) fn report(&mut self, rule: &'static str, at: usize, message: impl Into<String>) {
        self.found.push(Violation::new(rule, at, message));
    }

    pub(super) fn step(&mut self, at: usize, event: &Event, expectation: &Expectation) {
        if event.phase != Phase::Panicked {
            self.raising.retain(|thread| *thread != event.thread);
        }
        match event.phase {
            Phase::Made => {
                match event.call {
                    call if is_signal(call) => self.signal(at, event, expectation),
                    Call::InitialRequest(n) => self.initial_request(at, n),
                    Call::Stack(n) => {
                        self.report(
                            "3.3",
                            at,
                            format!("the stack grew by {n} bytes from item to item"),
                        );
                    }
                    call => self.upstream(call, event.thread, expectation),
                }
                if !event.call.is_moment() {
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
                    Call::Cancel => {
                        self.cancels_ended += 1;
                        let is_alone = self.open.iter().all(|(thread, _)| *thread == event.thread);
                        self.canceled_alone |= is_alone;
                    }
                    _ => {}
                }
            }
            Phase::Panicked => {
                self.close(event);
                let is_raised = expectation.rethrows && self.raising.contains(&event.thread);
                if is_signal(event.call) {
                    self.raising.push(event.thread);
                }
                if !is_raised {
                    self.panicked(at, event.call);
                }
            }
        }
    }

    fn initial_request(&mut self, at: usize, n: u64) {
        if self.initial.is_some() {
            self.report("R.11", at, "`initial_request` was called twice");
        } else if self.subscribed || self.delivered > 0 || self.terminal.is_some() {
            self.report("R.11", at, "`initial_request` was called after a signal");
        }
        self.initial = Some(self.initial.unwrap_or(0).saturating_add(n));
        self.requested = self.requested.saturating_add(n);
    }

    /// Whether signals may come without `on_subscribe` before them.
    pub(super) fn may_be_ahead(&self) -> bool {
        self.initial.is_some_and(|n| n > 0)
    }

    fn panicked(&mut self, at: usize, call: Call) {
        match call {
            Call::Subscribe => {
                self.subscribe_panicked = true;
                self.report("1.9", at, "`subscribe` panicked");
            }
            Call::Request(0) => self.report("3.9", at, "`request(0)` panicked"),
            Call::Request(_) => self.report("3.16", at, "`request` panicked"),
            Call::Cancel => {
                self.cancels_ended += 1;
                if self.cancels_made > 1 {
                    self.report("3.7", at, "a repeated `cancel` panicked");
                } else {
                    self.report("3.15", at, "`cancel` panicked");
                }
            }
            _ => self.subscriber_panicked = true,
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
        if event.call == Call::Cancel
            && let Some(index) = self.repeating.iter().rposition(|thread| *thread == event.thread)
        {
            self.repeating.remove(index);
        }
    }

    fn upstream(&mut self, call: Call, thread: u32, expectation: &Expectation) {
        match call {
            Call::Subscribe => self.subscribe_made = true,
            Call::Cancel => {
                self.cancels_made += 1;
                if self.cancels_ended > 0 {
                    self.repeating.push(thread);
                }
            }
            Call::Drop => self.dropped = true,
            Call::Release => self.released = true,
            // A request that meets a cancel on its way may still count.
            Call::Request(_) if self.cancels_ended > 0 => self.request_after_cancel = true,
            Call::Request(0) if self.terminal.is_none() => {
                let is_all = expectation.length.is_some_and(|length| self.requested >= length);
                self.illegal_at_end |= is_all && !self.illegal;
                self.illegal = true;
            }
            Call::Request(n) if self.terminal.is_none() => {
                self.requests += 1;
                self.largest = self.largest.max(n);
                self.requested = self.requested.saturating_add(n);
                let open = |is: fn(Call) -> bool| {
                    self.open.iter().any(|(its, call)| *its == thread && is(*call))
                };
                self.requests_overlap |= self
                    .open
                    .iter()
                    .any(|(other, call)| *other != thread && matches!(call, Call::Request(_)));
                if open(|call| call == Call::OnSubscribe) {
                    self.requested_at_first = self.requested_at_first.saturating_add(n);
                } else if open(is_signal) {
                    self.requested_in_items = self.requested_in_items.saturating_add(n);
                } else if self.open.iter().any(|(_, call)| matches!(call, Call::OnNext(_))) {
                    self.requested_meanwhile = self.requested_meanwhile.saturating_add(n);
                }
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
        if !self.subscribed && event.call != Call::OnSubscribe && !self.may_be_ahead() {
            self.report("1.9", at, "a signal came before `on_subscribe`");
        }
        self.signal_after_cancel(at, event, expectation.after_cancel);
        match event.call {
            Call::OnSubscribe if self.subscribed => {
                self.report("1.9", at, "`on_subscribe` came twice");
            }
            Call::OnSubscribe => self.subscribed = true,
            Call::OnNext(_) => self.item(at, event.thread, event.item, expectation),
            Call::OnError(kind) => {
                let illegal = kind == ErrorKind::IllegalRequest;
                self.terminal = self.terminal.or(Some(Terminal::Failed { illegal }));
            }
            _ => self.terminal = self.terminal.or(Some(Terminal::Completed)),
        }
    }

    fn signal_after_cancel(&mut self, at: usize, event: &Event, policy: AfterCancel) {
        let is_item = matches!(event.call, Call::OnNext(_));
        let in_cancel = self.open.contains(&(event.thread, Call::Cancel));
        if in_cancel && self.repeating.contains(&event.thread) {
            self.report("3.7", at, "a repeated `cancel` led to a signal");
        } else if in_cancel && (is_item || policy != AfterCancel::Terminal) {
            self.report("1.8", at, "`cancel` led to a signal");
        } else if policy == AfterCancel::Nothing && self.canceled_alone {
            self.report("1.8", at, "a signal came after `cancel` had returned, against the policy");
        }
        if is_item && self.cancels_ended > 0 {
            self.stragglers += 1;
            if self.stragglers == STRAGGLERS {
                let message = format!("{STRAGGLERS} items came after `cancel`: it does not stop");
                self.report("3.12", at, message);
            }
        }
    }

    fn item(&mut self, at: usize, thread: u32, item: Option<u64>, expectation: &Expectation) {
        self.delivered += 1;
        let (delivered, requested) = (self.delivered, self.requested);
        if requested != u64::MAX && delivered > requested {
            let rule = match () {
                () if self.request_after_cancel => "3.6",
                () if self.cancels_ended > 0 => "3.12",
                () if self.may_be_ahead() => "R.11",
                () => "1.1",
            };
            self.report(rule, at, format!("item {delivered} came, but {requested} are requested"));
        }
        if expectation.length.is_some_and(|length| delivered + self.skipped > length) {
            self.report("1.5", at, format!("item {delivered} came from a shorter publisher"));
        }
        if let Some(item) = item {
            let first = if expectation.numbering == Numbering::FromZero { Some(0) } else { None };
            if let Some(due) = self.due_item.or(first)
                && expectation.numbering != Numbering::Any
                && item != due
            {
                self.report("R.3", at, format!("item #{item} came where #{due} was due"));
            }
            self.due_item = item.checked_add(1);
        }
        let open = self.open.iter();
        let depth = 1 + open.filter(|o| o.0 == thread && matches!(o.1, Call::OnNext(_))).count();
        if depth > expectation.depth {
            let most = expectation.depth;
            self.report("3.3", at, format!("`on_next` is nested {depth} deep, {most} is allowed"));
        }
    }
}
