//! `Pressure`: how full something is, and when that was read.

use std::time::Duration;

/// A reading of how full something is, from 0 to 1.
///
/// ```
/// use millstream_pressure::Pressure;
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let reading = Pressure::new(1.7, second).unwrap();
/// assert_eq!(reading.level(), 1.0);
/// assert!(reading.if_fresh(second * 9, second * 5).is_none()); // a stale reading is no reading
/// assert!(Pressure::new(f64::NAN, second).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    level: f64,
    read_at: Duration,
}

/// Something of which can be said how full it is.
pub trait PressureSource: Send + Sync {
    /// The present reading; `None` if there is none.
    fn pressure(&self) -> Option<Pressure>;
}

impl Pressure {
    /// A reading at `read_at` by the policy's clock, clamped to 0 and 1. `None` if `level` is NaN.
    #[must_use]
    pub fn new(level: f64, read_at: Duration) -> Option<Self> {
        (!level.is_nan()).then(|| Self { level: level.clamp(0.0, 1.0), read_at })
    }

    /// How full `used` of `capacity` is; a capacity of 0 is always full.
    #[must_use]
    pub fn of(used: u64, capacity: u64, read_at: Duration) -> Self {
        let level = if capacity == 0 { 1.0 } else { used as f64 / capacity as f64 };
        Self { level: level.min(1.0), read_at }
    }

    /// From 0, idle, to 1, full.
    #[must_use]
    pub fn level(self) -> f64 {
        self.level
    }

    /// When it was read, by the policy's clock.
    #[must_use]
    pub fn read_at(self) -> Duration {
        self.read_at
    }

    /// This reading, unless it is older than `max_age`. One from the future, after a clock that was
    /// set back, is fresh.
    #[must_use]
    pub fn if_fresh(self, now: Duration, max_age: Duration) -> Option<Self> {
        (now.saturating_sub(self.read_at) <= max_age).then_some(self)
    }
}

impl<S: PressureSource + ?Sized> PressureSource for std::sync::Arc<S> {
    fn pressure(&self) -> Option<Pressure> {
        (**self).pressure()
    }
}
