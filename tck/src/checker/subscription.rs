//! What is known about one subscription of a subscriber so far.

use std::collections::VecDeque;

use crate::trace::{Answer, Call, Event, Processed};

/// One subscription.
pub(super) struct Line {
    pub(super) id: u32,
    /// The event that handed it over, and that event's thread.
    pub(super) begin: Option<(usize, u32)>,
    /// Whether it came while the subscriber had another one.
    pub(super) is_second: bool,
    pub(super) requested: u64,
    /// What was taken out of the subscriber ahead of the subscription.
    pub(super) initial: Option<u64>,
    /// How many items used demand.
    pub(super) taken: u64,
    pub(super) cancels: u32,
    /// The thread of a cancel from within a signal.
    own_cancel: Option<u32>,
    pub(super) terminal: Option<Terminal>,
    pub(super) finished: bool,
    pub(super) has_panicked: bool,
    pub(super) has_reports: bool,
    /// Whether the subscriber has said that it keeps the subscription.
    pub(super) reported: bool,
    pub(super) dropped: bool,
    released: bool,
    /// The event of the last item.
    pub(super) last_item: Option<usize>,
    /// Items whose processing was not reported yet.
    pub(super) sent: VecDeque<SentItem>,
    /// Calls that have not returned: thread and call.
    pub(super) open: Vec<(u32, Call)>,
}

/// The end of a subscription.
#[derive(Clone, Copy)]
pub(super) struct Terminal {
    pub(super) call: Call,
    /// Which error.
    pub(super) item: Option<u64>,
    /// The thread on which the subscriber said that it processed it.
    pub(super) reported: Option<u32>,
}

/// An item that the subscriber got.
pub(super) struct SentItem {
    item: Option<u64>,
    /// Whether it need not be processed.
    pub(super) excused: bool,
}

impl Line {
    pub(super) fn new(event: &Event, is_second: bool) -> Self {
        Self {
            id: event.subscription,
            begin: None,
            is_second,
            requested: 0,
            initial: None,
            taken: 0,
            cancels: 0,
            own_cancel: None,
            terminal: None,
            finished: false,
            has_panicked: false,
            has_reports: false,
            reported: false,
            dropped: false,
            released: false,
            last_item: None,
            sent: VecDeque::new(),
            open: Vec::new(),
        }
    }

    /// Takes in a call that was made.
    pub(super) fn made(&mut self, at: usize, event: &Event) {
        let thread = event.thread;
        match event.call {
            Call::OnSubscribe => self.begin = self.begin.or(Some((at, thread))),
            Call::OnNext(_) => {
                self.taken += 1;
                self.last_item = Some(at);
                // After a cancel items have to be put up with, and no more.
                self.sent.push_back(SentItem { item: event.item, excused: self.cancels > 0 });
            }
            call @ (Call::OnError(_) | Call::OnComplete) => {
                let terminal = Terminal { call, item: event.item, reported: None };
                self.terminal = self.terminal.or(Some(terminal));
            }
            Call::InitialRequest(n) => {
                self.initial = Some(n);
                self.requested = self.requested.saturating_add(n);
            }
            Call::Request(n) => self.requested = self.requested.saturating_add(n),
            Call::Cancel => {
                self.cancels += 1;
                if self.is_in_signal(thread) {
                    self.own_cancel = Some(thread);
                }
            }
            Call::Drop => self.dropped = true,
            Call::Release => self.released |= !self.dropped,
            Call::Report(signal) => self.report(signal, thread),
            Call::Subscribe | Call::Stack(_) | Call::Lost(_) | Call::Settled => {}
        }
        if !event.call.is_moment() {
            self.open.push((thread, event.call));
        }
    }

    /// Takes in that a call has returned.
    pub(super) fn returned(&mut self, event: &Event) {
        self.close(event);
        match event.call {
            Call::OnNext(Answer::Skipped) => {
                self.taken = self.taken.saturating_sub(1);
                self.excuse(event.item);
            }
            Call::OnNext(Answer::Finished) => self.finished = true,
            _ => {}
        }
    }

    /// Takes in that a call has panicked.
    pub(super) fn panicked(&mut self, event: &Event) {
        self.close(event);
        self.has_panicked = true;
        self.excuse(event.item);
    }

    /// Takes in that an item was processed; whether it was its turn.
    pub(super) fn process(&mut self, item: Option<u64>) -> bool {
        let Some(index) = self.sent.iter().position(|sent| sent.item == item) else { return false };
        self.sent.drain(..=index).rev().skip(1).all(|before| before.excused)
    }

    /// Whether a second subscription would have to be canceled.
    pub(super) fn is_in_use(&self) -> bool {
        let is_over = self.terminal.is_some() || self.finished || self.has_panicked || self.dropped;
        self.begin.is_some() && self.cancels == 0 && !is_over
    }

    /// Whether this call of a signal has not returned.
    pub(super) fn is_open(&self, thread: u32, call: Call) -> bool {
        self.open.contains(&(thread, call))
    }

    /// Whether this thread has canceled in a signal, and is in a signal now.
    pub(super) fn has_canceled_itself(&self, thread: u32) -> bool {
        self.own_cancel == Some(thread) && self.is_in_signal(thread)
    }

    /// Whether a call of this thread is the subscriber's own, and not that of a puppet: the thread
    /// that signals makes it in a signal, or it is another thread.
    pub(super) fn is_own_call(&self, thread: u32) -> bool {
        self.begin.is_none_or(|(_, signals)| thread != signals) || self.is_in_signal(thread)
    }

    /// Whether the subscriber has let go of the subscription and can get nothing more.
    pub(super) fn is_deserted(&self) -> bool {
        self.released && self.requested != u64::MAX && self.taken >= self.requested
    }

    fn report(&mut self, signal: Processed, thread: u32) {
        self.has_reports = true;
        match signal {
            Processed::OnSubscribe => self.reported = true,
            Processed::OnNext => {}
            Processed::OnError | Processed::OnComplete => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.reported = Some(thread);
                }
            }
        }
    }

    fn is_in_signal(&self, thread: u32) -> bool {
        self.open.iter().any(|(other, call)| *other == thread && is_signal(*call))
    }

    fn excuse(&mut self, item: Option<u64>) {
        if let Some(last) = self.sent.back_mut().filter(|last| last.item == item) {
            last.excused = true;
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
}

/// Whether the call is one that a subscriber receives.
pub(super) fn is_signal(call: Call) -> bool {
    matches!(call, Call::OnSubscribe | Call::OnNext(_) | Call::OnError(_) | Call::OnComplete)
}
