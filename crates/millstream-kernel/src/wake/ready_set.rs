//! Which of many tasks were woken.
//!
//! A bit for each task, and above each block of 64 of them a mark: waking sets the bit and sees to
//! the mark, the driver takes the marks and the bits below them. Waking needs no queue, and waking
//! twice is waking once; taking looks at one word for 4096 tasks of which none was woken. A set for
//! more numbers than that has the others in segments, each as long as all before it, which are
//! allocated when a number of theirs is set for the first time.
//!
//! # States of a block
//!
//! ```text
//!            set: bit             set: mark            take: mark           take: bits
//!   ┌───────┐ ───────▶ ┌────────┐ ────────▶ ┌────────┐ ────────▶ ┌────────┐ ─────────▶ EMPTY
//!   │ EMPTY │          │ FILLED │           │ MARKED │           │ TAKING │ ⟲ set: bit alone
//!   └───────┘          └────────┘           └────────┘           └────────┘
//!                        ⟲ set: bit alone     ⟲ set: bit alone
//! ```
//!
//! # Invariants
//!
//! 1. A bit that was set is taken once or is still set: both are read-modify-writes.
//! 2. What was done before `set` is seen after the `take` that got the bit.
//! 3. A block that is not empty is marked, or the thread that filled it is about to mark it, or
//!    somebody is taking it. So a bit set in a block that had others needs no mark, and a mark may
//!    stand over a block that is empty.

use std::sync::OnceLock;

use crate::sync::{AtomicU64, Ordering};

/// Numbers in the first segment, at most: as many as one mark word stands for.
const FIRST: usize = 4096;

/// A set of numbers below a bound. Set from anywhere, taken by one.
#[derive(Debug)]
pub struct ReadySet {
    first: Segment,
    /// Those from `FIRST` on, from twice as many on, and so forth.
    others: Box<[OnceLock<Segment>]>,
    bound: usize,
}

#[derive(Debug)]
struct Segment {
    /// A bit for each block.
    marks: Box<[AtomicU64]>,
    blocks: Box<[AtomicU64]>,
}

impl ReadySet {
    /// An empty set for the numbers below `bound`, which takes a bit for each of the first 4096,
    /// and for no more than twice as many as the highest that is set.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let n_others = bound.div_ceil(FIRST).next_power_of_two().trailing_zeros();
        let others = (0..n_others).map(|_| OnceLock::new()).collect();
        Self { first: Segment::new(bound.min(FIRST)), others, bound }
    }

    /// Adds `index`: `EMPTY → FILLED → MARKED`.
    ///
    /// # Panics
    ///
    /// If `index` is not below the bound, rounded up to a multiple of 64.
    #[inline]
    pub fn set(&self, index: usize) {
        if index < FIRST { self.first.set(index) } else { self.set_beyond(index) }
    }

    #[cold]
    fn set_beyond(&self, index: usize) {
        assert!(index < self.bound, "{index} is beyond the bound of {}", self.bound);
        let number = (index / FIRST).ilog2();
        let start = FIRST << number;
        let segment = self.others[number as usize].get_or_init(|| Segment::new(start));
        segment.set(index - start);
    }

    /// Takes everything out, in ascending order: `MARKED → TAKING → EMPTY`.
    #[inline]
    pub fn take(&self, mut f: impl FnMut(usize)) {
        self.first.take(&mut f);
        for (number, segment) in self.others.iter().enumerate() {
            // One that is missed is followed by a wake-up of whoever takes, as a bit is.
            if let Some(segment) = segment.get() {
                let start = FIRST << number;
                segment.take(|index| f(start + index));
            }
        }
    }
}

impl Segment {
    fn new(bound: usize) -> Self {
        let words = |n_bits: usize| (0..n_bits.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { marks: words(bound.div_ceil(64)), blocks: words(bound) }
    }

    #[inline]
    fn set(&self, index: usize) {
        let block = index / 64;
        // AcqRel: invariant 2.
        let before = self.blocks[block].fetch_or(1 << (index % 64), Ordering::AcqRel);
        if before == 0 {
            // Invariant 3. AcqRel: the thread that takes the mark sees the bit.
            self.marks[block / 64].fetch_or(1 << (block % 64), Ordering::AcqRel);
        }
    }

    #[inline]
    fn take(&self, mut f: impl FnMut(usize)) {
        for (group, marks) in self.marks.iter().enumerate() {
            take_bits(marks, |block| {
                let block = group * 64 + block;
                take_bits(&self.blocks[block], |bit| f(block * 64 + bit));
            });
        }
    }
}

#[inline]
fn take_bits(word: &AtomicU64, mut f: impl FnMut(usize)) {
    // Relaxed: a bit that is missed is followed by a wake-up of the taker.
    if word.load(Ordering::Relaxed) == 0 {
        return;
    }
    // AcqRel: pairs with `set`.
    let mut bits = word.swap(0, Ordering::AcqRel);
    while bits != 0 {
        f(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}
