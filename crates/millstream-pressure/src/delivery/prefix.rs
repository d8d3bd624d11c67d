//! `Prefix`: up to where everything was dealt with, for systems that count by offset.

use std::collections::VecDeque;

/// The deliveries of a sequence whose system takes one offset for all before it.
///
/// Deliveries begin in the order of their offsets, which may leave some out, and finish in any
/// order. What may be committed is the offset after the last of those before which all have
/// finished: one that was never delivered is not waited for, and one that is in progress holds
/// back all after it.
///
/// ```
/// use millstream_pressure::Prefix;
///
/// let mut prefix = Prefix::new();
/// for offset in [7, 8, 11] {
///     assert!(prefix.begin(offset));
/// }
/// assert_eq!(prefix.finish(8), None); // 7 is in progress
/// assert_eq!(prefix.finish(7), Some(9));
/// assert_eq!(prefix.finish(11), Some(12));
/// assert_eq!(prefix.finish(11), None); // it is finished already
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    /// Those in progress, and those finished behind them, by offset.
    open: VecDeque<(u64, bool)>,
    /// The offset after the last that began.
    next: u64,
    committed: Option<u64>,
}

impl Prefix {
    /// Nothing has begun.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: VecDeque::new(), next: 0, committed: None }
    }

    /// A delivery begins. Returns `false`, and changes nothing, if its offset is not above all that
    /// began before: it was delivered again, and its first delivery counts.
    pub fn begin(&mut self, offset: u64) -> bool {
        if offset < self.next || offset == u64::MAX {
            return false;
        }
        self.next = offset + 1;
        self.open.push_back((offset, false));
        true
    }

    /// A delivery is finished. Returns the offset to commit, if that has moved.
    pub fn finish(&mut self, offset: u64) -> Option<u64> {
        let at = self.open.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        self.open[at].1 = true;
        let mut moved = None;
        while let Some((offset, true)) = self.open.front() {
            moved = Some(offset + 1);
            self.open.pop_front();
        }
        if moved.is_some() {
            self.committed = moved;
        }
        moved
    }

    /// The offset to commit, if anything was finished.
    #[must_use]
    pub const fn committed(&self) -> Option<u64> {
        self.committed
    }

    /// How many are in progress, or finished behind one that is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns whether all that began were committed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
