//! The last signals that passed one place of a flow, written there and read from anywhere.
//!
//! What comes down is noted by [`Recorder::down`], by the thread that signals: three loads and two
//! stores, without a read-modify-write. What goes up is noted by [`Recorder::up`], by any thread,
//! and claims its slot by a `fetch_add`. Observers call [`Recorder::read`].
//!
//! ```text
//!  down   n_down = 6, 4 slots          up   n_up = 2, 4 slots
//!  +------+------+------+------+       +-----------+-----------+-----------+-----------+
//!  | 4, i | 5, i | 2, i | 3, i |       | 0, r(4) @0| 1, r(4) @3|     -     |     -     |
//!  +------+------+------+------+       +-----------+-----------+-----------+-----------+
//!     read: r(4)@3 before what came down as the fourth: i(2) r(4) i(3) i(4) i(5)
//! ```
//!
//! # Invariants
//!
//! 1. Slot `i % n` is written for signal `i`, and each of its words bears the lap `i / n`.
//! 2. A word of another lap than that which is looked for is not used, so that no reading has half
//!    of one signal and half of another, however often a slot is written meanwhile. (A lap is told
//!    by 7 bits: a thread that stands still between two stores for 128 laps is taken for current.)
//! 3. `down` is called by one thread at a time, that which signals; what it has counted is written.
//! 4. Slots are made when they are first written, in parts (`Ring`): one that was not made was not
//!    written.
//! 5. What goes up knows how many signals had come down when it passed. That is the order of what
//!    is read; between threads it is that in which the counter was seen.

use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::sync::{AtomicU64, Ordering};

/// A unit of recorded time. 53 bits of them are 28 years.
const NANOS: u128 = 100;
const TIME_BITS: u32 = 53;
const LAP_SHIFT: u32 = 56;
/// All that is not the lap. As a number of items it is without bound.
const PAYLOAD: u64 = (1 << LAP_SHIFT) - 1;
const TIME: u64 = (1 << TIME_BITS) - 1;

const ITEM: u64 = 1;
const SKIPPED: u64 = 2;
const COMPLETED: u64 = 3;
const FAILED: u64 = 4;
const REQUESTED: u64 = 5;
const CANCELED: u64 = 6;

/// A signal as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// When, by the recorder's clock, to 100 ns.
    pub at: Duration,
    /// What.
    pub signal: Recorded,
}

/// What passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recorded {
    /// A request for so many items; `u64::MAX` is without bound.
    Request(u64),
    /// An item.
    Item,
    /// An item that the downstream dropped, and that used no demand.
    Skipped,
    /// `on_complete`.
    Completion,
    /// `on_error`.
    Failure,
    /// A cancel, or an item that was answered with `Finished`.
    Cancel,
}

/// Where a recorder gets the time.
#[derive(Clone)]
pub enum RecorderClock {
    /// What somebody has stored last: a load for each signal.
    Coarse(Arc<CoarseTime>),
    /// What a function returns, which is called for each signal.
    Exact(Arc<dyn Fn() -> Duration + Send + Sync>),
}

/// A time that somebody stores again and again, to be read by many.
#[derive(Debug, Default)]
pub struct CoarseTime(AtomicU64);

/// The last signals of one place. The file's header has the rest.
#[derive(Debug)]
pub struct Recorder {
    clock: RecorderClock,
    /// One word each: lap, signal and time.
    down: Ring<AtomicU64>,
    n_down: AtomicU64,
    up: Ring<Slot>,
    n_up: AtomicU64,
    /// Of the subscription before.
    earlier: Box<[Record]>,
}

/// `n` slots, a power of 2, in parts that are made when they are first written to.
#[derive(Debug)]
struct Ring<T> {
    parts: Box<[OnceLock<Box<[T]>>]>,
    /// Of the number of slots in a part.
    part_bits: u32,
    n: usize,
}

impl<T: Default> Ring<T> {
    fn new(n: usize) -> Self {
        let bits = n.trailing_zeros();
        // A part of at least 64 slots, or all, and no more than 4096 parts.
        let part_bits = bits.saturating_sub(12).max(6).min(bits);
        let parts = (0..n >> part_bits).map(|_| OnceLock::new()).collect();
        let ring = Self { parts, part_bits, n };
        // loom does not know that a `OnceLock` orders what it has made before its use; that is
        // promised by std, and models have the slots from the start.
        #[cfg(millstream_loom)]
        for index in 0..n as u64 {
            ring.slot(index);
        }
        ring
    }

    fn place(&self, index: u64) -> (usize, usize) {
        // Their number is a power of 2.
        let slot = index as usize & (self.n - 1);
        (slot >> self.part_bits, slot & ((1 << self.part_bits) - 1))
    }

    /// The slot to be written for signal `index`.
    #[inline]
    fn slot(&self, index: u64) -> &T {
        let (part, slot) = self.place(index);
        let make = || (0..1_usize << self.part_bits).map(|_| T::default()).collect();
        &self.parts[part].get_or_init(make)[slot]
    }

    /// The slot of signal `index`, if anything of its part was written.
    fn written(&self, index: u64) -> Option<&T> {
        let (part, slot) = self.place(index);
        self.parts[part].get().map(|slots| &slots[slot])
    }
}

/// A signal that went up. Each word bears the lap.
#[derive(Debug, Default)]
struct Slot {
    /// What and when.
    signal: AtomicU64,
    /// Of a request: for how many items.
    n: AtomicU64,
    /// How many signals had come down.
    position: AtomicU64,
}

impl Recorder {
    /// For the last `n` signals, rounded up to a power of 2, after those of `earlier`.
    #[must_use]
    pub fn new(n: usize, clock: RecorderClock, earlier: Vec<Record>) -> Self {
        let n = n.clamp(1, crate::Capacity::MAX).next_power_of_two();
        Self {
            clock,
            down: Ring::new(n),
            n_down: AtomicU64::new(0),
            up: Ring::new(n),
            n_up: AtomicU64::new(0),
            earlier: earlier.into(),
        }
    }

    /// Notes an item or an end, before it is passed on. Called by the thread that signals.
    #[inline]
    pub fn down(&self, signal: Recorded) {
        // Relaxed: by invariant 3 nobody else stores it.
        let index = self.n_down.load(Ordering::Relaxed);
        let word = self.lap_of(index) | signal.bits() << TIME_BITS | self.clock.ticks();
        // Relaxed: published by the counter, and told from what is older by its lap.
        self.down.slot(index).store(word, Ordering::Relaxed);
        // Release: pairs with the acquire in `read`; what is counted is written.
        self.n_down.store(index.wrapping_add(1), Ordering::Release);
    }

    /// The item that was noted last was dropped. Called by the thread that signals.
    pub fn skip(&self) {
        // Relaxed: by invariant 3 nobody else stores them.
        let index = self.n_down.load(Ordering::Relaxed).wrapping_sub(1);
        let slot = self.down.slot(index);
        let time = slot.load(Ordering::Relaxed) & TIME;
        slot.store(self.lap_of(index) | SKIPPED << TIME_BITS | time, Ordering::Relaxed);
    }

    /// Notes a request or cancel, before it is passed on. Called by any thread.
    pub fn up(&self, signal: Recorded) {
        // Relaxed: where it stands among the others is all that it says.
        let position = self.n_down.load(Ordering::Relaxed);
        // Relaxed: the slots say by their laps whether they are written.
        let index = self.n_up.fetch_add(1, Ordering::Relaxed);
        let (lap, slot) = (self.lap_of(index), self.up.slot(index));
        let n = if let Recorded::Request(n) = signal { n.min(PAYLOAD) } else { 0 };
        slot.signal.store(lap | signal.bits() << TIME_BITS | self.clock.ticks(), Ordering::Relaxed);
        slot.n.store(lap | n, Ordering::Relaxed);
        slot.position.store(lap | position & PAYLOAD, Ordering::Relaxed);
    }

    /// The last signals, in order, without those that are being written.
    #[must_use]
    pub fn read(&self) -> Vec<Record> {
        // Relaxed: a slot that is not written yet is of another lap.
        let n_up = self.n_up.load(Ordering::Relaxed);
        // Acquire: pairs with the release in `down`.
        let n_down = self.n_down.load(Ordering::Acquire);
        let most = self.down.n as u64;
        let mut downs = (n_down.saturating_sub(most)..n_down).peekable();
        let mut records = self.earlier.to_vec();
        for index in n_up.saturating_sub(most)..n_up {
            let Some((record, position)) = self.read_up(index) else { continue };
            while let Some(index) = downs.next_if(|&index| index < position) {
                records.extend(self.read_down(index));
            }
            records.push(record);
        }
        records.extend(downs.filter_map(|index| self.read_down(index)));
        records.split_off(records.len().saturating_sub(self.down.n))
    }

    fn read_down(&self, index: u64) -> Option<Record> {
        // Relaxed: `n_down` was acquired.
        let word = self.down.written(index)?.load(Ordering::Relaxed);
        self.is_of(index, word).then(|| Record::of(word, 0))?
    }

    /// What went up, and how many signals had come down.
    fn read_up(&self, index: u64) -> Option<(Record, u64)> {
        let slot = self.up.written(index)?;
        // Relaxed: each says by its lap whether it is of this signal (invariant 2).
        let signal = slot.signal.load(Ordering::Relaxed);
        let n = slot.n.load(Ordering::Relaxed);
        let position = slot.position.load(Ordering::Relaxed);
        let are_written = [signal, n, position].into_iter().all(|word| self.is_of(index, word));
        let n = if n & PAYLOAD == PAYLOAD { u64::MAX } else { n & PAYLOAD };
        are_written.then(|| Some((Record::of(signal, n)?, position & PAYLOAD)))?
    }

    /// The lap in its place in a word; never that of a slot that was not written.
    fn lap_of(&self, index: u64) -> u64 {
        (index >> self.down.n.trailing_zeros() & 0x7f | 0x80) << LAP_SHIFT
    }

    fn is_of(&self, index: u64, word: u64) -> bool {
        word & !PAYLOAD == self.lap_of(index)
    }
}

impl Recorded {
    const fn bits(self) -> u64 {
        match self {
            Self::Item => ITEM,
            Self::Skipped => SKIPPED,
            Self::Completion => COMPLETED,
            Self::Failure => FAILED,
            Self::Request(_) => REQUESTED,
            Self::Cancel => CANCELED,
        }
    }
}

impl Record {
    fn of(word: u64, n: u64) -> Option<Self> {
        let signal = match (word & PAYLOAD) >> TIME_BITS {
            ITEM => Recorded::Item,
            SKIPPED => Recorded::Skipped,
            COMPLETED => Recorded::Completion,
            FAILED => Recorded::Failure,
            REQUESTED => Recorded::Request(n),
            CANCELED => Recorded::Cancel,
            _ => return None,
        };
        let nanos = u128::from(word & TIME) * NANOS;
        Some(Self { at: Duration::from_nanos_u128(nanos), signal })
    }
}

impl CoarseTime {
    /// From now on it is this time.
    pub fn set(&self, now: Duration) {
        // Relaxed: a time, and nothing behind it.
        self.0.store(ticks_of(now), Ordering::Relaxed);
    }
}

impl RecorderClock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos_u128(u128::from(self.ticks()) * NANOS)
    }

    #[inline]
    fn ticks(&self) -> u64 {
        match self {
            // Relaxed: as in `set`.
            Self::Coarse(time) => time.0.load(Ordering::Relaxed),
            Self::Exact(now) => ticks_of(now()),
        }
    }
}

fn ticks_of(time: Duration) -> u64 {
    (time.as_nanos() / NANOS) as u64 & TIME
}

// A clock is read and never left half changed.
impl RefUnwindSafe for RecorderClock {}
impl UnwindSafe for RecorderClock {}

impl fmt::Debug for RecorderClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coarse(_) => "Coarse",
            Self::Exact(_) => "Exact",
        })
    }
}
