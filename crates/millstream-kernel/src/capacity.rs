//! How many items a queue holds.

use std::{error, fmt, num::NonZeroUsize};

/// The capacity of a queue: at least 1, at most [`MAX`](Self::MAX). Queues begin with memory for a
/// few thousand items at most, and allocate more when the items come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capacity(NonZeroUsize);

/// A capacity that no queue can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidCapacity {
    /// What was asked for.
    pub capacity: usize,
}

impl Capacity {
    /// The largest capacity, 2^24. More is seldom meant, and would end the process for lack of
    /// memory rather than fail when the items come.
    pub const MAX: usize = 1 << 24;

    /// The capacity of a queue for `n` items.
    ///
    /// # Errors
    ///
    /// Unless `n` lies in `1..=Self::MAX`.
    pub const fn new(n: usize) -> Result<Self, InvalidCapacity> {
        match NonZeroUsize::new(n) {
            Some(capacity) if n <= Self::MAX => Ok(Self(capacity)),
            _ => Err(InvalidCapacity { capacity: n }),
        }
    }

    /// The capacity of a queue for `n` items, for those who check their arguments by a panic.
    ///
    /// # Panics
    ///
    /// Unless `n` lies in `1..=Self::MAX`.
    #[must_use]
    #[track_caller]
    pub fn of(n: usize) -> Self {
        match Self::new(n) {
            Ok(capacity) => capacity,
            Err(error) => panic!("{error}"),
        }
    }

    /// One place more, for an end that waits behind the items.
    #[must_use]
    pub const fn and_end(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

impl fmt::Display for InvalidCapacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capacity } = self;
        if *capacity == 0 {
            return f.write_str("a capacity of 0 would never let an item through: use at least 1");
        }
        let max = Capacity::MAX;
        write!(f, "a capacity of {capacity} is more than memory would hold: use at most {max}")
    }
}

impl error::Error for InvalidCapacity {}
