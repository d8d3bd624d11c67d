//! Queues on a disk, in the inventory. Needs the feature `spill`.

use std::fmt;

use millstream_spill::{Codec, Monitor};

use crate::{Bound, Condition, Counts, Observe, Reading, Usage};

/// A queue on a disk, as the inventory reads it.
pub struct SpillQueue<C: Codec> {
    name: String,
    monitor: Monitor<C>,
    max_bytes: u64,
}

impl<C: Codec> SpillQueue<C> {
    /// Under a name, with the most bytes that it may use, as its configuration has them.
    #[must_use]
    pub fn new(name: &str, monitor: Monitor<C>, max_bytes: u64) -> Self {
        Self { name: name.to_owned(), monitor, max_bytes }
    }
}

impl<C: Codec> Clone for SpillQueue<C> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), monitor: self.monitor.clone(), max_bytes: self.max_bytes }
    }
}

impl<C: Codec> fmt::Debug for SpillQueue<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillQueue").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<C: Codec + 'static> Observe for SpillQueue<C>
where
    Monitor<C>: Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn reading(&self) -> Reading {
        let snapshot = self.monitor.snapshot();
        let counts = snapshot.counts;
        let usage = Usage {
            oldest_seconds: snapshot.oldest_age.map(|age| age.as_secs_f64()),
            ..Usage::of(snapshot.bytes, self.max_bytes, "bytes")
        };
        let waits = snapshot.depth;
        let condition = match usage.share() {
            Some(share) if share >= 0.95 => Condition::critical("nearly full"),
            Some(share) if share >= 0.8 => Condition::warning("high"),
            _ if waits > 0 => Condition::normal("spilling"),
            _ => Condition::normal("empty"),
        };
        let condition = match waits {
            0 => condition,
            _ => condition.because(format!("{waits} items wait on the disk")),
        };
        let reasons = [
            ("rejected", counts.rejected),
            ("drop_newest", counts.dropped_newest),
            ("drop_oldest", counts.dropped_oldest),
            ("damaged", counts.dropped_damaged),
        ];
        let dropped = reasons.into_iter().filter(|&(_, n)| n > 0);
        let ledger = Counts {
            offered: counts.offered + counts.recovered,
            delivered: counts.delivered,
            queued: waits + snapshot.unsafe_items,
            dropped: dropped.map(|(reason, n)| (reason.into(), n)).collect(),
        };
        Reading {
            condition,
            usage: Some(usage),
            ledger: Some(ledger),
            bound: Bound::NOTHING,
            ..Reading::of("spill")
        }
        .gauge("queued_items", waits)
        .gauge("unacknowledged_items", snapshot.unacknowledged)
        .gauge("unsynced_items", snapshot.unsafe_items)
        .gauge("tier_bytes", snapshot.tier_bytes)
        .gauge("segments", snapshot.segments)
        .gauge("drained_per_second", snapshot.drain_rate)
        .counter("redelivered_items", counts.redelivered)
        .counter("spilling_seconds", snapshot.time_spilling)
    }
}
