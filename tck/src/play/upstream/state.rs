//! What a line knows, and what follows from it.

use reactive_streams::Demand;

use super::{End, Target};

/// The state of a line.
#[derive(Default)]
pub(super) struct State {
    pub(super) target: Option<Box<dyn Target>>,
    pub(super) demand: Demand,
    pub(super) requested: u64,
    /// What was taken ahead of the subscription.
    pub(super) initial: u64,
    /// How many more items the script allows.
    pub(super) allowed: u64,
    /// How many items may be sent in spite of a cancel: as if they were on their way.
    pub(super) late: u64,
    pub(super) sent: u64,
    /// How many of the items that were sent the subscriber skipped.
    pub(super) skipped: u64,
    pub(super) end: Option<End>,
    pub(super) illegal: bool,
    pub(super) canceled: bool,
    /// Whether nothing is signaled any more.
    pub(super) over: bool,
    /// Whether a terminal signal was sent.
    pub(super) ended: bool,
}

/// What a line does next.
pub(super) enum Next {
    Item(u64),
    End(Option<End>),
    LetGo,
    Leave,
}

impl State {
    /// What is to be done next; an item that is to be sent is counted as sent.
    pub(super) fn next(&mut self) -> Next {
        let may_send = !self.demand.is_zero() && self.allowed > 0;
        if self.canceled && self.late > 0 && may_send {
            self.late -= 1;
        } else if self.canceled {
            return Next::LetGo;
        } else if self.illegal {
            return Next::End(None);
        } else if !may_send {
            return match (self.allowed, self.end) {
                (0, Some(end)) => Next::End(Some(end)),
                _ => Next::Leave,
            };
        }
        let _one = self.demand.take(1);
        self.allowed -= u64::from(self.allowed != u64::MAX);
        self.sent += 1;
        Next::Item(self.sent - 1)
    }
}
