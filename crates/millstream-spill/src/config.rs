//! What a queue promises and how much it may use.

use std::time::Duration;

use crate::{SpillError, format};

/// When an item that was sent counts as safe, and its sender is told so.
///
/// | | survives the end of the process | survives a power failure | costs |
/// |---|---|---|---|
/// | `Process` | yes | no | a write |
/// | `Group` | yes | yes | a write, and a share of a sync |
/// | `Each` | yes | yes | a write, and a sync that concurrent senders share |
///
/// An item is received only once it is safe in this sense, so what was received is never lost
/// before it was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Durability {
    /// Once the operating system has it: a crash of the process loses nothing, a power failure may.
    Process,
    /// Once it was synced, which happens when this many items wait for it or the oldest has waited
    /// for so long.
    Group(u32, Duration),
    /// Once it was synced, which begins at once; those that come during a sync share the next.
    Each,
}

/// What happens to an item for which there is no room below [`Config::max_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WhenFull {
    /// The sender waits for room.
    Wait,
    /// The sender gets the item back.
    Reject,
    /// The item is dropped and counted.
    DropNewest,
    /// The oldest segment is dropped and counted, item by item.
    DropOldest,
}

/// What opening and reading do about items that were safe once and cannot be read any more.
///
/// A torn tail is no damage: what a crash left half written was never safe, and is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OnDamage {
    /// An error names the file and the offset, and nothing is changed.
    Refuse,
    /// The damaged rest of the segment is skipped, and the items that it held are counted as
    /// dropped. A damaged cursor is put aside, and everything in the segments is received again.
    Skip,
}

/// What a queue promises, and how much it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Config {
    /// The most bytes of a segment file. Space is given back segment by segment. 64 MiB by default.
    pub segment_bytes: u64,
    /// The most bytes of all segment files in the directory; at least two segments. 1 GiB by
    /// default.
    pub max_bytes: u64,
    /// When an item counts as safe. `Group(1024, 10 ms)` by default.
    pub durability: Durability,
    /// What happens beyond `max_bytes`. `Wait` by default.
    pub when_full: WhenFull,
    /// What happens about damage. `Refuse` by default.
    pub on_damage: OnDamage,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_bytes: 1 << 30,
            durability: Durability::Group(1024, Duration::from_millis(10)),
            when_full: WhenFull::Wait,
            on_damage: OnDamage::Refuse,
        }
    }
}

impl Config {
    /// Checks the numbers against each other.
    ///
    /// # Errors
    ///
    /// `Config`, with what to change.
    pub fn validate(&self) -> Result<(), SpillError> {
        let smallest = (format::HEADER + format::RECORD_HEADER + 1) as u64;
        if self.segment_bytes < smallest {
            return Err(SpillError::Config("segment_bytes is less than one item needs (49)"));
        }
        if self.segment_bytes >= 1 << 31 {
            return Err(SpillError::Config("segment_bytes is 2 GiB or more"));
        }
        if self.max_bytes < self.segment_bytes.saturating_mul(2) {
            return Err(SpillError::Config(
                "max_bytes is less than two segments, so that no segment could ever be given back",
            ));
        }
        if matches!(self.durability, Durability::Group(0, _)) {
            return Err(SpillError::Config(
                "a group of 0 items would never be synced: use at least 1",
            ));
        }
        Ok(())
    }

    /// The most bytes of one item's payload.
    #[must_use]
    pub fn max_item_bytes(&self) -> u64 {
        self.segment_bytes - (format::HEADER + format::RECORD_HEADER) as u64
    }
}
