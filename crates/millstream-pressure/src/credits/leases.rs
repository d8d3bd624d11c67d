//! Credits that are held, in the order in which they were given out.
//!
//! Giving out, taking back and finding the oldest cost the same however many there are, and places
//! are used again, so that nothing is allocated once there have been as many before.

use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Leases {
    entries: Vec<Entry>,
    vacant: Vec<u32>,
    first: Option<u32>,
    last: Option<u32>,
}

#[derive(Debug)]
struct Entry {
    weight: u64,
    started: Duration,
    /// Which lease of this place it is: one that has expired is not another that came after it.
    round: u32,
    is_out: bool,
    before: Option<u32>,
    after: Option<u32>,
}

impl Leases {
    /// Gives out `weight`. Returns the lease's number.
    pub(super) fn add(&mut self, weight: u64, started: Duration) -> u64 {
        let entry =
            Entry { weight, started, round: 0, is_out: true, before: self.last, after: None };
        let index = match self.vacant.pop() {
            Some(index) => {
                let place = &mut self.entries[index as usize];
                *place = Entry { round: place.round.wrapping_add(1), ..entry };
                index
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        match self.last {
            Some(last) => self.entries[last as usize].after = Some(index),
            None => self.first = Some(index),
        }
        self.last = Some(index);
        self.number(index)
    }

    /// Takes a lease back. Returns what it weighs, and `None` if that was done before.
    pub(super) fn remove(&mut self, number: u64) -> Option<u64> {
        let (index, round) = (number as u32, (number >> 32) as u32);
        let entry = self.entries.get_mut(index as usize)?;
        if !entry.is_out || entry.round != round {
            return None;
        }
        entry.is_out = false;
        let (weight, before, after) = (entry.weight, entry.before, entry.after);
        match before {
            Some(before) => self.entries[before as usize].after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => self.entries[after as usize].before = before,
            None => self.last = before,
        }
        self.vacant.push(index);
        Some(weight)
    }

    /// The number of the oldest lease, and when it was given out.
    pub(super) fn oldest(&self) -> Option<(u64, Duration)> {
        let first = self.first?;
        Some((self.number(first), self.entries[first as usize].started))
    }

    fn number(&self, index: u32) -> u64 {
        u64::from(self.entries[index as usize].round) << 32 | u64::from(index)
    }
}
