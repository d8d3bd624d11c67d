//! `Ledger`: what became of every item.

use std::fmt;

use crate::Reason;

const REASONS: usize = Reason::ALL.len();

/// Counts what became of every item, from any thread: offered = delivered + dropped by reason +
/// queued.
///
/// Each item is offered once, and then delivered or dropped once. The counts are exact: none is
/// lost, and the identity holds in each reading. A reading is of one moment where nobody counts
/// while it is taken, and so is that of a policy that counts and reads under its lock. Where
/// others keep counting all the while, no reading of several counts can be of one moment without
/// holding them up: the items that came while it was taken are then among those that are
/// [`queued`](Balance::queued), also if they have left again.
#[derive(Debug, Default)]
pub struct Ledger(millstream_kernel::Ledger<REASONS>);

/// A reading of a [`Ledger`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Items that came.
    pub offered: u64,
    /// Items that were passed on.
    pub delivered: u64,
    /// Items that are neither delivered nor dropped yet; with those that came while this was read,
    /// if others kept counting.
    pub queued: u64,
    dropped: [u64; REASONS],
}

impl Ledger {
    /// No items yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `n` items came.
    #[inline]
    pub fn offer(&self, n: u64) {
        self.0.offer(n);
    }

    /// `n` items that came were passed on.
    #[inline]
    pub fn deliver(&self, n: u64) {
        self.0.deliver(n);
    }

    /// `n` items that came were refused or dropped.
    #[inline]
    pub fn discard(&self, reason: Reason, n: u64) {
        self.0.discard(reason.index(), n);
    }

    /// The present counts.
    #[must_use]
    pub fn balance(&self) -> Balance {
        let reading = self.0.read();
        Balance {
            offered: reading.offered,
            delivered: reading.delivered,
            queued: reading.queued(),
            dropped: reading.dropped,
        }
    }
}

impl Balance {
    /// How many were dropped for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: Reason) -> u64 {
        self.dropped[reason.index()]
    }

    /// How many were dropped.
    #[must_use]
    pub fn total_dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// The reasons for which items were dropped, with how many.
    pub fn drops(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.into_iter().zip(self.dropped).filter(|&(_, n)| n > 0)
    }

    /// Whether every item is accounted for.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.offered == self.delivered + self.total_dropped() + self.queued
    }
}

impl fmt::Debug for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Balance");
        text.field("offered", &self.offered).field("delivered", &self.delivered);
        text.field("queued", &self.queued);
        for (reason, n) in self.drops() {
            text.field(reason.as_str(), &n);
        }
        text.finish()
    }
}
