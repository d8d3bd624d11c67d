//! What one subscription must have come to when nothing more can come.

use super::{
    Expectation,
    line::{Line, Terminal},
};
use crate::{
    checker::{Level, Violation},
    trace::Call,
};

/// So many requests are more than a queue of requests may hold.
const MANY_REQUESTS: u64 = 30;

/// Demand may have any size; this much is more than what is sent at a time.
const LARGE_REQUEST: u64 = 1_000;

impl Line {
    pub(super) fn settle(&mut self, end: usize, expectation: &Expectation) {
        let ended = self.terminal.is_some();
        let stopped = self.cancels_made > 0 || self.finished || self.subscriber_panicked;
        // Of calls that are nested, the innermost is the one that is stuck.
        let is_to_publisher =
            |call: &Call| matches!(call, Call::Subscribe | Call::Request(_) | Call::Cancel);
        let stuck = self.open.iter().rev().map(|(_, call)| *call).find(is_to_publisher);
        if let Some(call) = stuck {
            self.never_returned(end, call);
        }
        let is_whole = self.may_be_ahead() && (ended || stopped);
        if !self.subscribed && !is_whole {
            // A panic says more than what did not come of it.
            if self.subscribe_made && !self.subscribe_panicked {
                self.report("1.9", end, "`on_subscribe` never came");
            }
            return;
        }
        // What has nothing more to send may end before it answers the request.
        let excused = stopped || ended && (expectation.fails || self.illegal_at_end);
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
        if !expectation.retention {
            return;
        }
        if (stopped || ended) && !self.dropped {
            let rule = if self.finished { "R.8" } else { "3.13" };
            self.report(rule, end, "the subscriber was kept after the stream was over");
        } else if self.released && !self.dropped && self.delivered >= self.requested {
            // A source of its own may go on without end; that it can only be told by its author.
            let message = "the subscriber is kept, though nobody can request or cancel any more";
            let violation =
                Violation { level: Level::Should, ..Violation::new("R.1", end, message) };
            self.found.push(violation);
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
        match self.terminal {
            Some(Terminal::Failed { .. }) => {}
            Some(Terminal::Completed) => {
                self.report("1.4", end, "a publisher that failed signaled `on_complete`");
            }
            // It may wait with the error for a request, as with everything else.
            None if self.requested == 0 => {}
            None => self.report("1.4", end, "a publisher that failed did not signal `on_error`"),
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
            let rule = self.starved_by();
            let skipped = match self.skipped {
                0 => String::new(),
                n => format!(", {n} of them skipped,"),
            };
            let message =
                format!("{came} of {length} items came{skipped} for a demand of {demand}");
            self.report(rule, end, message);
        } else if completes && !ended && came == length && demand > self.delivered {
            self.report("1.5", end, "`on_complete` never came");
        }
    }

    /// The rule about the demand that was lost.
    fn starved_by(&self) -> &'static str {
        let (demand, came) = (self.requested, self.delivered);
        let is_lost = |part: u64| part > 0 && came <= demand.saturating_sub(part);
        match () {
            () if self.skipped > 0 => "R.9",
            () if self.initial.is_some_and(is_lost) => "R.11",
            () if demand > u64::from(u32::MAX) => "3.17",
            () if is_lost(self.requested_at_first) || is_lost(self.requested_in_items) => "3.2",
            () if self.requests_overlap || is_lost(self.requested_meanwhile) => "3.8",
            () if self.largest >= LARGE_REQUEST => "3.17",
            () if self.requests > MANY_REQUESTS && came >= MANY_REQUESTS => "3.17",
            () => "3.8",
        }
    }
}
