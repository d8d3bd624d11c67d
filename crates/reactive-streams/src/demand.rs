//! Demand: how many items a subscriber is still ready to receive.

use core::fmt;

/// A number of items that were requested and not yet delivered.
///
/// Demand adds up and saturates (rule 3.8). `u64::MAX` means "without bound" (rule 3.17): once
/// there, demand stays there, and taking from it changes nothing.
///
/// # Examples
///
/// ```
/// use reactive_streams::Demand;
///
/// let mut demand = Demand::new(2);
/// demand.add(3);
/// assert_eq!(demand.take(4), 4);
/// assert_eq!(demand, Demand::new(1));
///
/// demand.add(u64::MAX);
/// assert!(demand.is_unbounded());
/// assert_eq!(demand.take(1_000), 1_000);
/// assert!(demand.is_unbounded());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand(u64);

impl Demand {
    /// No demand.
    pub const ZERO: Self = Self(0);

    /// Demand without bound.
    pub const UNBOUNDED: Self = Self(u64::MAX);

    /// Demand for `n` items; `u64::MAX` is unbounded.
    #[must_use]
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// The number of items; `u64::MAX` if unbounded.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether any number of items is wanted.
    #[must_use]
    pub const fn is_unbounded(self) -> bool {
        self.0 == u64::MAX
    }

    /// Adds `n` items, saturating at unbounded.
    pub const fn add(&mut self, n: u64) {
        self.0 = self.0.saturating_add(n);
    }

    /// Takes up to `n` items off and returns how many that were. Unbounded demand is not reduced.
    pub const fn take(&mut self, n: u64) -> u64 {
        if self.is_unbounded() {
            return n;
        }
        let taken = if n < self.0 { n } else { self.0 };
        self.0 -= taken;
        taken
    }

    /// The demand for `n` times as many items, as a `buffer(n)` passes on; saturates at unbounded.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl From<u64> for Demand {
    fn from(n: u64) -> Self {
        Self(n)
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unbounded() { f.write_str("unbounded") } else { self.0.fmt(f) }
    }
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Demand({self})")
    }
}
