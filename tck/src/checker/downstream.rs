//! What is known about one subscription of a processor's publisher end so far.

use std::collections::HashMap;

use crate::trace::{Answer, Call};

/// One subscription.
pub(super) struct Downstream {
    pub(super) id: u32,
    pub(super) requested: u64,
    pub(super) is_canceled: bool,
    taken: u64,
    is_subscribed: bool,
    has_ended: bool,
    /// How many of the items that were sent it has, or has missed; `None` if that is not known yet.
    position: Option<usize>,
    /// How many items were sent before it was there.
    since: usize,
    /// How often it got each item, where there is no order.
    got: HashMap<Option<u64>, usize>,
}

/// How an item came.
pub(super) enum Arrival {
    /// When it was due.
    InTurn,
    /// After so many others that did not come.
    Skipping(usize),
    /// A second time, too late, or without having been sent.
    OutOfTurn,
}

impl Downstream {
    /// One that comes when `since` items were sent; `knows_first` if it gets those as well.
    pub(super) fn new(id: u32, knows_first: bool, since: usize) -> Self {
        Self {
            id,
            requested: 0,
            is_canceled: false,
            taken: 0,
            is_subscribed: false,
            has_ended: false,
            position: knows_first.then_some(0),
            since,
            got: HashMap::new(),
        }
    }

    /// Takes in a call that was made.
    pub(super) fn made(&mut self, call: Call) {
        match call {
            Call::OnSubscribe => self.is_subscribed = true,
            Call::OnNext(_) => self.taken += 1,
            Call::OnError(_) | Call::OnComplete | Call::Drop => self.has_ended = true,
            // The answer to that is the publisher's affair.
            Call::Request(0) => self.has_ended = true,
            Call::Request(n) if !self.is_canceled => {
                self.requested = self.requested.saturating_add(n);
            }
            Call::Cancel => self.is_canceled = true,
            _ => {}
        }
    }

    /// Takes in a call that has returned.
    pub(super) fn returned(&mut self, call: Call) {
        if call == Call::OnNext(Answer::Skipped) {
            self.taken = self.taken.saturating_sub(1);
        }
    }

    /// Takes in an item that comes in the order in which the items were `sent`.
    pub(super) fn arrive(&mut self, item: Option<u64>, sent: &[Option<u64>]) -> Arrival {
        let from = self.position.unwrap_or(0);
        let Some(steps) = sent[from..].iter().position(|sent| *sent == item) else {
            return Arrival::OutOfTurn;
        };
        let is_first = self.position.replace(from + steps + 1).is_none();
        match steps {
            0 => Arrival::InTurn,
            _ if is_first => Arrival::InTurn,
            _ => Arrival::Skipping(steps),
        }
    }

    /// Takes in an item, in whatever order.
    pub(super) fn take(&mut self, item: Option<u64>) {
        *self.got.entry(item).or_default() += 1;
    }

    /// How often it got this item.
    pub(super) fn n_got(&self, item: Option<u64>) -> usize {
        self.got.get(&item).copied().unwrap_or(0)
    }

    /// How many of the items that were sent are still due.
    pub(super) fn n_due(&self, sent: &[Option<u64>]) -> usize {
        sent.len().saturating_sub(self.position.unwrap_or(self.since))
    }

    /// Whether more was requested than came.
    pub(super) fn has_demand(&self) -> bool {
        self.requested > self.taken
    }

    /// Whether signals may come.
    pub(super) fn is_live(&self) -> bool {
        self.is_subscribed && !self.is_canceled && !self.has_ended
    }
}
