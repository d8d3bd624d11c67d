//! Readings of a queue.

use std::time::Duration;

/// Where every item that was offered went; see [`Snapshot::is_whole`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that senders handed over and that were decided on, or wait to become safe.
    pub offered: u64,
    /// Items that were found when the queue was opened.
    pub recovered: u64,
    /// Items that were given back to their senders, or whose senders were told that they are not
    /// safe.
    pub rejected: u64,
    /// Items that were received. One that is received again counts once.
    pub delivered: u64,
    /// Items dropped on arrival, by `WhenFull::DropNewest`.
    pub dropped_newest: u64,
    /// Items dropped with their segment, by `WhenFull::DropOldest`.
    pub dropped_oldest: u64,
    /// Items that damage made unreadable, by `OnDamage::Skip`, or that the codec could not read.
    pub dropped_damaged: u64,
    /// Items that were received more than once, each time but the first.
    pub redelivered: u64,
}

/// A consistent reading of a queue.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What became of the items.
    pub counts: Counts,
    /// Items that are safe and wait to be received.
    pub depth: u64,
    /// Items that were written and are not safe yet.
    pub unsafe_items: u64,
    /// Items that were received and not acknowledged.
    pub unacknowledged: u64,
    /// Bytes of the segments in the directory.
    pub bytes: u64,
    /// Bytes of the segments in the tier.
    pub tier_bytes: u64,
    /// Segments in the directory and the tier.
    pub segments: usize,
    /// How long the oldest item that waits has waited, at the most: it is known for one item in 256
    /// KiB. An item from before the queue was opened counts from then.
    pub oldest_age: Option<Duration>,
    /// Items received a second, lately.
    pub drain_rate: f64,
    /// For how long items waited, since the queue was opened.
    pub time_spilling: Duration,
}

impl Snapshot {
    /// Returns whether every item is accounted for: what was offered and recovered was delivered,
    /// dropped or rejected, or is queued.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let c = &self.counts;
        // As large as the sequences, if almost all of these were lost: sums may wrap, both alike.
        let came = c.offered.wrapping_add(c.recovered);
        let went = [
            c.delivered,
            c.dropped_newest,
            c.dropped_oldest,
            c.dropped_damaged,
            c.rejected,
            self.depth,
            self.unsafe_items,
        ];
        came == went.into_iter().fold(0, u64::wrapping_add)
    }
}
