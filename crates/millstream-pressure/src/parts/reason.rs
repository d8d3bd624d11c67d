//! `Reason`: why an item was refused or dropped.

use std::fmt;

/// Why an item was refused or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Reason {
    /// No room.
    Full,
    /// Heavier than everything that could ever be free.
    TooHeavy,
    /// Waited as long as was allowed.
    Timeout,
    /// The item's own deadline had passed.
    Deadline,
    /// Had waited too long for what is still worth serving (CoDel).
    Delay,
    /// As many as the limit allows were in progress.
    Limit,
    /// Sooner than the rate allows.
    Rate,
    /// The circuit breaker was open.
    BreakerOpen,
    /// The other side refuses too much, so that it is asked less.
    Throttled,
    /// More valuable items needed the room.
    LowPriority,
    /// A newer item took its place.
    Evicted,
    /// One of those that a sample leaves out.
    Sampled,
    /// The store for what does not fit in memory was full or failed.
    SpillFull,
    /// Other nodes have more room.
    Cluster,
    /// The consumer canceled while the item waited.
    Canceled,
    /// The policy was closed.
    Shutdown,
}

impl Reason {
    /// All reasons; [`index`](Self::index) is the position in here.
    pub const ALL: [Self; 16] = [
        Self::Full,
        Self::TooHeavy,
        Self::Timeout,
        Self::Deadline,
        Self::Delay,
        Self::Limit,
        Self::Rate,
        Self::BreakerOpen,
        Self::Throttled,
        Self::LowPriority,
        Self::Evicted,
        Self::Sampled,
        Self::SpillFull,
        Self::Cluster,
        Self::Canceled,
        Self::Shutdown,
    ];

    /// The position in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name that metrics and logs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooHeavy => "too_heavy",
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Delay => "delay",
            Self::Limit => "limit",
            Self::Rate => "rate",
            Self::BreakerOpen => "breaker_open",
            Self::Throttled => "throttled",
            Self::LowPriority => "low_priority",
            Self::Evicted => "evicted",
            Self::Sampled => "sampled",
            Self::SpillFull => "spill_full",
            Self::Cluster => "cluster",
            Self::Canceled => "canceled",
            Self::Shutdown => "shutdown",
        }
    }

    /// Whether the same item may be accepted later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        !matches!(self, Self::TooHeavy | Self::Deadline | Self::Canceled | Self::Shutdown)
    }

    /// What happened and what to do about it, for people.
    const fn advice(self) -> &'static str {
        match self {
            Self::Full => "no room: retry later, or raise the capacity",
            Self::TooHeavy => {
                "heavier than the whole capacity: split the item, or raise the capacity"
            }
            Self::Timeout => "no room in the time allowed: retry later, or allow more time",
            Self::Deadline => "the deadline has passed: give up, or allow more time",
            Self::Delay => "waited too long: retry later, the consumer is behind",
            Self::Limit => "as many as allowed are in progress: retry later",
            Self::Rate => "sooner than the rate allows: retry later",
            Self::BreakerOpen => "the circuit breaker is open: retry later, or use a fallback",
            Self::Throttled => "the other side refuses too much: retry later, or use a fallback",
            Self::LowPriority => "more valuable items needed the room: retry later",
            Self::Evicted => "a newer item took its place: consume faster, or raise the capacity",
            Self::Sampled => "left out of the sample",
            Self::SpillFull => {
                "the store for what does not fit in memory takes no more: free space there"
            }
            Self::Cluster => "other nodes have more room: retry elsewhere",
            Self::Canceled => "the consumer canceled",
            Self::Shutdown => "closed: no more items are taken",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.advice())
    }
}
