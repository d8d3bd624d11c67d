//! Shared: timers in a hierarchical wheel.
//!
//! Scheme 7 of Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987): setting a timer
//! and taking one back cost O(1), however many are pending.
//! A tick is a nanosecond, so that nothing is rounded; each level has 64 slots, and a level is made
//! when the first timer needs it. A slot is a list in the order in which its timers were set.
//! Our deviations: the wheel does not turn while nothing is due, because each slot keeps a lower
//! bound of its dues; and when a slot is opened the wheel jumps to that bound, so that a timer
//! moves down once for each other due that shares its slot, and at most once a level.
//!
//! # Invariants
//!
//! 1. A timer's level is the highest digit, in base 64, in which its due differs from `now`, and
//!    its slot is that digit of its due. So all timers of a level are due before those of the
//!    levels above, and those of a slot before those of the slots behind it.
//! 2. A bit of `occupied` is set when the slot's list is not empty;
//!    `earliest` is then no later than any due in the list. In level 0 it is the due of all.
//! 3. Timers with one due share a list, in the order in which they were set.
//! 4. `now` never passes the due of a pending timer.

use std::time::Duration;

use super::duration;

/// Bits of a digit.
const BITS: u32 = 6;

/// Slots of a level.
const SLOTS: usize = 1 << BITS;

/// No entry.
const NONE: u32 = u32::MAX;

/// How many entries are kept when the last timer goes.
const KEPT: usize = 1_024;

/// Values that wait for their time. The file's header has the rest.
pub(super) struct Wheel<T> {
    /// Nanoseconds.
    now: u128,
    levels: Vec<Level>,
    entries: Vec<Entry<T>>,
    /// The first entry that is not used.
    free: u32,
    n_pending: usize,
    /// How many timers were set, so that a key never names another timer.
    n_set: u32,
}

/// A timer that was set, for taking it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    index: u32,
    number: u32,
}

struct Level {
    occupied: u64,
    slots: Box<[List; SLOTS]>,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    earliest: u128,
}

struct Entry<T> {
    due: u128,
    number: u32,
    level: u8,
    slot: u8,
    before: u32,
    /// The next of its list, or of those that are not used.
    after: u32,
    /// `None` while the entry is not used.
    value: Option<T>,
}

impl Key {
    /// The key as one number.
    pub(super) fn to_bits(self) -> u64 {
        (u64::from(self.number) << 32) | u64::from(self.index)
    }

    /// The key of [`to_bits`](Self::to_bits).
    pub(super) fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, number: (bits >> 32) as u32 }
    }
}

impl<T> Wheel<T> {
    pub(super) fn new() -> Self {
        let (levels, entries) = (Vec::new(), Vec::new());
        Self { now: 0, levels, entries, free: NONE, n_pending: 0, n_set: 0 }
    }

    /// How many timers are pending.
    pub(super) fn len(&self) -> usize {
        self.n_pending
    }

    /// Whether no timer is pending.
    pub(super) fn is_empty(&self) -> bool {
        self.n_pending == 0
    }

    /// Has `value` wait until `due`.
    pub(super) fn set(&mut self, due: Duration, value: T) -> Key {
        let number = self.n_set;
        self.n_set = number.wrapping_add(1);
        // What is overdue is due now (invariant 4).
        let due = due.as_nanos().max(self.now);
        let entry =
            Entry { due, number, level: 0, slot: 0, before: NONE, after: NONE, value: Some(value) };
        let index = match self.free {
            NONE => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
            index => {
                let place = &mut self.entries[index as usize];
                self.free = place.after;
                *place = entry;
                index
            }
        };
        self.n_pending += 1;
        self.append(index);
        Key { index, number }
    }

    /// Gives the value back, unless its time has come or it was taken back before.
    pub(super) fn take_back(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get(key.index as usize)?;
        if entry.number != key.number || entry.value.is_none() {
            return None;
        }
        self.unlink(key.index);
        self.release(key.index)
    }

    /// A time before which nothing is due. It is a due, unless timers were taken back.
    pub(super) fn earliest(&self) -> Option<Duration> {
        self.first().map(|(_, _, earliest)| duration(earliest))
    }

    /// Gives all values that are due at `now`, those that are due first before the others, and
    /// those that are due at the same time in the order in which they were set.
    pub(super) fn expire(&mut self, now: Duration, mut give: impl FnMut(T)) {
        let now = now.as_nanos();
        while let Some((level, slot, earliest)) = self.first()
            && earliest <= now
        {
            // Nothing is due before (invariant 4).
            self.now = earliest;
            let place = &mut self.levels[level];
            place.occupied &= !(1 << slot);
            let mut index = std::mem::replace(&mut place.slots[slot], List::EMPTY).head;
            while index != NONE {
                let after = self.entries[index as usize].after;
                if self.entries[index as usize].due == earliest {
                    self.release(index).into_iter().for_each(&mut give);
                } else {
                    // To a lower level: the digit that differed is the same now.
                    self.append(index);
                }
                index = after;
            }
        }
    }

    /// Gives all values back, in no order.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let values = self.entries.iter_mut().filter_map(|entry| entry.value.take()).collect();
        let (now, n_set) = (self.now, self.n_set);
        *self = Self { now, n_set, ..Self::new() };
        values
    }

    /// The first slot that is not empty, and its lower bound.
    fn first(&self) -> Option<(usize, usize, u128)> {
        let (index, level) =
            self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0)?;
        let slot = level.occupied.trailing_zeros() as usize;
        Some((index, slot, level.slots[slot].earliest))
    }

    /// Appends an entry to the list of its slot.
    fn append(&mut self, index: u32) {
        let due = self.entries[index as usize].due;
        let level = ((due ^ self.now) | 1).ilog2() / BITS;
        let slot = (due >> (level * BITS)) as usize % SLOTS;
        let level = level as usize;
        if level >= self.levels.len() {
            self.levels.resize_with(level + 1, Level::empty);
        }
        let place = &mut self.levels[level];
        place.occupied |= 1 << slot;
        let list = &mut place.slots[slot];
        list.earliest = list.earliest.min(due);
        let before = std::mem::replace(&mut list.tail, index);
        match before {
            NONE => list.head = index,
            before => self.entries[before as usize].after = index,
        }
        let entry = &mut self.entries[index as usize];
        (entry.level, entry.slot) = (level as u8, slot as u8);
        (entry.before, entry.after) = (before, NONE);
    }

    /// Takes an entry out of its list.
    fn unlink(&mut self, index: u32) {
        let Entry { level, slot, before, after, .. } = self.entries[index as usize];
        let level = &mut self.levels[usize::from(level)];
        let list = &mut level.slots[usize::from(slot)];
        match before {
            NONE => list.head = after,
            before => self.entries[before as usize].after = after,
        }
        match after {
            NONE => list.tail = before,
            after => self.entries[after as usize].before = before,
        }
        if list.head == NONE {
            *list = List::EMPTY;
            level.occupied &= !(1 << slot);
        }
    }

    /// Gives the value of an entry that is in no list, and the entry to those to come.
    fn release(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        entry.after = std::mem::replace(&mut self.free, index);
        let value = entry.value.take();
        self.n_pending -= 1;
        if self.n_pending == 0 && self.entries.len() > KEPT {
            self.entries = Vec::new();
            self.free = NONE;
        }
        value
    }
}

impl Level {
    fn empty() -> Self {
        Self { occupied: 0, slots: Box::new([List::EMPTY; SLOTS]) }
    }
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE, earliest: u128::MAX };
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::{Key, Wheel};

    /// What a wheel has to do, by a map in order.
    #[derive(Default)]
    struct Model {
        pending: BTreeMap<(Duration, u64), Key>,
        n_set: u64,
    }

    /// A delay of any length, from none to the longest.
    fn delay(random: &mut fastrand::Rng) -> Duration {
        match random.u8(..8) {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            2 => Duration::from_secs(random.u64(..) >> random.u32(..64)),
            _ => Duration::from_nanos(random.u64(..) >> random.u32(24..64)),
        }
    }

    #[test]
    fn a_wheel_does_what_an_ordered_map_does() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut wheel, mut model) = (Wheel::new(), Model::default());
            let mut now = Duration::ZERO;
            for _ in 0..200 {
                match random.u8(..8) {
                    0..=3 => {
                        let due = now.saturating_add(delay(&mut random));
                        let key = wheel.set(due, model.n_set);
                        assert_eq!(Key::from_bits(key.to_bits()), key);
                        model.pending.insert((due, model.n_set), key);
                        model.n_set += 1;
                    }
                    4 | 5 => {
                        let nth = random.usize(..=model.pending.len());
                        let Some((&at, &key)) = model.pending.iter().nth(nth) else { continue };
                        model.pending.remove(&at);
                        assert_eq!(wheel.take_back(key), Some(at.1), "seed {seed}");
                        assert_eq!(wheel.take_back(key), None, "seed {seed}");
                    }
                    _ => {
                        let first = model.pending.keys().next().map(|(due, _)| *due);
                        now = match first {
                            Some(due) if random.bool() => due,
                            _ => now.saturating_add(delay(&mut random)),
                        };
                        let later = model.pending.split_off(&(now, u64::MAX));
                        let due = std::mem::replace(&mut model.pending, later);
                        let mut given = Vec::new();
                        wheel.expire(now, |value| given.push(value));
                        let expected: Vec<_> = due.keys().map(|(_, value)| *value).collect();
                        assert_eq!(given, expected, "seed {seed} at {now:?}");
                        assert!(due.values().all(|key| wheel.take_back(*key).is_none()));
                    }
                }
                let first = model.pending.keys().next().map(|(due, _)| *due);
                assert_eq!(wheel.len(), model.pending.len(), "seed {seed}");
                assert_eq!(wheel.is_empty(), first.is_none());
                assert!(wheel.earliest() <= first && wheel.earliest().is_some() == first.is_some());
            }
            assert_eq!(wheel.take_all().len(), model.pending.len());
            assert!(wheel.is_empty() && wheel.earliest().is_none());
        }
    }

    #[test]
    fn a_wheel_that_is_empty_keeps_little() {
        let mut wheel = Wheel::new();
        let keys: Vec<_> = (0..100_000).map(|n| wheel.set(Duration::from_millis(n), n)).collect();
        for key in &keys {
            assert!(wheel.take_back(*key).is_some());
        }
        assert_eq!(wheel.entries.capacity(), 0);
        // The keys of before name nothing that comes after.
        let key = wheel.set(Duration::ZERO, 7);
        assert!(keys.iter().all(|key| wheel.take_back(*key).is_none()));
        assert_eq!(wheel.take_back(key), Some(7));
    }

    #[test]
    fn no_timer_moves_down_more_often_than_there_are_levels() {
        let mut wheel = Wheel::new();
        // One due after the other, all far away.
        for n in 0..64_u64 {
            let _ = wheel.set(Duration::from_secs(1 << (n / 2)), n);
        }
        let mut n_opened = 0;
        while let Some(due) = wheel.earliest() {
            n_opened += 1;
            wheel.expire(due, |_| ());
        }
        assert_eq!(n_opened, 32);
    }
}
