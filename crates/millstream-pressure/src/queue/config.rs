//! `QueueConfig`: how much a queue holds, what goes when it is full, and who is served next.

use std::time::Duration;

use crate::{InvalidSetting, Settings};

const POLICY: &str = "queue";

/// How a queue is set up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct QueueConfig {
    /// The most items that wait, places that were reserved included. Default: 1000.
    pub capacity: usize,
    /// The most items that wait after the queue has grown: its room doubles up to this when it is
    /// full, and halves down to `capacity` while less than a quarter is used. Default: as
    /// `capacity`, it does not grow.
    pub max_capacity: Option<usize>,
    /// The most that all items that wait weigh together, if they are weighed. Default: no bound.
    pub max_weight: Option<u64>,
    /// What happens when there is no room. Default: producers wait.
    pub when_full: WhenFull,
    /// Who is served next. Default: first come, first served.
    pub discipline: Discipline,
    /// How long a producer waits for room. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub timeout: Duration,
    /// From this level on, from 0 to 1, the queue says that it is high. Default: 0.8.
    pub high_watermark: f64,
    /// A queue that was high is so until it falls to this level. Default: 0.6.
    pub low_watermark: f64,
}

/// What happens when there is no room: what a producer meets.
///
/// Where there is none to meet, in a flow that is not asked, [`millstream::Overflow`] says which
/// item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum WhenFull {
    /// The producer waits, first come, first served, up to the time-out.
    Wait,
    /// As [`Wait`](Self::Wait), and above the low watermark producers are slowed down before: the
    /// fuller, the longer the pause between two items, up to `max_pause`.
    Throttle {
        /// The pause when the queue is full.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        max_pause: Duration,
    },
    /// The item is refused at once, and comes back with a time after which to retry.
    Reject,
    /// The new item is dropped, unless a less critical one waits, which is dropped instead.
    #[doc(alias = "DropIncoming")]
    DropNewest,
    /// The item that waits longest among the least critical is dropped, unless the new one is less
    /// critical, which is dropped instead.
    DropOldest,
    /// While the queue is high, one of `one_of` items is taken, and the others are dropped; without
    /// room, the oldest makes place.
    Sample {
        /// Of how many one is kept.
        one_of: u32,
    },
    /// The item goes to the [store](crate::QueueHooks::store), and from then on all that come,
    /// until the store is empty again. Their order is kept.
    Spill,
    /// Without room, a new item takes the place of any that waits, with such a probability that
    /// each of those that came since then is as likely to be kept (Vitter's algorithm R).
    Reservoir,
}

/// Who is served next, and who has waited too long.
///
/// An item whose own deadline has passed is dropped instead of being served in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// CoDel as in RFC 8289: when every item has waited longer than `target` for an `interval`, one
    /// is dropped, and then more and more often until one has waited less. For producers that slow
    /// down when they lose an item.
    Codel {
        /// How long an item may wait. The RFC has 5 ms.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        target: Duration,
        /// For how long. The RFC has 100 ms.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        interval: Duration,
    },
    /// Controlled delay for producers that do not slow down (as in folly's `Codel`): when the
    /// shortest wait in an `interval` was longer than `target`, all that have waited twice as long
    /// as that are dropped during the next one.
    ControlledDelay {
        /// How long an item may wait.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        target: Duration,
        /// For how long.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        interval: Duration,
    },
    /// First come, first served, until the queue has not been empty for an `interval`; then the
    /// newest is served first, and what has waited longer than `target` is dropped (adaptive LIFO
    /// with a controlled time-out, Maurer 2015).
    AdaptiveLifo {
        /// How long an item may wait while the queue stands.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        target: Duration,
        /// How long an item may wait otherwise, and for how long the queue has not to be empty.
        #[cfg_attr(
            feature = "serde",
            serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
        )]
        interval: Duration,
    },
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            capacity: 1_000,
            max_capacity: None,
            max_weight: None,
            when_full: WhenFull::Wait,
            discipline: Discipline::Fifo,
            timeout: Duration::from_secs(5),
            high_watermark: 0.8,
            low_watermark: 0.6,
        }
    }
}

impl WhenFull {
    /// Returns whether producers are made to wait, so that nothing is lost.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Wait | Self::Throttle { .. })
    }
}

impl Settings for QueueConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let &Self { capacity, max_capacity, max_weight, high_watermark, low_watermark, .. } = self;
        InvalidSetting::unless_positive(POLICY, "capacity", capacity as u64)?;
        let max = max_capacity.unwrap_or(capacity);
        InvalidSetting::unless(max >= capacity, POLICY, "max_capacity", max, "at least capacity")?;
        InvalidSetting::unless_positive(POLICY, "max_weight", max_weight.unwrap_or(1))?;
        let rule = "more than 0 and at most 1";
        InvalidSetting::unless_within(
            POLICY,
            "high_watermark",
            high_watermark,
            f64::MIN_POSITIVE..=1.0,
            rule,
        )?;
        InvalidSetting::unless(
            low_watermark >= 0.0 && low_watermark < high_watermark,
            POLICY,
            "low_watermark",
            low_watermark,
            "from 0 to less than high_watermark",
        )?;
        match self.when_full {
            WhenFull::Wait => {
                InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)?;
            }
            WhenFull::Throttle { max_pause } => {
                InvalidSetting::unless_some_time(POLICY, "timeout", self.timeout)?;
                InvalidSetting::unless_some_time(POLICY, "when_full.max_pause", max_pause)?;
            }
            WhenFull::Sample { one_of } => {
                InvalidSetting::unless_positive(POLICY, "when_full.one_of", u64::from(one_of))?;
            }
            WhenFull::Reject
            | WhenFull::DropNewest
            | WhenFull::DropOldest
            | WhenFull::Spill
            | WhenFull::Reservoir => {}
        }
        match self.discipline {
            Discipline::Fifo => Ok(()),
            Discipline::Codel { target, interval }
            | Discipline::ControlledDelay { target, interval }
            | Discipline::AdaptiveLifo { target, interval } => {
                InvalidSetting::unless_some_time(POLICY, "discipline.target", target)?;
                InvalidSetting::unless(
                    interval > target,
                    POLICY,
                    "discipline.interval",
                    interval,
                    "longer than the target",
                )
            }
        }
    }
}
